"""The time in which layers of Keras run by native calls of the framework.

A native call gives what the layer's own `call` gives, faster. It stands in its place for the time
of a step and no longer, on the layers of one model: nothing of Keras is changed, and whatever has
no native call runs as Keras wrote it. See README.md in this folder.
"""

import contextlib
import importlib
import os
import warnings
from typing import Any

SWITCH = "KGAN_NATIVE"
"""The environment variable that turns native calls off: `KGAN_NATIVE=0`."""


LOOKED_FOR: dict[str, Any] = {}
"""What `private` has looked for, by its full name."""


def private(module, name):
    """Returns something that Keras keeps to itself, or None where it has been moved.

    Whoever asks goes without it then: slower, and right.
    """
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        found = None
    LOOKED_FOR[f"{module}.{name}"] = found
    return found


def warn_of_moved(what, error):
    """Warns that this Keras is not the one that native calls were written for."""
    warnings.warn(
        f"This version of Keras keeps {what} elsewhere than kgan looks for it, so training runs as "
        "Keras runs it: slower, with the same results. Use the versions that kgan was tested with "
        f"to have its speed. Received: {type(error).__name__}: {error}",
        stacklevel=4,
    )


def enabled():
    """Whether native calls are wanted."""
    return os.environ.get(SWITCH, "1") != "0"


class NativeCalls:
    """The layers of a model that have a native call.

    Args:
        find: a function that returns a dictionary from layers to functions that take what their
            `call` takes. It is asked again where a layer has been changed.
    """

    def __init__(self, find):
        self._find = find
        self._look()

    def _look(self):
        self.calls = self._find()
        self._facts = {layer: _facts(layer) for layer in self.calls}

    @contextlib.contextmanager
    def in_use(self):
        """A context in which the layers run by their native calls."""
        if not enabled():
            yield
            return
        if any(_facts(layer) != known for layer, known in self._facts.items()):
            self._look()
        # Past Keras's own __setattr__, which looks for state in whatever an attribute is given.
        for layer, call in self.calls.items():
            vars(layer)["call"] = call
        try:
            yield
        finally:
            for layer in self.calls:
                vars(layer).pop("call", None)


def _facts(layer):
    """What a native call has taken from a layer, and somebody may change later."""
    own = vars(layer)
    return (
        type(layer),
        own.get("call"),
        own.get("activation"),
        own.get("negative_slope"),
        *(len(own.get(hooks, ())) for hooks in HOOKS),
    )


HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
"""Where PyTorch keeps functions that are to be called with a layer."""


def find_calls(model, find):
    """Returns what `find` finds for the layers of a model, as a dictionary; None is left out."""
    calls = {}
    try:
        for layer in filter(suits, layers_of(model)):
            call = find(layer)
            if call is not None:
                calls[layer] = call
    except (AttributeError, TypeError) as error:
        warn_of_moved("what a layer is made of", error)
        return {}
    return calls


def layers_of(model):
    """Every layer that a model owns, nested ones included, itself left out."""
    return list(model._flatten_layers(include_self=False))


def suits(layer):
    """Whether nothing about a layer asks for more than its `call`."""
    return (
        layer.built
        and "call" not in vars(layer)  # what somebody has put there is theirs
        and not any(vars(layer).get(hooks) for hooks in HOOKS)
        and layer.activity_regularizer is None
        and layer.compute_dtype in ("float32", "float16", "bfloat16")
        and getattr(layer, "quantization_mode", None) is None
        and not getattr(layer, "lora_enabled", False)
        and getattr(layer, "data_format", "channels_last") in (None, "channels_last")
    )
