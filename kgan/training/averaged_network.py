"""The exponential moving average of a network's weights, as a separate network."""

import keras
from keras import ops


def average_of(network):
    """Returns a copy of a network that holds averaged weights and is never trained.

    Layers are rebuilt from their configuration, without a lookup by name; one that cannot be
    rebuilt, such as a `Lambda`, is called with averaged weights instead of its own.
    """
    try:
        average = keras.models.clone_model(network, clone_function=_again, recursive=True)
        average.set_weights(network.get_weights())
    except (TypeError, ValueError, NotImplementedError):  # one that is not made of layers
        average = AveragedLayer(network)
    average.trainable = False
    return average


def _again(layer):
    if not isinstance(layer, keras.Layer):
        return layer  # an operation, which has no weights
    if isinstance(layer, keras.layers.Lambda):
        return AveragedLayer(layer)
    try:
        return type(layer).from_config(layer.get_config())
    except Exception:  # whatever an own layer raises where it cannot be made again
        return AveragedLayer(layer)


class AveragedLayer(keras.Model):
    """Calls another layer or network with different weights.

    Args:
        layer: a built layer. It is not owned: neither tracked nor saved here.
    """

    def __init__(self, layer):
        super().__init__(name=layer.name, dtype=layer.dtype_policy)
        # Past Keras's own __setattr__, which would take its weights for some of this layer.
        vars(self)["_layer"] = lambda: layer
        for weight in layer.weights:
            # As it is: whether it is cast in mixed precision, the layer's own variable knows.
            options = {"trainable": False, "autocast": False}
            self.add_weight(weight.shape, "zeros", weight.dtype, **options).assign(weight)
        self.built = True

    def call(self, inputs, *arguments, **options):
        layer = self._layer()
        mapped = {id(weight): own for weight, own in zip(layer.weights, self.weights, strict=True)}
        # All of its variables, since a scope does not fall through to the one around it.
        values = [(each, mapped.get(id(each), each).value) for each in layer.variables]
        with keras.StatelessScope(state_mapping=values):
            return layer(inputs, *arguments, **options)


def update(networks, averages, decay, step):
    """Moves each average towards its network: a <- decay a + (1 - decay) w.

    Batch statistics are averaged like weights, so that they describe the averaged network and not
    the last one. In the first steps the decay is smaller, (1 + step) /
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
