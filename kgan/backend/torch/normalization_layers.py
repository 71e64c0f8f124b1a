"""Layers that normalise by native calls of PyTorch."""

import torch
from torch.nn import functional

from kgan.backend.torch.instance_normalization import normalize
from kgan.backend.torch.native_layer import FIRST, Native, channels_first, channels_last, value
from kgan.backend.torch.state import in_stateless_scope


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
    normalise = batch_normalization(layer.norm)
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
