"""The value range of a network's output, from its last activation."""

import math
import re

import keras

RANGES = {
    "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "relu": (0.0, math.inf),
    "relu6": (0.0, 6.0),
    "softplus": (0.0, math.inf),
    "exponential": (0.0, math.inf),
    "log_sigmoid": (-math.inf, 0.0),
    "log_softmax": (-math.inf, 0.0),
}
"""The ranges of activations, by Keras's names; of others an output can be anything."""

# What changes the places of values, or takes means of them: the range stays.
PLACES = re.compile(
    "reshape|flatten|ravel|squeeze|expand_dims|transpose|permute|moveaxis|swapaxes|repeat_vector|"
    "get_item|identity|cast|mean|max|min|activation|dropout|(spatial_)?dropout_?[123]?_?d?|"
    r"(global_)?(average|max)_pool(ing)?_?[123]?_?d?|up_?sampling_?[123]_?d|cropping_?[123]_?d"
)


def value_range(network):
    """Returns `(low, high)`, which may be infinite, or None where the output can be anything."""
    return RANGES.get(last_activation(network)[0])


def shown(images, network):
    """Returns images in the range of a network, rescaled to [-1, 1] for pictures.

    Args:
        images: an array.
        network: whose range is stretched where it is another one, such as [0, 1] of a sigmoid.
    """
    low, high = value_range(network) or (-1.0, 1.0)
    if (low, high) == (-1.0, 1.0) or math.isinf(high - low):
        return images
    return (images - low) * (2 / (high - low)) - 1


def last_activation(network, output=0):
    """Finds the last activation of a network, past operations that only move values.

    Args:
        network: a Keras model. The inside of one that is not a graph is not seen, but for its last
            layer.
        output: the index of one of several outputs.

    Returns:
        `(name, operation)`: Keras's name of the activation and what has it, or `(None, None)`.
    """
    outputs = keras.tree.flatten(getattr(network, "outputs", None) or [])
    if not outputs:
        layers = getattr(network, "layers", None)
        return _found(layers[-1] if layers else network)
    tensor = outputs[output]
    while (history := getattr(tensor, "_keras_history", None)) is not None:
        operation = history.operation
        if isinstance(operation, keras.Model):
            return last_activation(operation, history.tensor_index)
        name, found = _found(operation)
        if name:
            return name, found
        nodes = getattr(operation, "_inbound_nodes", ())
        inputs = nodes[history.node_index].input_tensors if nodes else ()
        if len(inputs) != 1 or not PLACES.fullmatch(_snake(operation)):
            break
        tensor = inputs[0]
    return None, None


def _found(operation):
    """The activation of a layer or of an operation that is one."""
    layer = operation.layer if isinstance(operation, keras.layers.Wrapper) else operation
    name = getattr(getattr(layer, "activation", None), "__name__", None)
    if name not in RANGES:
        name = {"re_lu": "relu"}.get(_snake(layer), _snake(layer))
        if getattr(layer, "negative_slope", 0):
            name = None
    return (name, operation) if name in RANGES else (None, None)


def _snake(operation):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(operation).__name__).lower()
