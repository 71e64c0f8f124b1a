"""The exponential moving average of a network's weights, kept as a network of its own."""

import keras
from keras import ops


def average_of(network):
    """Returns a network that starts as a copy and is never trained itself."""
    average = type(network).from_config(network.get_config())
    average.set_weights(network.get_weights())
    average.trainable = False
    return average


def update(networks, averages, decay, step):
    """Moves each average towards its network: a <- decay a + (1 - decay) w.

    The batch statistics are averaged like the weights they belong to, so that they describe the
    averaged network and not the last one. In the first steps the decay is smaller, (1 + step) /
    (10 + step), or the average would remember the untrained weights.

    Args:
        networks, averages: equally long sequences of networks.
        decay: in (0, 1).
        step: how many updates the networks have had, a scalar tensor.
    """
    step = ops.cast(step, "float32")
    rate = 1 - ops.minimum(decay, (1 + step) / (10 + step))
    for network, average in zip(networks, averages, strict=True):
        for weight, mean in zip(network.weights, average.weights, strict=True):
            if keras.backend.is_float_dtype(mean.dtype):
                mean.assign(mean + ops.cast(rate, mean.dtype) * (weight - mean))
            else:
                mean.assign(weight)
