"""Layers of Keras by native calls of PyTorch, one function a kind of layer.

Keras computes in NHWC and PyTorch's convolutions want NCHW. Seen with its axes in that order, an
NHWC tensor is what PyTorch calls `channels_last`, and no number has to move.
"""

import functools

import keras
import torch
from keras import activations, layers
from torch.nn import functional


def find(layer):
    """Returns the native call of a layer, which takes what its `call` takes, or None."""
    kind = type(layer)
    if kind in PLAIN:
        return functools.partial(kind.call, layer)
    if kind in NATIVE:
        return functools.partial(NATIVE[kind], layer)
    return None


def dense(layer, x, training=None):
    return _activated(layer, functional.linear(x, layer.kernel.value.t(), _value(layer.bias)))


def convolution(layer, x):
    kernel = _channels_first_kernel(layer.kernel.value)
    if layer.padding == "causal":
        return type(layer).call(layer, x)
    groups = x.shape[-1] // kernel.shape[1]
    return _activated(layer, _convolve(layer, x, kernel, _bias(layer), groups=groups))


def depthwise_convolution(layer, x):
    kernel = _depthwise_kernel(layer.kernel.value)
    return _activated(layer, _convolve(layer, x, kernel, _bias(layer), groups=x.shape[-1]))


def separable_convolution(layer, x):
    if layer.padding == "causal":
        return type(layer).call(layer, x)
    kernel = _depthwise_kernel(layer.depthwise_kernel.value)
    x = _convolve(layer, x, kernel, groups=x.shape[-1])
    kernel = _channels_first_kernel(layer.pointwise_kernel.value)
    function = CONVOLUTIONS[layer.rank]
    return _activated(layer, _last(function(_first(x), kernel, _bias(layer))))


def transposed_convolution(layer, x):
    """PyTorch pads both sides alike and can only add to the end, so some crops need a slice."""
    kernel = _channels_first_kernel(layer.kernel.value)
    outputs = layer.compute_output_shape(x.shape)[1:-1]
    paddings, added, slices = [], [], [slice(None), slice(None)]
    for size, wanted, width, stride, rate in zip(
        x.shape[1:-1], outputs, layer.kernel_size, layer.strides, layer.dilation_rate, strict=True
    ):
        extent = (width - 1) * rate + 1
        crop = (size - 1) * stride + extent - wanted
        left = _left_crop(layer, extent, stride, crop)
        right = crop - left
        if left < 0:
            return type(layer).call(layer, x)
        if 0 <= left - right < max(stride, rate):
            paddings.append(left)
            added.append(left - right)
            slices.append(slice(None))
        elif right > left:
            paddings.append(left)
            added.append(0)
            slices.append(slice(0, wanted))
        else:
            return type(layer).call(layer, x)
    y = TRANSPOSED_CONVOLUTIONS[layer.rank](
        _first(x),
        kernel,
        _bias(layer),
        layer.strides,
        paddings,
        added,
        dilation=layer.dilation_rate,
    )
    return _activated(layer, _last(y[tuple(slices)]))


