"""Which native calls a step uses on PyTorch: of layers (`layers`) and whole networks (`plan`)."""

import functools

import keras

from kgan.backend.native import NativeCalls, find_calls, layers_of, private, suits, warn_of_moved
from kgan.backend.torch import layers
from kgan.backend.torch.plan import Plan

Functional = private("keras.src.models.functional", "Functional")


def native_calls(model):
    """Returns the `NativeCalls` of a compiled model, and lays out its kernels."""
    for variable in (*model.variables, *model.optimizer.variables):
        lay_out(variable)
    return NativeCalls(functools.partial(_find, model))


def _find(model):
    native = find_calls(model, layers.find)
    try:
        plans = {network: Plan(graph) for network, graph in _graphs(model)}
        planned = {network: layers.Native(plan.call) for network, plan in plans.items()}
        for plan in plans.values():  # when all of them are known, since networks may be nested
            plan.prepare(native | planned)
        native |= planned
    except (AttributeError, KeyError, TypeError) as error:
        warn_of_moved("the graph of a network", error)
    return {layer: each.as_call() for layer, each in native.items()}


def _graphs(model):
    """Yields the networks that are a graph of layers, and the graph itself."""
    for layer in filter(suits, layers_of(model)):
        if type(layer) is Functional:
            yield layer, layer
        elif type(layer) is keras.Sequential and layer._functional is not None:
            yield layer, layer._functional


def lay_out(variable):
    """Orders a kernel in memory as PyTorch's convolutions read it, which they else do each time.

    Its shape and values stay, and so do its strides when a value is assigned.
    """
    if len(variable.shape) == 4:
        value = variable.value
        value.data = value.data.permute(3, 0, 1, 2).contiguous().permute(1, 2, 3, 0)
