"""The TFLite format: builtin operators only, a fixed batch size, metadata inside."""

import json
import re
import tempfile
from pathlib import Path

import numpy as np

from kgan.export import formats
from kgan.export import metadata as metadata_
from kgan.export.formats.examples import feed, quoted
from kgan.export.signature import TensorSpec, in_order
from kgan.export.untrusted import seal
from kgan.export.untrusted.schema import parse

NAME = "tflite"
TITLE = "TFLite"
SUFFIX = ".tflite"
PACKAGES = ("tensorflow", "ai_edge_litert")
PRECISIONS = formats.PRECISIONS
# What `benchmarks/export_layers.py` found.
LACKING = {
    *("AveragePooling3D", "MaxPooling3D"),
    *("Arcsinh", "Arctan", "Cosh", "Erf", "Sinh", "Tan"),
    *("Cumprod", "Erfinv", "FFT", "FFT2", "Inv"),
}
SEAL = b"kgan sha256 "  # behind what readers of TFLite read
METADATA = "kgan"
# What a model whose variables were not frozen has. LiteRT runs it, and answers NaN.
_VARIABLES = {"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"}


def convert(model, spec, path, precision, options, metadata):
    """Writes a rebuilt model as TFLite. Runs in the child process, under TensorFlow.

    Args:
        model: Keras model, functional or Sequential.
        spec: `ModelSpec` to keep exactly.
        path: file to write.
        precision: "float32"; "float16" for the weights; "dynamic_range" for int8 weights and
            arithmetic that quantises as it goes; "int8" for int8 throughout between a float32
            input and output; "int8_io" for int8 there too.
        options: dictionary with `batch_size` and, for int8, `calibration`, an `.npz` of inputs.
        metadata: dictionary of JSON-able values for the file's metadata buffer.
    """
    import tensorflow as tf

    from kgan.export.convert import serving

    with tempfile.TemporaryDirectory(dir=Path(path).parent) as folder:
        serving.save(model, spec, folder, options["batch_size"])
        # By way of a SavedModel, since that freezes the variables and keeps the names.
        converter = tf.lite.TFLiteConverter.from_saved_model(
            folder, signature_keys=[serving.SIGNATURE]
        )
        operators = tf.lite.OpsSet.TFLITE_BUILTINS
        if precision != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if precision.startswith("int8"):
            operators = tf.lite.OpsSet.TFLITE_BUILTINS_INT8
            converter.representative_dataset = lambda: _batches(spec, options)
        if precision == "int8_io":
            converter.inference_input_type = converter.inference_output_type = tf.int8
        converter.target_spec.supported_ops = [operators]
        content = _converted(converter)
    metadata = {**metadata, "batch_size": options["batch_size"], **_scales(content), **seal.MARK}
    Path(path).write_bytes(_finished(content, metadata))
    seal.put(path)


def load(path, threads=None):
    """A TFLite file as a `Runner`, with LiteRT alone."""
    return Runner(path, threads)


class Runner:
    """Runs a TFLite file: dictionary of NumPy arrays in, dictionary of NumPy arrays out.

    Batches of another size than the file's are cut and filled up. Where the file takes or gives
    int8, float32 is quantised and dequantised here.

    Attributes:
        inputs, outputs: tuples of `TensorSpec` as the signature declares them.
        metadata: the dictionary written into the file.
        batch_size: the one the file was made for.
    """

    def __init__(self, path, threads=None):
        from ai_edge_litert.interpreter import Interpreter

        content = Path(path).read_bytes()
        self.metadata = metadata_.check(_metadata(content))
        self._interpreter = Interpreter(model_content=content, num_threads=threads)
        self._interpreter.allocate_tensors()
        signature = self._interpreter.get_signature_runner("serving_default")
        self._inputs, self._outputs = signature.get_input_details(), signature.get_output_details()
        self.inputs, self.outputs = (
            in_order(_declared(details), self.metadata.get(side, []))
            for side, details in (("inputs", self._inputs), ("outputs", self._outputs))
        )
        self.batch_size = int(next(iter(self._inputs.values()))["shape"][0])

    def __call__(self, inputs):
        count = len(next(iter(inputs.values())))
        parts = []
        for start in range(0, count, self.batch_size):
            rows = np.arange(start, start + self.batch_size) % count
            parts.append(self._run({name: array[rows] for name, array in inputs.items()}))
        return {name: np.concatenate([p[name] for p in parts])[:count] for name in parts[0]}

    def _run(self, inputs):
        for name, details in self._inputs.items():
            self._interpreter.set_tensor(details["index"], _quantised(inputs[name], details))
        self._interpreter.invoke()
        answers = {}
        for tensor in self.outputs:
            details = self._outputs[tensor.name]
            value = self._interpreter.get_tensor(details["index"])
            answers[tensor.name] = _dequantised(value, details)
        return answers


