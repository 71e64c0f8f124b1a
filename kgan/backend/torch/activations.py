"""Activations by native calls of PyTorch, in place where no gradient needs what they are given."""

import functools

import torch
from keras import activations
from torch.nn import functional

from kgan.backend.torch.native_layer import ANY, Native


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


ACTIVATIONS = {
    activations.linear: (unchanged, None),
    activations.relu: (torch.relu, torch.relu_),
    activations.sigmoid: (torch.sigmoid, torch.sigmoid_),
    activations.silu: (functional.silu, None),
    activations.softplus: (functional.softplus, None),
    activations.tanh: (torch.tanh, torch.tanh_),
}
