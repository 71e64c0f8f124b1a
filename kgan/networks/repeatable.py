"""Networks whose initial weights follow from one seed."""

import contextlib
import functools
import random
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from kgan.utils import numbers

Parameters = ParamSpec("Parameters")
Network = TypeVar("Network")


def repeatable(build: Callable[Parameters, Network]) -> Callable[Parameters, Network]:
    """Adds the argument `seed` to a function that builds a network.

    Keras's initializers and random layers that are not given a seed draw one from Python's `random`
    when they are made, whatever the backend. So all seeds of a network follow from one, with which
    `random` starts while the network is built; its state before is then put back. The name of
    the function enters the seed, so a generator and a discriminator with one seed share no
    numbers.

    Args:
        build: a function to a network, with an argument `seed` that it need not use itself.
    """

    @functools.wraps(build)
    def seeded(*arguments, seed=None, **options):
        seed = numbers.seed(seed)
        with _random_from(None if seed is None else f"{build.__name__} {seed}"):
            return build(*arguments, seed=seed, **options)

    return seeded


def draw():
    """Draws a seed for a layer, as Keras does."""
    return random.randint(1, 2**31 - 1)


@contextlib.contextmanager
def _random_from(seed):
    if seed is None:
        yield
        return
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)
