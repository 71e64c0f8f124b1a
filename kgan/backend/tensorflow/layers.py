"""Layers of Keras by fused kernels of TensorFlow, one function a kind of layer."""

import functools

import tensorflow as tf
from keras import layers, ops

import kgan.layers as kgan_layers  # not of `kgan`, which would load all in the middle of this
from kgan.backend.tensorflow.instance_normalization import normalize


def find(layer):
    """Returns a function that takes what `layer.call` takes, or None."""
    function = NATIVE.get(type(layer))
    return function and functools.partial(function, layer)


def batch_normalization(layer, x, training=None, mask=None):
    """Statistics, scale and shift in one pass, of images."""
    by_keras = functools.partial(type(layer).call, layer, x, training=training, mask=mask)
    last = layer.axis in (-1, 3)
    if mask is not None or layer.renorm or layer.synchronized or len(x.shape) != 4 or not last:
        return by_keras()
    if not (training and layer.trainable):
        return by_keras()
    channels = x.shape[-1:]
    gamma = ops.convert_to_tensor(layer.gamma) if layer.scale else tf.ones(channels)
    beta = ops.convert_to_tensor(layer.beta) if layer.center else tf.zeros(channels)
    y, mean, variance = tf.compat.v1.nn.fused_batch_norm(
        x, gamma, beta, epsilon=layer.epsilon, is_training=True
    )
    # TensorFlow's variance divides by n - 1 and Keras's by n.
    count = tf.cast(tf.size(x) // channels[0], "float32")
    variance *= (count - 1) / count
    for variable, statistic in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
        variable.assign(variable * layer.momentum + statistic * (1.0 - layer.momentum))
    return y


def instance_normalization(layer, x):
    weights = (None if each is None else each.value for each in (layer.gamma, layer.beta))
    return normalize(x, *weights, layer.epsilon)


NATIVE = {
    layers.BatchNormalization: batch_normalization,
    kgan_layers.InstanceNormalization: instance_normalization,
}
