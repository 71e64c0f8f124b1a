"""Layers of convolutions by native calls of PyTorch."""

import functools
import math

import torch
from torch.nn import functional

from kgan.backend.torch.activations import activation_of, unchanged
from kgan.backend.torch.convolution import conv2d, conv_transpose2d
from kgan.backend.torch.native_layer import FIRST, Native, bias


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


def channels_first_kernel(kernel):
    """Height, width, in, out (of a transposed convolution out, in) as PyTorch has them."""
    return kernel.movedim((-1, -2), (0, 1))


def depthwise_kernel(kernel):
    *sizes, channels, multiplier = kernel.shape
    return kernel.movedim((-2, -1), (0, 1)).reshape(channels * multiplier, 1, *sizes)


CONVOLUTIONS = {1: torch.conv1d, 2: conv2d, 3: torch.conv3d}
TRANSPOSED_CONVOLUTIONS = {
    1: torch.conv_transpose1d,
    2: conv_transpose2d,
    3: torch.conv_transpose3d,
}
