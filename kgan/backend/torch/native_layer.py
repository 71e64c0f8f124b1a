"""What a native call of a layer is, and where its channels are.

Keras computes in NHWC and PyTorch's convolutions want NCHW. Seen with its axes in that order, an
NHWC tensor is what PyTorch calls `channels_last`, and no number has to move.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

FIRST, LAST, ANY = "channels first", "channels last", "channels anywhere"


class Native(NamedTuple):
    """The native call of a layer.

    Attributes:
        function: takes what `layer.call` takes, and gives what it gives.
        layout: where the channels of its inputs and outputs are.
        fresh: whether the result may be overwritten: no gradient needs it, and it is no view.
        in_place: the same function, overwriting its input; None if there is none.
    """

    function: Callable
    layout: str = LAST
    fresh: bool = False
    in_place: Callable | None = None

    def as_call(self):
        """The function with its channels last, as Keras calls a layer."""
        if self.layout is not FIRST:
            return self.function

        @functools.wraps(self.function)
        def call(x, *arguments, **options):
            return channels_last(self.function(channels_first(x), *arguments, **options))

        return call


def channels_first(x):
    return x.movedim(-1, 1)


def channels_last(x):
    return x.movedim(1, -1)


def bias(layer):
    return layer.bias.value if layer.use_bias else None


def value(variable):
    return None if variable is None else variable.value
