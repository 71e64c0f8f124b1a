"""Layers of Keras by other programs for XLA, one function a kind of layer."""

import functools

import jax
from keras import layers, ops


def find(layer):
    """Returns a function that takes what `layer.call` takes, or None."""
    function = NATIVE.get(type(layer))
    return function and functools.partial(function, layer)


def transposed_convolution(layer, x):
    """With the gradient of the kernel as that of the adjoint, an ordinary convolution.

    As JAX derives it, it convolves a map spread out by the strides with a window as large as a
    map, for which XLA on a CPU has no fast program.
    """

    def convolve(x, kernel):
        return ops.conv_transpose(
            x,
            kernel,
            list(layer.strides),
            layer.padding,
            layer.output_padding,
            layer.data_format,
            layer.dilation_rate,
        )

    x = _by_adjoint(convolve, x, ops.convert_to_tensor(layer.kernel))
    if layer.use_bias:
        x = x + ops.convert_to_tensor(layer.bias)
    return x if layer.activation is None else layer.activation(x)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _by_adjoint(convolve, x, kernel):
    return convolve(x, kernel)


def _forward(convolve, x, kernel):
    return convolve(x, kernel), (x, kernel)


def _backward(convolve, inputs, cotangent):
    x, kernel = inputs

    def adjoint(kernel):
        _, pullback = jax.vjp(lambda x: convolve(x, kernel), x)
        return pullback(cotangent)[0]

    # What is linear in x, <convolve(x, kernel), cotangent>, is <x, adjoint(kernel)>.
    gradient, pullback = jax.vjp(adjoint, kernel)
    return gradient, *pullback(x)


_by_adjoint.defvjp(_forward, _backward)

NATIVE = {
    layers.Conv1DTranspose: transposed_convolution,
    layers.Conv2DTranspose: transposed_convolution,
    layers.Conv3DTranspose: transposed_convolution,
}