def _left_crop(layer, extent, stride, crop):
    """How many pixels Keras takes off before the first, of all that it takes off."""
    if layer.padding == "valid":
        return 0
    padded = 2 * (extent - 1) - crop
    return extent - 1 - min(padded // 2 + padded % 2, extent - 1)


def batch_normalization(layer, x, training=None, mask=None):
    axis = layer.axis % x.ndim
    count = x.numel() // x.shape[axis]
    if mask is not None or axis not in (1, x.ndim - 1) or layer.renorm or count < 2:
        return type(layer).call(layer, x, training=training, mask=mask)
    x = x.movedim(axis, 1)
    weights = _value(layer.gamma), _value(layer.beta)
    if not (training and layer.trainable):
        moving = layer.moving_mean.value, layer.moving_variance.value
        y = functional.batch_norm(x, *moving, *weights, training=False, eps=layer.epsilon)
        return y.movedim(1, axis).to(_dtype(layer))
    # With a momentum of one PyTorch's moving statistics are those of the batch.
    mean, variance = x.new_zeros((2, x.shape[1]), dtype=torch.float32)
    y = functional.batch_norm(
        x, mean, variance, *weights, training=True, momentum=1.0, eps=layer.epsilon
    )
    new, old = 1.0 - layer.momentum, layer.momentum
    layer.moving_mean.assign(layer.moving_mean.value * old + mean * new)
    # PyTorch's divides by n - 1 and Keras's by n.
    variance = variance * (new * (count - 1) / count)
    layer.moving_variance.assign(layer.moving_variance.value * old + variance)
    return y.movedim(1, axis).to(_dtype(layer))


def layer_normalization(layer, x):
    if layer.axis not in (-1, [-1], x.ndim - 1, [x.ndim - 1]):
        return type(layer).call(layer, x)
    y = functional.layer_norm(
        x, x.shape[-1:], _value(layer.gamma), _value(layer.beta), layer.epsilon
    )
    return y.to(_dtype(layer))


def relu(layer, x):
    if layer.negative_slope or layer.threshold or layer.max_value is not None:
        return type(layer).call(layer, x)
    return functional.relu(x)


def leaky_relu(layer, x):
    return functional.leaky_relu(x, float(layer.negative_slope))


def activation(layer, x):
    return _activated(layer, x)


def embedding(layer, x):
    y = functional.embedding(x.long(), layer.embeddings.value)
    return y.to(_dtype(layer))


def pooling(layer, x):
    if layer.padding != "valid":
        return type(layer).call(layer, x)
    function = POOLINGS[layer.pool_mode][len(layer.pool_size)]
    return _last(function(_first(x), layer.pool_size, layer.strides))


def up_sampling(layer, x):
    if layer.interpolation != "nearest":
        return type(layer).call(layer, x)
    factors = tuple(map(float, layer.size))
    return _last(functional.interpolate(_first(x), scale_factor=factors, mode="nearest"))


def _convolve(layer, x, kernel, bias=None, groups=1):
    x, padding = _first(x), 0
    if layer.padding == "same":
        sizes = zip(
            x.shape[2:], kernel.shape[2:], layer.strides, layer.dilation_rate, strict=True
        )
        pads = [_same(*each) for each in sizes]
        padding = [before for before, _ in pads]
        if any(before != after for before, after in pads):
            x, padding = functional.pad(x, sum(reversed(pads), ())), 0
    function = CONVOLUTIONS[layer.rank]
    return _last(function(x, kernel, bias, layer.strides, padding, layer.dilation_rate, groups))


@functools.cache
def _same(size, width, stride, dilation):
    """What Keras pads before and after, so that the size is divided by the stride alone."""
    extent = (width - 1) * dilation + 1
    total = max((-(-size // stride) - 1) * stride + extent - size, 0)
    return total // 2, total - total // 2


def _activated(layer, x):
    function = layer.activation
    if function is None or function is activations.linear:
        return x
    return ACTIVATIONS.get(function, function)(x)


def _first(x):
    return x.movedim(-1, 1)


def _last(x):
    return x.movedim(1, -1)


def _channels_first_kernel(kernel):
    """Height, width, in, out (of a transposed convolution out, in) as PyTorch has them."""
    return kernel.movedim((-1, -2), (0, 1))


def _depthwise_kernel(kernel):
    *sizes, channels, multiplier = kernel.shape
    return kernel.movedim((-2, -1), (0, 1)).reshape(channels * multiplier, 1, *sizes)


def _bias(layer):
    return layer.bias.value if layer.use_bias else None


def _value(variable):
    return None if variable is None else variable.value


def _dtype(layer):
    return getattr(torch, layer.compute_dtype)


CONVOLUTIONS = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
TRANSPOSED_CONVOLUTIONS = {
    1: functional.conv_transpose1d,
    2: functional.conv_transpose2d,
    3: functional.conv_transpose3d,
}
POOLINGS = {
    "max": {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d},
    "average": {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d},
}
ACTIVATIONS = {
    activations.relu: functional.relu,
    activations.tanh: torch.tanh,
    activations.sigmoid: torch.sigmoid,
    activations.softplus: functional.softplus,
    activations.silu: functional.silu,
}

NATIVE = {
    layers.Dense: dense,
    layers.Conv1D: convolution,
    layers.Conv2D: convolution,
    layers.Conv3D: convolution,
    layers.DepthwiseConv1D: depthwise_convolution,
    layers.DepthwiseConv2D: depthwise_convolution,
    layers.SeparableConv1D: separable_convolution,
    layers.SeparableConv2D: separable_convolution,
    layers.Conv1DTranspose: transposed_convolution,
    layers.Conv2DTranspose: transposed_convolution,
    layers.Conv3DTranspose: transposed_convolution,
    layers.BatchNormalization: batch_normalization,
    layers.LayerNormalization: layer_normalization,
    layers.ReLU: relu,
    layers.LeakyReLU: leaky_relu,
    layers.Activation: activation,
    layers.Embedding: embedding,
    layers.MaxPooling1D: pooling,
    layers.MaxPooling2D: pooling,
    layers.MaxPooling3D: pooling,
    layers.AveragePooling1D: pooling,
    layers.AveragePooling2D: pooling,
    layers.AveragePooling3D: pooling,
    layers.UpSampling2D: up_sampling,
}
"""Kinds of layers and the functions that stand in for their `call`. A subclass may do anything in
its own, so a kind is the very class."""

PLAIN = {
    layers.Add,
    layers.AlphaDropout,
    layers.Average,
    layers.Concatenate,
    layers.Cropping1D,
    layers.Cropping2D,
    layers.Cropping3D,
    layers.Dot,
    layers.Dropout,
    layers.ELU,
    layers.Flatten,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.GlobalAveragePooling1D,
    layers.GlobalAveragePooling2D,
    layers.GlobalAveragePooling3D,
    layers.GlobalMaxPooling1D,
    layers.GlobalMaxPooling2D,
    layers.GlobalMaxPooling3D,
    layers.GroupNormalization,
    layers.Identity,
    layers.Maximum,
    layers.Minimum,
    layers.Multiply,
    layers.PReLU,
    layers.Permute,
    layers.RepeatVector,
    layers.Rescaling,
    layers.Reshape,
    layers.Softmax,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.SpatialDropout3D,
    layers.Subtract,
    layers.UnitNormalization,
    layers.UpSampling1D,
    layers.UpSampling3D,
    layers.ZeroPadding1D,
    layers.ZeroPadding2D,
    layers.ZeroPadding3D,
}
"""Layers whose own `call` is fast already, so that only what Keras does around it is left out."""
