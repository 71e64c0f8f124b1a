"""Instance normalisation with its gradient in closed form, in fewer operations."""

import tensorflow as tf


def normalize(x, gamma, beta, epsilon):
    """Returns maps `(batch, ..., channels)` with mean 0 and variance 1, scaled and shifted.

    Args:
        x: float tensor; what is computed is at least float32.
        gamma, beta: `(channels,)`, or None.
        epsilon: added to the variance.
    """
    channels = x.shape[-1]
    wide = tf.cast(x, "float32") if x.dtype in (tf.float16, tf.bfloat16) else x
    scale = tf.ones(channels, wide.dtype) if gamma is None else tf.convert_to_tensor(gamma)
    shift = tf.zeros(channels, wide.dtype) if beta is None else tf.convert_to_tensor(beta)
    return tf.cast(_normalize(wide, scale, shift, epsilon), x.dtype)


def _normalize(x, gamma, beta, epsilon):
    @tf.custom_gradient
    def apply(x, gamma, beta):
        mean, factor = _statistics(x, epsilon)

        def gradient(dy):
            # From x anew, since these may be differentiated once more; TensorFlow merges what is
            # the same as in the forward pass.
            mean, factor = _statistics(x, epsilon)
            centred = x - mean
            mean_dy, product = _mean(dy), _mean(dy * centred)
            scale = factor * gamma
            dx = dy * scale - (centred * (scale * tf.square(factor) * product) + scale * mean_dy)
            count = tf.cast(tf.size(x) // (tf.shape(x)[0] * tf.shape(x)[-1]), x.dtype)
            axes = tuple(range(len(x.shape) - 1))
            dgamma = tf.reduce_sum(product * factor, axes) * count
            return dx, dgamma, tf.reduce_sum(mean_dy, axes) * count

        return (x - mean) * (factor * gamma) + beta, gradient

    return apply(x, gamma, beta)


def _statistics(x, epsilon):
    mean = _mean(x)
    return mean, tf.math.rsqrt(_mean(tf.square(x - mean)) + epsilon)


def _mean(x):
    """Axis by axis: a float32 sum over all pixels in one go loses many small squares."""
    for axis in range(1, len(x.shape) - 1):
        x = tf.reduce_mean(x, axis, keepdims=True)
    return x
