"""Keras's Adam by TensorFlow's kernel: one pass over a variable in place of ten."""

import contextlib
import functools

import keras
import tensorflow as tf

from kgan.backend.native import enabled


@contextlib.contextmanager
def fused(optimizer):
    """A context in which an optimizer that is Keras's Adam updates a variable in one pass.

    Only the arithmetic is replaced: clipping, weight decay, loss scale, accumulation, averages and
    constraints stay with Keras, around it. On several devices it is left alone: their threads share
    the optimizer, and one would take away what another is using.
    """
    adam = getattr(optimizer, "inner_optimizer", optimizer)
    several = tf.distribute.get_strategy().num_replicas_in_sync > 1
    if several or type(adam) is not keras.optimizers.Adam or adam.amsgrad or not enabled():
        yield
        return
    vars(adam)["update_step"] = functools.partial(_update, adam)
    try:
        yield
    finally:
        del vars(adam)["update_step"]


def _update(adam, gradient, variable, learning_rate):
    index = adam._get_variable_index(variable)
    moments = adam._momentums[index].value, adam._velocities[index].value
    step = tf.cast(adam.iterations.value + 1, variable.dtype)
    beta_1, beta_2 = (tf.cast(beta, variable.dtype) for beta in (adam.beta_1, adam.beta_2))
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=moments[0].handle,
        v=moments[1].handle,
        beta1_power=tf.pow(beta_1, step),
        beta2_power=tf.pow(beta_2, step),
        lr=tf.cast(learning_rate, variable.dtype),
        beta1=beta_1,
        beta2=beta_2,
        epsilon=tf.cast(adam.epsilon, variable.dtype),
        grad=gradient,
    )
