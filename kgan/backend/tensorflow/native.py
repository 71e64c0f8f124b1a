"""What makes a step fast on TensorFlow."""

from kgan.backend.native import NativeCalls, find_calls
from kgan.backend.tensorflow import layers


def native_calls(model):
    """Returns the `NativeCalls` of a compiled model: none under XLA, which fuses by itself."""
    return NativeCalls({} if model.jit_compile else find_calls(model, layers.find))
