"""The ONNX format: a dynamic batch axis, exact names, metadata inside, checked by onnx itself.

tf2onnx 1.17 needs no patch for numpy 2: what broke before (`np.object`, `np.cast`) is gone from
it, and the one call left (`np.product`) is only reached with `large_model=True`, unused here.
"""

import json

import numpy as np

from kgan.export import metadata as metadata_
from kgan.export.formats.examples import feed, quoted
from kgan.export.signature import BATCH, TensorSpec
from kgan.export.untrusted import schema, seal

NAME = "onnx"
TITLE = "ONNX"
SUFFIX = ".onnx"
PACKAGES = ("tensorflow", "tf2onnx", "onnx", "onnxruntime")
PRECISIONS = ("float32", "float16")
# What `benchmarks/export_layers.py` found.
LACKING = {"Cumprod", "Discretization", "Erfinv", "FFT", "FFT2", "Inv"}
# Field 14 of ONNX's ModelProto, an entry of a key and a value, as protobuf writes it.
SEAL = (
    bytes([0x72, len(seal.KEY) + 4 + seal.DIGITS, 0x0A, len(seal.KEY)])
    + seal.KEY.encode()
    + bytes([0x12, seal.DIGITS])
)


def convert(model, spec, path, precision, options, metadata):
    """Writes a rebuilt model as ONNX. Runs in the child process, under TensorFlow.

    Args:
        model: Keras model, functional or Sequential.
        spec: `ModelSpec` to keep exactly.
        path: file to write.
        precision: "float32", or "float16" for weights and arithmetic; inputs and outputs stay
            float32.
        options: dictionary with `opset` and `name`.
        metadata: dictionary of JSON-able values for the file's `metadata_props`.
    """
    import onnx
    import tensorflow as tf
    import tf2onnx

    from kgan.export.convert import serving
    from kgan.export.formats import onnx_operators

    serve, signature = serving.function(model, spec)
    # tf2onnx cannot see into what Keras compiles with XLA, such as grouped convolutions; so said,
    # TensorFlow writes the functions that `serve` calls out into its graph.
    tf.config.run_functions_eagerly(True)
    try:
        proto, _ = tf2onnx.convert.from_function(
            serve, signature, opset=options["opset"], custom_op_handlers=onnx_operators.HANDLERS
        )
    finally:
        tf.config.run_functions_eagerly(False)
    _check_operators(proto)
    _embed_constants(proto.graph, serve.get_concrete_function(*signature))
    _pad_outputs(proto.graph)
    _promise(proto.graph.input, spec.inputs)
    _promise(proto.graph.output, spec.outputs)
    # tf2onnx's own intermediate shapes name the batch `unk__12`; drop them and infer afresh.
    del proto.graph.value_info[:]
    proto = onnx.shape_inference.infer_shapes(proto, strict_mode=True, data_prop=True)
    if precision == "float16":
        proto = _to_float16(proto)
    proto.producer_name = "kgan"
    proto.producer_version = metadata["kgan_version"]
    proto.graph.name = options["name"]
    onnx.helper.set_model_props(
        proto, {key: _text(value) for key, value in (metadata | seal.MARK).items()}
    )
    onnx.checker.check_model(proto, full_check=True)
    onnx.save(proto, path)
    seal.put(path)


def load(path, threads=None):
    """An ONNX file as a `Runner`, on the CPU, with onnxruntime alone."""
    return Runner(path, threads)


class Runner:
    """Runs an ONNX file: dictionary of NumPy arrays in, dictionary of NumPy arrays out.

    Attributes:
        inputs, outputs: tuples of `TensorSpec` as the file declares them.
        metadata: the dictionary written into the file.
        batch_size: None, any.
    """

    batch_size = None

    def __init__(self, path, threads=None):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self.inputs = tuple(map(_declared, self._session.get_inputs()))
        self.outputs = tuple(map(_declared, self._session.get_outputs()))
        about = self._session.get_modelmeta()
        properties = {**about.custom_metadata_map}
        properties.pop(seal.KEY, None)
        if about.producer_name == "kgan" and not properties:
            raise ValueError("its metadata is missing")
        metadata = {key: _value(text) for key, text in properties.items()}
        self.metadata = metadata_.check(metadata)

    def __call__(self, inputs):
        names = [tensor.name for tensor in self.outputs]
        return dict(zip(names, self._session.run(names, inputs), strict=True))


def _check_operators(proto):
    """Raises a ValueError when operators of TensorFlow are left: tf2onnx only logs that."""
    import onnx

    version = next(each.version for each in proto.opset_import if not each.domain)
    unknown = [
        node
        for node in proto.graph.node
        if not node.domain and not onnx.defs.has(node.op_type, max_inclusive_version=version)
    ]
    if unknown:
        kinds = ", ".join(sorted({node.op_type for node in unknown}))
        raise ValueError(
            f"ONNX has no operator for TensorFlow's {kinds} in opset {version}. "
            "Export to TFLite or as a SavedModel, or compute it with other operations of "
            f"keras.ops. Received: {', '.join(node.name for node in unknown)}"
        )


