"""The model card of a bundle: what is in it, how to run it, and how near to Keras it is."""

import os

FILE = "model_card.md"
# What Netron and the like show anyway, or what only machines read.
_MACHINE = {"inputs", "outputs", "source_sha256"}


def write(report, metadata, staging):
    """Writes the card of a whole report into its folder.

    Args:
        report: `ExportReport` of all that is in the folder.
        metadata: what the files of the last export say of themselves.
        staging: temporary folder on the same disk.
    """
    text = "\n\n".join(_sections(report, metadata)) + "\n"
    (staging / FILE).write_text(text, encoding="utf-8")
    os.replace(staging / FILE, report.folder / FILE)


def _sections(report, metadata):
    passed = [artefact for artefact in report.artefacts if artefact.passed]
    first = passed[0]
    yield "# Model card"
    yield _tensors("Input", first.inputs) + "\n" + _tensors("Output", first.outputs)
    facts = {key: value for key, value in metadata.items() if key not in _MACHINE and value}
    yield "\n".join(f"- {key.replace('_', ' ')}: {_text(value)}" for key, value in facts.items())
    yield "## How near to the Keras model"
    header, *rows = report.rows()
    yield "\n".join(map(_markdown, [header, ["---"] * len(header), *rows]))
    yield (
        "Largest error, and peak signal-to-noise ratio with the span of the Keras model's outputs "
        f"as the peak, over the same inputs. ms: median time of a call with a batch of "
        f"{first.latency['batch']} on {first.latency['threads']} CPU threads, when this was "
        "exported. `kgan verify .` in this folder repeats the comparison."
    )
    reasons = [f"- `{each.file}`: {each.reason}" for each in report.artefacts if each.reason]
    if reasons:
        yield "\n".join(reasons)
    yield "## How to run it"
    shapes = {tensor.name: tensor for tensor in first.inputs}
    for language, kind, code in (
        ("python", "onnx", _onnx),
        ("python", "tflite", _tflite),
        ("javascript", "onnx", _javascript),
    ):
        files = [artefact.file for artefact in passed if artefact.format == kind]
        if files:
            yield f"```{language}\n{code(files[0], first, shapes)}\n```"


def _tensors(side, tensors):
    return "\n".join(f"- {side}: `{tensor}`" for tensor in tensors)


def _text(value):
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _markdown(row):
    return "| " + " | ".join(row) + " |"


def _arrays(tensors, batch):
    return "\n".join(
        f'{each.name} = np.zeros({(batch, *each.shape)}, "{each.dtype}")' for each in tensors
    )


def _onnx(file, artefact, tensors):
    feed = ", ".join(f'"{name}": {name}' for name in tensors)
    return f"""# pip install numpy onnxruntime
import numpy as np, onnxruntime

session = onnxruntime.InferenceSession("{file}")
{_arrays(artefact.inputs, 1)}
outputs = session.run(None, {{{feed}}})  # one array each"""


def _tflite(file, artefact, tensors):
    feed = ", ".join(f"{name}={name}" for name in tensors)
    batch = artefact.batch_size or 1
    return f"""# pip install numpy ai-edge-litert
import numpy as np
from ai_edge_litert.interpreter import Interpreter

run = Interpreter("{file}").get_signature_runner("serving_default")
{_arrays(artefact.inputs, batch)}
outputs = run({feed})  # a dictionary of arrays by name"""


def _javascript(file, artefact, tensors):
    kinds = {"float32": "Float32Array", "int32": "Int32Array", "uint8": "Uint8Array"}
    lines = ["// npm install onnxruntime-web", 'import * as ort from "onnxruntime-web";', ""]
    lines.append(f'const session = await ort.InferenceSession.create("{file}");')
    for name, tensor in tensors.items():
        shape = [1, *tensor.shape]
        count = " * ".join(map(str, shape))
        array = f"new {kinds.get(tensor.dtype, 'BigInt64Array')}({count})"
        lines.append(f'const {name} = new ort.Tensor("{tensor.dtype}", {array}, {shape});')
    lines.append(f"const outputs = await session.run({{ {', '.join(tensors)} }});")
    return "\n".join(lines)
