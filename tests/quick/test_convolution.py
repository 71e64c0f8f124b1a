"""The kernel gradient as one matrix product, beside PyTorch's own."""

import numpy as np
import pytest
import torch

from kgan.backend.torch import convolution

DRAWS = [(transposed, draw) for transposed in (False, True) for draw in range(8)]


def drawn(transposed, seed):
    """Returns our call and PyTorch's, and their arguments, float64."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    batch, channels, filters = rng.integers(1, 4, 3)
    height, width = rng.integers(4, 7, 2)
    sizes, strides, padding = (
        tuple(int(size) for size in rng.integers(*bounds, 2)) for bounds in ((1, 5), (1, 4), (0, 2))
    )
    padding = tuple(min(each, (size - 1) // 2) for each, size in zip(padding, sizes, strict=True))
    shape = (channels, filters, *sizes) if transposed else (filters, channels, *sizes)
    bias = torch.randn(filters) if rng.integers(2) else None
    tensors = [torch.randn(batch, channels, height, width), torch.randn(shape), bias]
    tensors = [each if each is None else each.double().requires_grad_() for each in tensors]
    if transposed:
        added = tuple(int(rng.integers(stride)) for stride in strides)
        options = (strides, padding, added)
        return convolution.conv_transpose2d, torch.conv_transpose2d, tensors, options
    return convolution.conv2d, torch.conv2d, tensors, (strides, padding)


@pytest.mark.parametrize(("transposed", "draw"), DRAWS)
def test_gradients_and_second_derivatives(transposed, draw, monkeypatch):
    monkeypatch.setitem(convolution.MOST_POSITIONS, torch.float64, 10**9)
    call, native, tensors, options = drawn(transposed, draw)
    wanted = native(*tensors, *options)
    y = call(*tensors, *options)
    assert "Convolution" in y.grad_fn.name() and "Convolution" not in wanted.grad_fn.name()[:5]
    torch.testing.assert_close(y, wanted, rtol=0, atol=0)

    def function(*given):
        return call(*given, *options)

    assert torch.autograd.gradcheck(function, tensors)
    assert torch.autograd.gradgradcheck(function, tensors)


def test_many_positions_a_filter_are_left_to_pytorch():
    x, kernel = torch.randn(2, 3, 32, 32), torch.randn(4, 3, 3, 3, requires_grad=True)
    assert "_Convolution" not in convolution.conv2d(x, kernel).grad_fn.name()
    assert "_Convolution" in convolution.conv2d(x[:1, :, :4, :4], kernel).grad_fn.name()


def test_nobody_waits_for_a_gradient_that_is_not_wanted(monkeypatch):
    calls = []
    ours = convolution.kernel_gradient
    monkeypatch.setattr(
        convolution, "kernel_gradient", lambda *given: calls.append(0) or ours(*given)
    )
    x = torch.randn(1, 3, 4, 4, requires_grad=True)
    variable = torch.randn(3, 3, 3, 8, requires_grad=True)
    y = convolution.conv2d(x, variable.movedim((-1, -2), (0, 1))).sum()
    torch.autograd.grad(y, x, retain_graph=True)
    assert not calls
    torch.autograd.grad(y, variable)
    assert calls