def _embed_constants(graph, function):
    """Stores tensors that a layer keeps beside its weights, which tf2onnx makes inputs."""
    import onnx

    kept = {inner.name: outer for outer, inner in function.graph.captures}
    for value in [value for value in graph.input if value.name in kept]:
        graph.initializer.append(onnx.numpy_helper.from_array(kept[value.name].numpy(), value.name))
        graph.input.remove(value)
    _drop_unused(graph)  # the converter may have computed with some of them already


def _pad_outputs(graph):
    """A transposed convolution with a kernel below its stride leaves room behind each output.

    tf2onnx writes that as negative padding, which ONNX does not allow.
    """
    import onnx

    for node in graph.node:
        attributes = {attribute.name: attribute for attribute in node.attribute}
        pads = attributes["pads"].ints if "pads" in attributes else ()
        if node.op_type == "ConvTranspose" and min(pads, default=0) < 0:
            half = len(pads) // 2
            room = [-(pads[i] + pads[half + i]) for i in range(half)]
            pads[:] = [0] * len(pads)
            node.attribute.append(onnx.helper.make_attribute("output_padding", room))


def _drop_unused(graph):
    """Drops what nothing takes; onnxruntime would warn of it."""
    used = {*_used(graph), *(value.name for value in graph.output)}
    idle = [node for node in graph.node if not used.intersection(node.output)]
    for node in idle:
        graph.node.remove(node)
    for value in [value for value in graph.initializer if value.name not in used]:
        graph.initializer.remove(value)
    if idle:
        _drop_unused(graph)


def _used(graph):
    """The names of all tensors that nodes take, those inside loops and branches too."""
    for node in graph.node:
        yield from node.input
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _used(inner)


def _to_float16(proto):
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    proto = convert_float_to_float16(proto, keep_io_types=True, force_fp16_initializers=True)
    # Resizing to a size has an empty region and empty scales beside it. Made float16, or behind a
    # cast, neither ONNX nor onnxruntime knows them for empty.
    sized = [node for node in proto.graph.node if node.op_type == "Resize" and len(node.input) == 4]
    for node in sized:
        node.input[1] = node.input[2] = "nothing"
    if sized:
        nothing = onnx.numpy_helper.from_array(np.zeros(0, "float32"), "nothing")
        proto.graph.initializer.append(nothing)
    _drop_unused(proto.graph)
    OnnxModel.graph_topological_sort(proto.graph)  # it leaves the casts of inputs at the end
    del proto.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(proto, strict_mode=True, data_prop=True)


def _promise(values, tensors):
    """Puts graph inputs or outputs in the spec's order, with the spec's sizes."""
    by_name = {value.name: value for value in values}
    names = [tensor.name for tensor in tensors]
    if sorted(by_name) != sorted(names):
        raise ValueError(f"The graph has {sorted(by_name)} where {names} was asked for.")
    ordered = [by_name[name] for name in names]
    for value, tensor in zip(ordered, tensors, strict=True):
        shape = value.type.tensor_type.shape
        del shape.dim[:]
        shape.dim.add().dim_param = BATCH
        for axis, size in enumerate(tensor.shape, start=1):
            if size is None:
                shape.dim.add().dim_param = f"{tensor.name}_{axis}"
            else:
                shape.dim.add().dim_value = size
    copies = [type(value).FromString(value.SerializeToString()) for value in ordered]
    del values[:]
    values.extend(copies)


def _declared(node):
    kind = node.type.removeprefix("tensor(").removesuffix(")")
    dtype = np.dtype({"float": "float32", "double": "float64"}.get(kind, kind)).name
    sizes = tuple(size if isinstance(size, int) else None for size in node.shape[1:])
    return TensorSpec(node.name, sizes, dtype)


def _text(value):
    """Text as it is, so that any viewer shows it plainly, unless it would be read as JSON."""
    if isinstance(value, str) and _value(value) == value:
        return value
    return json.dumps(value, sort_keys=True)


def _value(text):
    try:
        return schema.parse(text)
    except ValueError:
        return text


def _python(artefact):
    return f"""# pip install numpy onnxruntime
import numpy as np, onnxruntime

session = onnxruntime.InferenceSession({quoted(artefact.file)})
{feed(artefact)}
outputs = session.run(None, inputs)  # one array each"""


def _javascript(artefact):
    kinds = {
        "float32": "Float32Array",
        "int32": "Int32Array",
        "uint8": "Uint8Array",
        "bool": "Uint8Array",
    }
    lines = ["// npm install onnxruntime-web", 'import * as ort from "onnxruntime-web";', ""]
    file = quoted(artefact.file)
    lines.append(f"const session = await ort.InferenceSession.create({file});")
    lines.append("const inputs = {")
    for tensor in artefact.inputs:
        shape = [1, *tensor.shape]
        count = " * ".join(map(str, shape))
        array = f"new {kinds.get(tensor.dtype, 'BigInt64Array')}({count})"
        name, dtype = quoted(tensor.name), quoted(tensor.dtype)
        lines.append(f"  {name}: new ort.Tensor({dtype}, {array}, {shape}),")
    lines += ["};", "const outputs = await session.run(inputs);"]
    return "\n".join(lines)


EXAMPLES = {"python": _python, "javascript": _javascript}
