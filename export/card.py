"""The model card of a bundle: what is in it, how to run it, and how near to Keras it is."""

FILE = "model_card.md"
# What Netron and the like show anyway, or what only machines read.
_MACHINE = {"inputs", "outputs", "source_sha256"}


def text(report, metadata):
    """The card of a whole report.

    Args:
        report: `ExportReport` of all that is in the folder.
        metadata: what the files of the last export say of themselves.
    """
    return "\n\n".join(_sections(report, metadata)) + "\n"


def _sections(report, metadata):
    passed = [artefact for artefact in report.artefacts if artefact.passed]
    first = passed[0]
    yield "# Model card"
    yield _tensors("Input", first.inputs) + "\n" + _tensors("Output", first.outputs)
    facts = {key: value for key, value in metadata.items() if key not in _MACHINE and value}
    yield "\n".join(f"- {key.replace('_', ' ')}: {_text(value)}" for key, value in facts.items())
    others = [each for each in passed if each.source_sha256 != metadata["source_sha256"]]
    if others:
        names = ", ".join(f"`{each.file}`" for each in others)
        yield f"These are the facts of the last export; of another model or training are {names}."
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
    for language, kind, code in (
        ("python", "onnx", _onnx),
        ("python", "tflite", _tflite),
        ("javascript", "onnx", _javascript),
        ("python", "saved_model", _saved_model),
    ):
        # A file with int8 at its ends wants quantised values, which the others show better.
        those = [each for each in passed if each.format == kind and each.precision != "int8_io"]
        if those:
            yield f"```{language}\n{code(those[0])}\n```"


def _tensors(side, tensors):
    return "\n".join(f"- {side}: `{tensor}`" for tensor in tensors)


def _text(value):
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _markdown(row):
    return "| " + " | ".join(row) + " |"


def _feed(artefact):
    lines = [
        f'    "{each.name}": np.zeros({(artefact.batch_size or 1, *each.shape)}, "{each.dtype}"),'
        for each in artefact.inputs
    ]
    return "\n".join(["inputs = {", *lines, "}"])


def _onnx(artefact):
    return f"""# pip install numpy onnxruntime
import numpy as np, onnxruntime

session = onnxruntime.InferenceSession("{artefact.file}")
{_feed(artefact)}
outputs = session.run(None, inputs)  # one array each"""


def _tflite(artefact):
    return f"""# pip install numpy ai-edge-litert
import numpy as np
from ai_edge_litert.interpreter import Interpreter

run = Interpreter("{artefact.file}").get_signature_runner("serving_default")
{_feed(artefact)}
outputs = run(**inputs)  # a dictionary of arrays by name"""


def _saved_model(artefact):
    return f"""# pip install tensorflow
import numpy as np, tensorflow as tf

run = tf.saved_model.load("{artefact.file}").signatures["serving_default"]
{_feed(artefact)}
outputs = run(**{{name: tf.constant(array) for name, array in inputs.items()}})"""


def _javascript(artefact):
    kinds = {
        "float32": "Float32Array",
        "int32": "Int32Array",
        "uint8": "Uint8Array",
        "bool": "Uint8Array",
    }
    lines = ["// npm install onnxruntime-web", 'import * as ort from "onnxruntime-web";', ""]
    lines.append(f'const session = await ort.InferenceSession.create("{artefact.file}");')
    lines.append("const inputs = {")
    for tensor in artefact.inputs:
        shape = [1, *tensor.shape]
        count = " * ".join(map(str, shape))
        array = f"new {kinds.get(tensor.dtype, 'BigInt64Array')}({count})"
        lines.append(f'  "{tensor.name}": new ort.Tensor("{tensor.dtype}", {array}, {shape}),')
    lines += ["};", "const outputs = await session.run(inputs);"]
    return "\n".join(lines)
