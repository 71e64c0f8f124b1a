"""Instance normalisation with its gradient in closed form, in fewer passes than autograd takes.

PyTorch's own `instance_norm` gives wrong gradients on CPUs (2.13, batches of one, channels_last),
and its batch and group normalisation add up a whole map in one go, which costs digits.
"""

import torch


def normalize(x, gamma, beta, epsilon):
    """Returns maps `(batch, channels, ...)` with mean 0 and variance 1, scaled and shifted.

    Args:
        x: float tensor; what is computed is at least float32.
        gamma, beta: `(channels,)`, or None.
        epsilon: added to the variance.
    """
    return _Normalize.apply(x, gamma, beta, epsilon)


class _Normalize(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gamma, beta, epsilon):
        mean, factor = _statistics(x, epsilon)
        ctx.save_for_backward(x, gamma, beta, mean, factor)
        ctx.epsilon = epsilon
        return _apply(x, mean, factor, gamma, beta)

    @staticmethod
    def backward(ctx, dy):
        x, gamma, beta, mean, factor = ctx.saved_tensors
        if torch.is_grad_enabled():  # to be differentiated once more: autograd must see the formula
            y = _apply(x, *_statistics(x, ctx.epsilon), gamma, beta)
            inputs = [each for each in (x, gamma, beta) if each is not None]
            gradients = iter(torch.autograd.grad(y, inputs, dy, create_graph=True))
            return *(None if each is None else next(gradients) for each in (x, gamma, beta)), None
        axes = _axes(x)
        dy = dy.to(mean.dtype)
        centred = x - mean
        mean_dy = dy.mean(axes, keepdim=True)
        product = (dy * centred).mean(axes, keepdim=True)
        scale = factor if gamma is None else factor * _as_map(gamma, x)
        dx = torch.addcmul(-scale * mean_dy, dy, scale)
        dx.addcmul_(centred, -scale * factor.square() * product)
        count = x[0, 0].numel()
        dgamma = None if gamma is None else (product * factor).sum(0).flatten() * count
        dbeta = None if beta is None else mean_dy.sum(0).flatten() * count
        return dx.to(x.dtype), dgamma, dbeta, None


def _statistics(x, epsilon):
    """The mean, and one over the deviation."""
    x = x.to(torch.promote_types(x.dtype, torch.float32))
    mean = x.mean(_axes(x), keepdim=True)
    return mean, torch.rsqrt((x - mean).square().mean(_axes(x), keepdim=True) + epsilon)


def _apply(x, mean, factor, gamma, beta):
    scale = factor if gamma is None else factor * _as_map(gamma, x)
    centred = x - mean
    y = centred * scale if beta is None else torch.addcmul(_as_map(beta, x), centred, scale)
    return y.to(x.dtype)


def _axes(x):
    return tuple(range(2, x.dim()))


def _as_map(weights, x):
    return weights.view(1, -1, *[1] * (x.dim() - 2))
