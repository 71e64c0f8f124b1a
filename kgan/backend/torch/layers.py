"""Layers of Keras by native calls of PyTorch, one function a kind of layer.

Keras computes in NHWC and PyTorch's convolutions want NCHW. Seen with its axes in that order, an
NHWC tensor is what PyTorch calls `channels_last`, and no number has to move. Most functions here
take and give maps seen so; the variables of a layer stay as Keras has them.
"""

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from keras import activations, layers
from torch.nn import functional

import kgan.layers as kgan_layers  # not of `kgan`, which would load all in the middle of this
from kgan.backend.torch.convolution import conv2d, conv_transpose2d
from kgan.backend.torch.instance_normalization import normalize
from kgan.backend.torch.state import in_stateless_scope

FIRST, LAST, ANY = "channels first", "channels last", "channels anywhere"


class Native(NamedTuple):
    """The native call of a layer.

    Attributes:
        function: takes what `layer.call` takes, and gives what it gives.
        layout: where the channels of its inputs and outputs are.
        fresh: whether the result may be overwritten: no gradient needs it, and it is no view.
        in_place: the same function, overwriting its input; None if there is none.
    """

    function: Callable
    layout: str = LAST
    fresh: bool = False
    in_place: Callable | None = None

    def as_call(self):
        """The function with its channels last, as Keras calls a layer."""
        if self.layout is not FIRST:
            return self.function

        @functools.wraps(self.function)
        def call(x, *arguments, **options):
            return channels_last(self.function(channels_first(x), *arguments, **options))

        return call


def channels_first(x):
    return x.movedim(-1, 1)


def channels_last(x):
    return x.movedim(1, -1)


def find(layer):
    """Returns the `Native` of a layer, or None."""
    kind = type(layer)
    if kind in NATIVE:
        return NATIVE[kind](layer)
    if kind in PLAIN:
        return Native(functools.partial(kind.call, layer))
    return None


def dense(layer):
    def call(x, training=None):
        return activate(functional.linear(x, layer.kernel.value.t(), bias(layer)))

    activate = activation_of(layer)
    return Native(call, fresh=activate is unchanged)


def convolution(layer):
    """`Conv`, `DepthwiseConv` and `SeparableConv` of one to three dimensions."""
    if layer.padding == "causal":
        return None
    convolve = CONVOLUTIONS[layer.rank]
    activate = activation_of(layer)
    depthwise = hasattr(layer, "depth_multiplier")
    separable = hasattr(layer, "pointwise_kernel")

    def call(x):
        if depthwise:
            kernel = layer.depthwise_kernel if separable else layer.kernel
            kernel, groups = depthwise_kernel(kernel.value), x.shape[1]
        else:
            kernel = channels_first_kernel(layer.kernel.value)
            groups = x.shape[1] // kernel.shape[1]
            if len(kernel) == len(x) == 1:
                # For one image and one filter PyTorch may take a way that wants a plain kernel, and
                # it cannot tell by the strides of a single filter that this one is none.
                kernel = kernel.contiguous()
        padding = (0,) * layer.rank
        if layer.padding == "same":
            settings = layer.kernel_size, layer.strides, layer.dilation_rate
            padding, uneven = same_padding(x.shape[2:], *settings)
            if uneven:
                x = functional.pad(x, uneven)
        last = None if separable else bias(layer)
        x = convolve(x, kernel, last, layer.strides, padding, layer.dilation_rate, groups)
        if separable:
            x = convolve(x, channels_first_kernel(layer.pointwise_kernel.value), bias(layer))
        return activate(x)

    return Native(call, FIRST, fresh=activate is unchanged)


