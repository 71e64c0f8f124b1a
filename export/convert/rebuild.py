"""A model on paper: its configuration in float32, from which parent and child build it alike.

Weights travel beside it in a `.weights.h5` file. Losses and optimizers stay at home: an artefact
only infers. Converters fail on float16 (or write float16 outputs), hence float32 throughout.
"""

import contextlib
import math
import os
import warnings

from kgan.export.errors import PreflightError
from kgan.export.preflight import layers

_NARROW = ("float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16")
_FLOAT32_POLICY = {
    "module": "keras",
    "class_name": "DTypePolicy",
    "config": {"name": "float32"},
    "registered_name": None,
}


def as_functional(model):
    """`model` itself if it is functional or Sequential, else a functional model around it.

    A subclassed model does not know its tensors; a functional wrapper does, and every later step
    then meets one kind of model.
    """
    import keras

    if getattr(model, "inputs", None) is not None:
        return model
    shapes = (model.get_build_config() or {}).get("input_shape")
    if shapes is None:
        raise PreflightError(
            f"The input shape of this {type(model).__name__} is not known, or it takes several "
            "arguments. Put it into a functional model: inputs = keras.Input(shape); "
            f"keras.Model(inputs, model(inputs)). Received: model={model}"
        )
    try:
        inputs = _symbolic(shapes)
        return keras.Model(inputs, model(inputs, training=False), name=model.name)
    except Exception as error:
        raise PreflightError(
            f"This {type(model).__name__} cannot be called on symbolic tensors, so it cannot be "
            f"traced. {type(error).__name__}: {error} Received: model={model}"
        ) from error


def call(model, values):
    """Runs a functional or Sequential model in inference on a flat list of its inputs."""
    import keras

    if isinstance(model, keras.Sequential):
        return model(values[0], training=False)
    return model(keras.tree.pack_sequence_as(model.input, values), training=False)


def describe(model):
    """The configuration of `model` in float32 as a JSON-able dictionary, and if that differs.

    Returns:
        A pair: the dictionary, and True when the model itself computes in another precision, so
        that its float32 twin must be built to say what the artefact should answer.

    Raises:
        PreflightError: a lambda is part of the model.
    """
    import keras

    with warnings.catch_warnings(), _not_compiled(model):
        # Keras warns of a lambda and writes its bytecode, which it later refuses to read.
        warnings.filterwarnings("error", message="The object being serialized includes a `lambda`")
        try:
            config = keras.saving.serialize_keras_object(model)
        except UserWarning as error:
            raise PreflightError(
                "A lambda cannot be rebuilt elsewhere. Write a named function, decorated with "
                "@keras.saving.register_keras_serializable(), in a module that can be imported. "
                f"Received: model={model}, {error}"
            ) from error
    float32 = _in_float32(config)
    return float32, float32 != config


def save_weights(model, path):
    """Writes the weights of a model to a `.weights.h5` file.

    Raises:
        OSError: it cannot be written, or the disk is full.
    """
    # HDF5 takes the whole process down with it when a disk fills up, so the room is proven first.
    values = sum(math.prod(weight.shape) * 4 for weight in model.weights)
    overhead = 65536 + 4096 * len(model.weights)
    with open(path, "wb") as file:
        file.write(bytes(values + overhead))
        file.flush()
        os.fsync(file.fileno())
    model.save_weights(path)


def build(config, weights, custom_objects=None):
    """Builds the model of a configuration and reads its weights from a `.weights.h5` file."""
    import keras

    with _default_float32():
        model = keras.saving.deserialize_keras_object(config, custom_objects=custom_objects)
    model.load_weights(weights)
    return model


def _symbolic(shapes, name="input"):
    """Inputs of these shapes, named by their keys or numbers: the same in every export."""
    import keras

    if isinstance(shapes, dict):
        return {key: _symbolic(shape, str(key)) for key, shape in shapes.items()}
    if all(size is None or isinstance(size, int) for size in shapes):
        return keras.Input(tuple(shapes)[1:], name=name)
    return [_symbolic(shape, f"{name}_{number}") for number, shape in enumerate(shapes, 1)]


def _in_float32(node, key=None):
    if isinstance(node, dict):
        if node.get("class_name") in ("DTypePolicy", "DTypePolicyMap"):
            return _FLOAT32_POLICY
        return {name: _in_float32(child, name) for name, child in node.items()}
    if isinstance(node, (list, tuple)):
        return type(node)(_in_float32(child) for child in node)
    return "float32" if key == "dtype" and node in _NARROW else node


@contextlib.contextmanager
def _not_compiled(model):
    """Losses and optimizers are not looked at: they stay at home, and may be lambdas."""
    import keras

    models = [layer for layer in layers(model) if isinstance(layer, keras.Model)]
    before = [each.compiled for each in models]
    try:
        for each in models:
            each.compiled = False
        yield
    finally:
        for each, compiled in zip(models, before, strict=True):
            each.compiled = compiled


@contextlib.contextmanager
def _default_float32():
    """Layers that ignore the dtype of their configuration take the default one; make it ours."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
