"""The ONNX format: a dynamic batch axis, exact names, metadata inside, checked by onnx itself.

tf2onnx 1.17 needs no patch for numpy 2: what broke before (`np.object`, `np.cast`) is gone from
it, and the one call left (`np.product`) is only reached with `large_model=True`, unused here.
"""

import json

import numpy as np

from kgan.export.spec import BATCH, TensorSpec

NAME = "onnx"
SUFFIX = ".onnx"
PACKAGES = ("tensorflow", "tf2onnx", "onnx", "onnxruntime")


def filename(precision):
    """The file's name in a bundle."""
    return "model.onnx" if precision == "float32" else f"model_{precision}.onnx"


def convert(model, spec, path, options, metadata):
    """Writes a rebuilt model as ONNX. Runs in the child process, under TensorFlow.

    Args:
        model: callable of a flat list of tensors, returning a flat list of tensors, in inference.
        spec: `ModelSpec` to keep exactly.
        path: file to write.
        options: dictionary with `opset`.
        metadata: dictionary of JSON-able values for the file's `metadata_props`.
    """
    import onnx
    import tensorflow as tf
    import tf2onnx

    signature = [
        tf.TensorSpec((None, *tensor.shape), tensor.dtype, name=tensor.name)
        for tensor in spec.inputs
    ]

    @tf.function(input_signature=signature, autograph=False)
    def serve(*values):
        # The identity keeps two names apart when one tensor is given back twice.
        named = zip(spec.outputs, model(list(values)), strict=True)
        return {tensor.name: tf.identity(value) for tensor, value in named}

    proto, _ = tf2onnx.convert.from_function(serve, signature, opset=options["opset"])
    _promise(proto.graph.input, spec.inputs)
    _promise(proto.graph.output, spec.outputs)
    # tf2onnx's own intermediate shapes name the batch `unk__12`; drop them and infer afresh.
    del proto.graph.value_info[:]
    proto = onnx.shape_inference.infer_shapes(proto, strict_mode=True, data_prop=True)
    proto.producer_name = "kgan"
    proto.producer_version = metadata["kgan_version"]
    proto.graph.name = options["name"]
    onnx.helper.set_model_props(proto, {key: _text(value) for key, value in metadata.items()})
    onnx.checker.check_model(proto, full_check=True)
    onnx.save(proto, path)


def load(path):
    """An ONNX file as a `Runner`, on the CPU, with onnxruntime alone."""
    return Runner(path)


class Runner:
    """Runs an ONNX file: dictionary of NumPy arrays in, dictionary of NumPy arrays out.

    Attributes:
        inputs, outputs: tuples of `TensorSpec` as the file declares them.
    """

    def __init__(self, path):
        import onnxruntime

        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self.inputs = tuple(map(_declared, self._session.get_inputs()))
        self.outputs = tuple(map(_declared, self._session.get_outputs()))

    def __call__(self, inputs):
        names = [tensor.name for tensor in self.outputs]
        return dict(zip(names, self._session.run(names, inputs), strict=True))


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
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