@functools.cache
def same_padding(sizes, widths, strides, dilations):
    """The padding with which sizes are divided by the strides alone, and what of it is uneven."""
    even, uneven = [], []
    for size, width, stride, dilation in zip(sizes, widths, strides, dilations, strict=True):
        extent = (width - 1) * dilation + 1
        total = max((-(-size // stride) - 1) * stride + extent - size, 0)
        even.append(total // 2)
        uneven = [total // 2, total - total // 2, *uneven]
    if uneven[::2] == uneven[1::2]:
        return tuple(even), None
    return (0,) * len(even), tuple(uneven)


def transposed_convolution(layer):
    """PyTorch takes off as much on both sides, or less at the end; the rest must be a slice."""
    settings = layer.kernel_size, layer.strides, layer.dilation_rate
    size = max(layer.kernel_size)  # any: what Keras takes off does not depend on it
    shape = (None, *[size] * layer.rank, layer.kernel.shape[-1])
    wanted = layer.compute_output_shape(shape)[1:-1]
    paddings, added, slices = [], [], [slice(None), slice(None)]
    for target, width, stride, dilation in zip(wanted, *settings, strict=True):
        extent = (width - 1) * dilation + 1
        crop = (size - 1) * stride + extent - target
        left = 0
        if layer.padding == "same":
            left = extent - 1 - min(math.ceil((2 * (extent - 1) - crop) / 2), extent - 1)
        right = crop - left
        padding = left if left - right < max(stride, dilation) else right
        if padding < 0:
            return None
        paddings.append(padding)
        added.append(max(padding - right, 0))
        slices.append(slice(left - padding, -(right - padding) if right > padding else None))
    sliced = any(each not in (slice(None), slice(0, None)) for each in slices)
    convolve = TRANSPOSED_CONVOLUTIONS[layer.rank]
    activate = activation_of(layer)

    def call(x):
        kernel = channels_first_kernel(layer.kernel.value)
        stride, dilation = layer.strides, layer.dilation_rate
        y = convolve(x, kernel, bias(layer), stride, paddings, added, 1, dilation)
        return activate(y[tuple(slices)] if sliced else y)

    return Native(call, FIRST, fresh=not sliced and activate is unchanged)


def batch_normalization(layer):
    if layer.renorm or layer.axis not in (-1, layer.input_spec.ndim - 1):
        return None

    def call(x, training=None, mask=None):
        channels = x.shape[1]
        count = x.numel() // channels
        if mask is not None or count < 2:
            y = type(layer).call(layer, channels_last(x), training=training, mask=mask)
            return channels_first(y)
        moving = layer.moving_mean.value, layer.moving_variance.value
        train = bool(training and layer.trainable)
        # With a momentum of one PyTorch's moving statistics are those of the batch.
        batch = [x.new_zeros(channels, dtype=torch.float32) for _ in moving] if train else moving
        weights = value(layer.gamma), value(layer.beta)
        native = torch.backends.cudnn.enabled
        y = torch.batch_norm(x, *weights, *batch, train, 1.0, layer.epsilon, native)
        if train:
            old, new = layer.momentum, 1.0 - layer.momentum
            # PyTorch's variance divides by n - 1 and Keras's by n.
            factors = new, new * (count - 1) / count
            if in_stateless_scope():
                pairs = zip((layer.moving_mean, layer.moving_variance), batch, factors, strict=True)
                for variable, statistic, factor in pairs:
                    variable.assign(variable.value * old + statistic * factor)
            else:
                for statistic, new_one, factor in zip(moving, batch, factors, strict=True):
                    statistic.mul_(old).add_(new_one, alpha=factor)
        return y

    return Native(call, FIRST, fresh=True)


def conditional_batch_normalization(layer):
    normalise = find(layer.norm)
    if normalise is None:
        return None

    def call(inputs, training=False):
        x, labels = inputs
        labels = labels.long()
        x = normalise.function(channels_first(x), training)
        shape = (len(labels), -1, *[1] * (x.dim() - 2))
        gamma, beta = (
            functional.embedding(labels, weight.value).view(shape).to(x.dtype)
            for weight in (layer.gamma, layer.beta)
        )
        return channels_last(torch.addcmul(beta, x, gamma))

    return Native(call)


def instance_normalization(layer):
    def call(x):
        return normalize(x, value(layer.gamma), value(layer.beta), layer.epsilon)

    return Native(call, FIRST, fresh=True)


def reflection_padding(layer):
    rows, columns = layer.padding
    return Native(lambda x: functional.pad(x, (columns, columns, rows, rows), "reflect"), FIRST)


def pooling(layer):
    if layer.padding != "valid":
        return None
    rank = len(layer.pool_size)
    pool = POOLINGS[layer.pool_mode][rank]
    return Native(lambda x: pool(x, layer.pool_size, layer.strides), FIRST)


def up_sampling(layer):
    if layer.interpolation != "nearest":
        return None
    factors = tuple(map(float, layer.size))
    return Native(lambda x: functional.interpolate(x, scale_factor=factors), FIRST, fresh=True)


def embedding(layer):
    def call(x):
        return functional.embedding(x.long(), layer.embeddings.value)

    return None if layer.mask_zero else Native(call)


def activation(layer):
    function, in_place = ACTIVATIONS.get(layer.activation, (layer.activation, None))
    return Native(function, ANY, in_place=in_place)


def relu(layer):
    if layer.negative_slope or layer.threshold or layer.max_value is not None:
        return Native(functools.partial(type(layer).call, layer), ANY)
    return Native(torch.relu, ANY, in_place=torch.relu_)


def leaky_relu(layer):
    slope = float(layer.negative_slope)

    def call(x):
        return functional.leaky_relu(x, slope)

    def in_place(x):
        return functional.leaky_relu_(x, slope)

    # From its result alone a gradient can be had only where the slope keeps the sign.
    return Native(call, ANY, in_place=in_place if slope > 0 else None)


def activation_of(layer):
    """The activation that a layer has besides, which may overwrite what the layer has made."""
    function = layer.activation
    if function in (None, activations.linear):
        return unchanged
    function, in_place = ACTIVATIONS.get(function, (function, None))
    return in_place or function


def unchanged(x):
    return x


def channels_first_kernel(kernel):
    """Height, width, in, out (of a transposed convolution out, in) as PyTorch has them."""
    return kernel.movedim((-1, -2), (0, 1))


def depthwise_kernel(kernel):
    *sizes, channels, multiplier = kernel.shape
    return kernel.movedim((-2, -1), (0, 1)).reshape(channels * multiplier, 1, *sizes)


def bias(layer):
    return layer.bias.value if layer.use_bias else None


def value(variable):
    return None if variable is None else variable.value


CONVOLUTIONS = {1: torch.conv1d, 2: conv2d, 3: torch.conv3d}
TRANSPOSED_CONVOLUTIONS = {
    1: torch.conv_transpose1d,
    2: conv_transpose2d,
    3: torch.conv_transpose3d,
}
POOLINGS = {
    "max": {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d},
    "average": {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d},
}
ACTIVATIONS = {
    activations.linear: (unchanged, None),
    activations.relu: (torch.relu, torch.relu_),
    activations.sigmoid: (torch.sigmoid, torch.sigmoid_),
    activations.silu: (functional.silu, None),
    activations.softplus: (functional.softplus, None),
    activations.tanh: (torch.tanh, torch.tanh_),
}

NATIVE = {
    layers.Activation: activation,
    layers.AveragePooling1D: pooling,
    layers.AveragePooling2D: pooling,
    layers.AveragePooling3D: pooling,
    layers.BatchNormalization: batch_normalization,
    layers.Conv1D: convolution,
    layers.Conv1DTranspose: transposed_convolution,
    layers.Conv2D: convolution,
    layers.Conv2DTranspose: transposed_convolution,
    layers.Conv3D: convolution,
    layers.Conv3DTranspose: transposed_convolution,
    layers.Dense: dense,
    layers.DepthwiseConv1D: convolution,
    layers.DepthwiseConv2D: convolution,
    layers.Embedding: embedding,
    layers.LeakyReLU: leaky_relu,
    layers.MaxPooling1D: pooling,
    layers.MaxPooling2D: pooling,
    layers.MaxPooling3D: pooling,
    layers.ReLU: relu,
    kgan_layers.ConditionalBatchNormalization: conditional_batch_normalization,
    kgan_layers.InstanceNormalization: instance_normalization,
    kgan_layers.ReflectionPadding2D: reflection_padding,
    layers.SeparableConv1D: convolution,
    layers.SeparableConv2D: convolution,
    layers.UpSampling2D: up_sampling,
}
"""Kinds of layers and the functions that find their native call. A subclass may do anything in its
own `call`, so a kind is the very class."""

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
    layers.LayerNormalization,
    layers.Maximum,
    layers.Minimum,
    layers.Multiply,
    layers.PReLU,
    layers.Permute,
    layers.RMSNormalization,
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
"""Layers whose own `call` is fast already: left out is only what Keras does around it."""
