"""What makes a step fast on TensorFlow."""

import functools

from kgan.backend.native import NativeCalls, find_calls
from kgan.backend.tensorflow import layers


def native_calls(model):
    """Returns the `NativeCalls` of a compiled model.

    None under XLA, which fuses by itself, and none on several devices, whose threads share the
    layers: one would take away what another is using.
    """
    several = model.distribute_strategy.num_replicas_in_sync > 1
    if model.jit_compile or several:
        return NativeCalls(dict)
    return NativeCalls(functools.partial(find_calls, model, layers.find))