def _converted(converter):
    try:
        return converter.convert()
    except Exception as error:  # the converter's own, of many pages
        lacking = sorted(set(re.findall(r"'tf\.(\w+)' op is neither a custom op", str(error))))
        if not lacking:
            raise
        raise ValueError(
            f"TFLite has no builtin operator for TensorFlow's {', '.join(lacking)}. Export to ONNX "
            "or as a SavedModel, or compute it with other operations of keras.ops."
        ) from error


def _batches(spec, options):
    with np.load(options["calibration"], allow_pickle=False) as file:
        arrays = {tensor.name: file[f"arr_{i}"] for i, tensor in enumerate(spec.inputs)}
    size, count = options["batch_size"], len(next(iter(arrays.values())))
    for start in range(0, max(count - size, 0) + 1, size):
        rows = np.arange(start, start + size) % count
        yield {name: array[rows] for name, array in arrays.items()}


def _scales(content):
    """How a file means the int8 it takes or gives: float = (int8 - zero point) * scale."""
    from ai_edge_litert.interpreter import Interpreter

    signature = Interpreter(model_content=content).get_signature_runner("serving_default")
    tensors = signature.get_input_details() | signature.get_output_details()
    scales = {
        name: {"scale": float(scale), "zero_point": int(zero)}
        for name, details in tensors.items()
        if _is_quantised(details)
        for scale, zero in [details["quantization"]]
    }
    return {"int8": scales} if scales else {}


def _declared(details):
    return [
        TensorSpec(
            name,
            tuple(map(int, each["shape"][1:])),
            "float32" if _is_quantised(each) else np.dtype(each["dtype"]).name,
        )
        for name, each in details.items()
    ]


def _is_quantised(details):
    return details["dtype"] == np.int8 and details["quantization"][0] > 0


def _quantised(array, details):
    if not _is_quantised(details):
        return array
    scale, zero = details["quantization"]
    return np.clip(np.round(array / scale) + zero, -128, 127).astype(np.int8)


def _dequantised(array, details):
    if not _is_quantised(details):
        return array
    scale, zero = details["quantization"]
    return (array.astype(np.float32) - zero) * np.float32(scale)


def _finished(content, metadata):
    """The file's bytes with the metadata added, once it is sure that variables were frozen."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    class Aligned(flatbuffers.Builder):
        """Aligns the weights to 16 bytes, as TFLite's schema asks and flatbuffers' Python not."""

        def CreateNumpyVector(self, array):  # noqa: N802, flatbuffers' name
            self.StartVector(array.itemsize, array.size, 16)
            self.head -= array.nbytes
            self.Bytes[self.head : self.head + array.nbytes] = array.tobytes()
            return self.EndVector()

    model = schema.ModelT.InitFromPackedBuf(content)
    names = {code: name for name, code in vars(schema.BuiltinOperator).items()}
    used = {names[code.builtinCode] for code in model.operatorCodes}
    if used & (_VARIABLES | {"CUSTOM"}):
        raise ValueError(f"The file has operators that LiteRT cannot run. Received: {sorted(used)}")
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(json.dumps(metadata, sort_keys=True).encode(), np.uint8)
    entry.name, entry.buffer = METADATA, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*(model.metadata or []), entry]
    builder = Aligned(len(content) + 65536)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _metadata(content):
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(content)
    for index in range(model.MetadataLength()):
        if model.Metadata(index).Name() == METADATA.encode():
            data = model.Buffers(model.Metadata(index).Buffer()).DataAsNumpy()
            return parse(data.tobytes())
    return {}


def _python(artefact):
    start = f"""# pip install numpy ai-edge-litert
import numpy as np
from ai_edge_litert.interpreter import Interpreter

run = Interpreter({quoted(artefact.file)}).get_signature_runner("serving_default")
{feed(artefact)}"""
    if not artefact.metadata.get("int8"):
        return f"{start}\noutputs = run(**inputs)  # a dictionary of arrays by name"
    return f"""{start}
for name, tensor in run.get_input_details().items():
    if tensor["dtype"] == np.int8:
        scale, zero = tensor["quantization"]
        inputs[name] = np.clip(np.round(inputs[name] / scale) + zero, -128, 127).astype("int8")
outputs = run(**inputs)
for name, tensor in run.get_output_details().items():
    if tensor["dtype"] == np.int8:
        scale, zero = tensor["quantization"]
        outputs[name] = (outputs[name].astype("float32") - zero) * scale"""


EXAMPLES = {"python": _python}
