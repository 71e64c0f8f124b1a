"""The signature of an exported file: the names, shapes and dtypes of its tensors.

Every format is written from a `ModelSpec` and judged against it, so the promise is made once.
"""

import re
from dataclasses import dataclass
from typing import Any, Self

from kgan.export.errors import PreflightError

BATCH = "batch"
DTYPES = ("float32", "int32", "int64", "uint8", "bool")


@dataclass(frozen=True)
class TensorSpec:
    """One named tensor. `shape` is without the batch axis, which is always first and dynamic."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"

    def __str__(self):
        axes = ", ".join([BATCH, *("?" if size is None else str(size) for size in self.shape)])
        return f"{self.name} ({axes}) {self.dtype}"

    @classmethod
    def from_json(cls, entry: Any) -> Self:
        """Builds a tensor from its entry in a report or a message.

        Raises:
            ValueError: the entry is not valid.
        """
        if not isinstance(entry, dict) or set(entry) != {"name", "shape", "dtype"}:
            raise ValueError(f"a tensor has name, shape and dtype, unlike {str(entry)[:80]!r}")
        name, shape, dtype = entry["name"], entry["shape"], entry["dtype"]
        sizes = isinstance(shape, (list, tuple)) and len(shape) < 32
        sizes = sizes and all(size is None or (type(size) is int and size >= 0) for size in shape)
        texts = all(isinstance(text, str) and text.isprintable() for text in (name, dtype))
        if not texts or not sizes:
            raise ValueError(f"no tensor is {str(entry)[:200]!r}")
        return cls(name, tuple(shape), dtype)


@dataclass(frozen=True)
class ModelSpec:
    """All inputs and outputs of a model, in the order of its arguments and results."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    @classmethod
    def from_json(cls, entry: Any) -> Self:
        return cls(
            tuple(map(TensorSpec.from_json, entry["inputs"])),
            tuple(map(TensorSpec.from_json, entry["outputs"])),
        )


def model_spec(model, input_names=None, output_names=None):
    """The spec of a functional or Sequential Keras model.

    Args:
        model: the model; `model.inputs` and `model.outputs` give shapes and dtypes.
        input_names: one name an input, in the order of `model.inputs`. Default: the names of the
            model's input layers, made safe for every format.
        output_names: the same for the outputs. Default: the keys of a dictionary of outputs, or
            the names of the layers they come from.

    Returns:
        A `ModelSpec`.

    Raises:
        ValueError: the names are too few, too many, repeated, or not plain identifiers.
        PreflightError: a size or a dtype that an artefact cannot have.
    """
    inputs = [_tensor_spec("input", tensor) for tensor in model.inputs]
    outputs = [_tensor_spec("output", tensor) for tensor in model.outputs]
    for tensor in inputs:
        if None in tensor.shape:
            raise PreflightError(
                "Only the batch size may be left open: artefacts need every other size. Build the "
                "model with a full shape, such as keras.Input((64, 64, 3)). "
                f"Received: input '{tensor.name}' of shape {(None, *tensor.shape)}"
            )
    taken = set()
    inputs = _named("input", inputs, input_names, _input_names(model), taken)
    outputs = _named("output", outputs, output_names, _output_names(model), taken)
    return ModelSpec(inputs, outputs)


def in_order(tensors, promised):
    """Tensors that a file keeps by name alone, in the order of the `promised` entries.

    Args:
        tensors: iterable of `TensorSpec`.
        promised: list of dictionaries with `name`, from the file's metadata.
    """
    order = {entry["name"]: index for index, entry in enumerate(promised)}
    return tuple(sorted(tensors, key=lambda each: (order.get(each.name, len(order)), each.name)))


def _tensor_spec(side, tensor):
    if not tensor.shape or tensor.shape[0] is not None:
        raise PreflightError(
            f"Every {side} needs a first axis for the batch, of open size (None). "
            f"Received: {side} '{tensor.name}' of shape {tuple(tensor.shape)}"
        )
    if tensor.dtype not in DTYPES:
        raise PreflightError(
            f"An {side} must have one of the dtypes {', '.join(DTYPES)}. "
            f"Received: {side} '{tensor.name}' of dtype {tensor.dtype}"
        )
    return TensorSpec(tensor.name, tuple(tensor.shape[1:]), tensor.dtype)


def _input_names(model):
    # The tensor itself has the layer's name only where the user gave one.
    return [tensor._keras_history.operation.name for tensor in model.inputs]


def _output_names(model):
    # A Sequential model has neither `output_names` nor, until it is called, `output`.
    if not hasattr(model, "output_names"):
        return [model.layers[-1].name]
    if isinstance(model.output, dict):
        return sorted(model.output)  # the order in which keras.tree.flatten takes them
    return list(model.output_names)


def _named(side, tensors, names, defaults, taken):
    if names is None:
        names = [_unique(_safe(name), taken) for name in defaults]
    else:
        names = list(names) if isinstance(names, (list, tuple)) else [names]
        _check_names(side, names, len(tensors), taken)
    taken.update(names)
    pairs = zip(names, tensors, strict=True)
    return tuple(TensorSpec(name, tensor.shape, tensor.dtype) for name, tensor in pairs)


def _check_names(side, names, count, taken):
    if len(names) != count:
        raise ValueError(
            f"The model has {count} {side}(s), so give {count} name(s). "
            f"Received: {side}_names={names}"
        )
    for name in names:
        if not isinstance(name, str) or _safe(name) != name:
            raise ValueError(
                "A tensor name is made of letters, digits and underscores and starts with a "
                f"letter. Received: {side}_names={names}"
            )
    if len(set(names)) != len(names) or taken & set(names):
        raise ValueError(
            "Every input and output needs a name of its own: ONNX has one namespace for both. "
            f"Received: {side}_names={names}" + (f", inputs {sorted(taken)}" if taken else "")
        )


def _safe(name):
    name = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return name if re.match(r"[A-Za-z]", name) else f"t{name}"


def _unique(name, taken):
    candidate, count = name, 1
    while candidate in taken:
        candidate, count = f"{name}_{count}", count + 1
    taken.add(candidate)
    return candidate
