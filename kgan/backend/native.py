"""The time in which layers of Keras run by native calls of the framework.

A native call gives what the layer's own `call` gives, faster. It stands in its place for the time
of a step and no longer, on the layers of one model: nothing of Keras is changed, and whatever has
no native call runs as Keras wrote it. See README.md in this folder.
"""

import contextlib
import os

SWITCH = "KGAN_NATIVE"
"""The environment variable that turns native calls off: `KGAN_NATIVE=0`."""


def enabled():
    """Whether native calls are wanted."""
    return os.environ.get(SWITCH, "1") != "0"


class NativeCalls:
    """The layers of a model that have a native call.

    Args:
        calls: a dictionary from layers to functions that take what their `call` takes.
    """

    def __init__(self, calls):
        self.calls = calls

    @contextlib.contextmanager
    def in_use(self):
        """A context in which the layers run by their native calls."""
        if not enabled():
            yield
            return
        # Past Keras's own __setattr__, which looks for state in whatever an attribute is given.
        for layer, call in self.calls.items():
            vars(layer)["call"] = call
        try:
            yield
        finally:
            for layer in self.calls:
                vars(layer).pop("call", None)


def find_calls(model, find):
    """Returns what `find` finds for the layers of a model, as a dictionary; None is left out."""
    found = {layer: find(layer) for layer in layers_of(model) if suits(layer)}
    return {layer: each for layer, each in found.items() if each is not None}


def layers_of(model):
    """Every layer that a model owns, nested ones included, itself left out."""
    return list(model._flatten_layers(include_self=False))


def suits(layer):
    """Whether nothing about a layer asks for more than its `call`."""
    return (
        layer.built
        and "call" not in vars(layer)  # what somebody has put there is theirs
        and layer.activity_regularizer is None
        and layer.compute_dtype in ("float32", "float16", "bfloat16")
        and getattr(layer, "quantization_mode", None) is None
        and not getattr(layer, "lora_enabled", False)
        and getattr(layer, "data_format", "channels_last") in (None, "channels_last")
    )
