"""TensorFlow: variables are stateful and a tape records the calls."""

import keras
import tensorflow as tf


def step(method):
    """Keras's TensorFlow trainer already calls steps as `method(self, data)`."""
    return method


def vjp(model, function, *, variables=(), inputs=()):
    """Calls `function(*inputs)` and returns its outputs with their pullback."""
    sources = [variable.value for variable in variables], list(inputs)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(sources)
        outputs = function(*inputs)

    def pullback(cotangents):
        return tape.gradient(
            keras.tree.flatten(outputs),
            sources,
            output_gradients=keras.tree.flatten(cotangents),
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )

    return outputs, pullback


def input_gradient(model, function, x):
    """Returns the gradient of `sum(function(x))` for `x`, itself differentiable."""
    with keras.StatelessScope(), tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        outputs = function(x)
    return tape.gradient(outputs, x)


def update(optimizer, gradients, variables):
    """Lets the optimizer change the variables."""
    optimizer.apply(gradients, variables)


def dry_run(model, function):
    """Runs `function()` for the errors and names it shows, without keeping any state it changes."""
    with keras.StatelessScope():
        function()


def sync(model):
    """Nothing to do: the variables always hold their values."""
