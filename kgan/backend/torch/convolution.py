"""Convolutions whose kernel gradient is one matrix product where that is the faster way.

The gradient of a kernel needs the patches of one map and the positions of the other. PyTorch's
libraries for processors are slow where the positions are few, as in the innermost layers of a DCGAN
or a U-Net: there it pays to write the patches out and to multiply once, in bfloat16 more than in
float32 (`benchmarks/kernel_gradient.py`).
"""

import torch
from torch.nn import functional

from kgan.backend.native import private

will_run = private("torch._C", "_will_engine_execute_node")

MOST_POSITIONS = {torch.float32: 1, torch.bfloat16: 8}
"""How many positions for each filter the product is still clearly faster for."""


def conv2d(x, kernel, bias=None, strides=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """`torch.conv2d`; the strides, the padding and the dilation are tuples."""
    positions = len(x)
    for axis in (0, 1):
        size = x.shape[axis + 2] + 2 * padding[axis]
        positions *= (size - kernel.shape[axis + 2]) // strides[axis] + 1
    if groups == 1 and dilation == (1, 1) and _few(positions, kernel):
        return _Convolution.apply(x, kernel, bias, strides, padding)
    return torch.conv2d(x, kernel, bias, strides, padding, dilation, groups)


def conv_transpose2d(x, kernel, bias, strides, padding, added, groups=1, dilation=(1, 1)):
    """`torch.conv_transpose2d`; the strides, the padding and the dilation are tuples."""
    if groups == 1 and dilation == (1, 1) and _few(x.numel() // x.shape[1], kernel):
        return _TransposedConvolution.apply(x, kernel, bias, strides, padding, added)
    return torch.conv_transpose2d(x, kernel, bias, strides, padding, added, groups, dilation)


def _few(positions, kernel):
    """Whether a kernel has few positions for its filters: its gradient is then one product."""
    most = MOST_POSITIONS.get(kernel.dtype, 0) * len(kernel)
    return positions <= most and kernel.requires_grad and kernel.is_cpu


def _wants_kernel(ctx):
    """Whether this pass wants the gradient of the kernel: one player's leaves out the other's."""
    node, _ = ctx.next_functions[1]
    if not ctx.needs_input_grad[1] or will_run is None or hasattr(node, "variable"):
        return ctx.needs_input_grad[1]  # of a leaf PyTorch does not tell
    return will_run(node)


class _Convolution(torch.autograd.Function):
    """The gradients are made of operations that have gradients themselves, for the penalties."""

    @staticmethod
    def forward(ctx, x, kernel, bias, strides, padding):
        ctx.save_for_backward(x, kernel)
        ctx.strides, ctx.padding = strides, padding
        return torch.conv2d(x, kernel, bias, strides, padding)

    @staticmethod
    def backward(ctx, gradient):
        x, kernel = ctx.saved_tensors
        of_x = of_kernel = of_bias = None
        if ctx.needs_input_grad[0]:
            sizes = x.shape[2:], gradient.shape[2:], kernel.shape[2:], ctx.strides, ctx.padding
            added = [
                size - ((positions - 1) * stride - 2 * padding + width)
                for size, positions, width, stride, padding in zip(*sizes, strict=True)
            ]
            of_x = torch.conv_transpose2d(gradient, kernel, None, ctx.strides, ctx.padding, added)
        if _wants_kernel(ctx):
            of_kernel = kernel_gradient(x, gradient, kernel, ctx.strides, ctx.padding)
        if ctx.needs_input_grad[2]:
            of_bias = gradient.sum((0, 2, 3))
        return of_x, of_kernel, of_bias, None, None


class _TransposedConvolution(torch.autograd.Function):
    """What is a convolution's gradient is the adjoint's call, and the other way round."""

    @staticmethod
    def forward(ctx, x, kernel, bias, strides, padding, added):
        ctx.save_for_backward(x, kernel)
        ctx.strides, ctx.padding = strides, padding
        return torch.conv_transpose2d(x, kernel, bias, strides, padding, added)

    @staticmethod
    def backward(ctx, gradient):
        x, kernel = ctx.saved_tensors
        of_x = of_kernel = of_bias = None
        if ctx.needs_input_grad[0]:
            of_x = torch.conv2d(gradient, kernel, None, ctx.strides, ctx.padding)
        if _wants_kernel(ctx):
            of_kernel = kernel_gradient(gradient, x, kernel, ctx.strides, ctx.padding)
        if ctx.needs_input_grad[2]:
            of_bias = gradient.sum((0, 2, 3))
        return of_x, of_kernel, of_bias, None, None, None


def kernel_gradient(padded, positions, kernel, strides, padding):
    """The gradient of a kernel from its patches.

    Args:
        padded: the map that is padded and cut into patches, `(batch, channels, height, width)`.
        positions: the map with a position for each patch, `(batch, filters, rows, columns)`.
        kernel: `(filters, channels, height, width)`; its values are not needed.
        strides, padding: those of the convolution from `padded` to `positions`.
    """
    filters, channels, *sizes = kernel.shape
    rows, columns = padding
    x = functional.pad(padded.movedim(1, -1), (0, 0, columns, columns, rows, rows))
    for axis in (0, 1):
        x = x.unfold(axis + 1, sizes[axis], strides[axis])
    count = positions.shape[2:]
    x = x[:, : count[0], : count[1]].movedim(3, -1)  # batch, position, patch, channels
    patches = x.reshape(positions.numel() // filters, -1)
    gradient = positions.movedim(1, -1).reshape(-1, filters).t() @ patches
    return gradient.view(filters, *sizes, channels).movedim(-1, 1)
