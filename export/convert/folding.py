"""Batch normalisation at inference is a factor and a shift: they go into the layer before it.

Converters do this for some layers only, and tf2onnx not behind a transposed convolution. A dense
layer over an image becomes the convolution that it is.
"""

import numpy as np


def fold(model):
    """A model that computes the same with fewer layers; the layers that stay are shared with it.

    A `BatchNormalization` over the last axis disappears where its input comes straight from a
    dense or convolutional layer without activation that nothing else uses. Nested models are
    folded too. A norm behind the `Reshape` of a dense layer stays: it would need a bias for each
    pixel, which makes int8 files larger.

    Args:
        model: functional or Sequential Keras model in float32, on any backend.

    Returns:
        A functional model, or the model itself where it is of a class of the user's own.
    """
    import keras

    if type(model) is keras.Sequential:
        graph = keras.Model(model.inputs[0], model.outputs[0])
    elif type(model) is _functional():
        graph = model
    else:
        return model  # it has a `call` of its own
    merged, gone = {}, set()
    for norm in graph.layers:
        before = _foldable(norm, graph)
        if before is not None:
            merged[before] = _merged(before, norm)
            gone.add(norm)

    def clone(layer):
        new = fold(layer) if isinstance(layer, keras.Model) else merged.get(layer, layer)
        return _convolution(new, layer.input) if _is_pointwise(new, layer, graph) else new

    def call(layer, *args, **kwargs):
        return args[0] if layer in gone else layer(*args, **kwargs)

    return keras.models.clone_model(graph, clone_function=clone, call_function=call)


def _is_pointwise(new, layer, graph):
    """Whether it is a dense layer over images, once called."""
    import keras

    if type(new) is not keras.layers.Dense:
        return False
    return len(layer.input.shape) == 4 and len(_calls(layer, graph)) == 1


def _convolution(dense, image):
    """The 1x1 convolution that a dense layer is over an image.

    As matrix product it goes through a reshape, behind which tf2onnx no longer knows the height and
    width that a transposed convolution needs.
    """
    import keras

    new = keras.layers.Conv2D(
        dense.units,
        1,
        activation=dense.activation,
        use_bias=dense.use_bias,
        data_format="channels_last",
        name=dense.name,
    )
    new.build(image.shape)
    new.kernel.assign(keras.ops.reshape(dense.kernel, new.kernel.shape))
    if dense.use_bias:
        new.bias.assign(dense.bias)
    return new


def _functional():
    """Keras's class of functional models, which has no public name."""
    import keras

    nothing = keras.Input((1,))
    return type(keras.Model(nothing, nothing))


def _output_axis(layer):
    """The axis of the kernel that counts the layer's outputs; None for other layers."""
    import keras

    layers = keras.layers
    axes = {
        layers.Dense: -1,
        **dict.fromkeys((layers.Conv1D, layers.Conv2D, layers.Conv3D), -1),
        **dict.fromkeys((layers.Conv1DTranspose, layers.Conv2DTranspose), -2),
        layers.Conv3DTranspose: -2,
        # Its outputs are inputs times multiplier: both last axes, taken as one.
        **dict.fromkeys((layers.DepthwiseConv1D, layers.DepthwiseConv2D), (-2, -1)),
    }
    return axes.get(type(layer))


def _foldable(norm, graph):
    """The layer whose kernel can take in `norm`, or None."""
    import keras

    if type(norm) is not keras.layers.BatchNormalization or len(_calls(norm, graph)) != 1:
        return None
    (tensor,) = _calls(norm, graph)[0].input_tensors
    if norm.axis not in (-1, len(tensor.shape) - 1):
        return None
    layer = _source(tensor, graph)
    if layer is None or _output_axis(layer) is None or len(_calls(layer, graph)) != 1:
        return None
    if layer.activation is not keras.activations.linear:
        return None
    return layer if getattr(layer, "data_format", "channels_last") == "channels_last" else None


def _source(tensor, graph):
    """The layer a tensor comes from, if the tensor goes to one place only."""
    uses = sum(tensor is used for node in _nodes(graph) for used in node.input_tensors)
    return (
        tensor._keras_history.operation
        if uses == 1 and not any(tensor is output for output in graph.outputs)
        else None
    )


def _calls(layer, graph):
    """The calls of a layer in a graph; a Sequential model that was read has made others."""
    return [node for node in _nodes(graph) if node.operation is layer]


def _nodes(graph):
    return [node for nodes in graph._nodes_by_depth.values() for node in nodes]


def _merged(layer, norm):
    """The layer with the factor and shift of `norm` in its kernel and bias."""
    import keras

    def array(variable, default):
        if variable is None:
            return np.full(norm.moving_mean.shape, default)
        return keras.ops.convert_to_numpy(variable).astype("float64")

    factor = array(norm.gamma, 1.0) / np.sqrt(array(norm.moving_variance, 1.0) + norm.epsilon)
    shift = array(norm.beta, 0.0) - array(norm.moving_mean, 0.0) * factor
    config = {**layer.get_config(), "use_bias": True}
    new = type(layer).from_config(config)
    new.build(layer.input.shape)
    kernel, axis = keras.ops.convert_to_numpy(layer.kernel), _output_axis(layer)
    if isinstance(axis, tuple):
        new.kernel.assign(kernel * factor.reshape([kernel.shape[each] for each in axis]))
    else:
        new.kernel.assign(kernel * np.expand_dims(factor, tuple(range(-1, axis, -1))))
    bias = keras.ops.convert_to_numpy(layer.bias) * factor if layer.use_bias else 0.0
    new.bias.assign(bias + shift)
    return new
