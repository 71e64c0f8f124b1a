"""Numbers as arguments: each kind is checked in one place, whoever takes it.

NumPy's integers and floats are as good as Python's. A bool is not a number here, though Python
counts with it: True as a size or a factor is a slip. What is returned is Python's own, so that
configurations can be written as JSON. NumPy alone is needed, since exported files are run with
these checks where there is no Keras.
"""

import math
import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np

LONGEST = 200  # characters of what is shown of a value


def count(name, value, least=1, most=math.inf):
    """Returns an integer of at least `least`.

    Args:
        name: of the argument, for the message.
        value: what was given.
        least, most: the smallest and the greatest that there can be. Default: 1 and no limit.

    Raises:
        ValueError: for anything else, bools among them.
    """
    if not is_integer(value) or not least <= value <= most:
        kind = "a positive integer" if least == 1 else f"an integer of at least {least}"
        limit = f" up to {most}" if most < math.inf else ""
        raise ValueError(f"{name} must be {kind}{limit}. Received: {name}={shown(value)}")
    return int(value)


def counts(name, value, form, least=1):
    """Returns a tuple of integers.

    Args:
        name, value, least: as for `count`.
        form: what each of them is, such as `("height", "width")`; or several such tuples.

    Raises:
        ValueError: for anything else.
    """
    forms = form if isinstance(form[0], tuple) else (form,)
    sizes = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else ()
    known = len(sizes) in map(len, forms)
    if not known or not all(is_integer(size) and size >= least for size in sizes):
        meant = " or ".join(f"({', '.join(each)}{',' * (len(each) == 1)})" for each in forms)
        kind = "positive integers" if least == 1 else f"integers of at least {least}"
        raise ValueError(f"{name} must be {meant} in {kind}. Received: {name}={shown(value)}")
    return tuple(map(int, sizes))


def seed(value, name="seed"):
    """Returns a seed: an integer of at least 0, or None, which is another each time.

    Raises:
        ValueError: for anything else.
    """
    if value is None:
        return None
    if not is_integer(value) or value < 0:
        raise ValueError(
            f"{name} must be an integer of at least 0, since NumPy's seeds begin from 0. "
            f"Received: {name}={shown(value)}"
        )
    return int(value)


def fixed_seed(value, name="seed"):
    """Returns a seed that is not None, for what must be the same each time."""
    return count(name, value, 0) if value is None else seed(value, name)


def factor(name, value):
    """Returns a finite number of at least 0: a weight, a distance, a deviation.

    Raises:
        ValueError: for anything else.
    """
    if not is_number(value) or not 0 <= value < math.inf:
        raise ValueError(
            f"{name} must be a finite number of at least 0. Received: {name}={shown(value)}"
        )
    return float(value)


def positive(name, value):
    """Returns a finite number above 0: a rate, a limit, an epsilon.

    Raises:
        ValueError: for anything else.
    """
    if not is_number(value) or not 0 < value < math.inf:
        raise ValueError(f"{name} must be a finite number above 0. Received: {name}={shown(value)}")
    return float(value)


def share(name, value, interval="[0, 1]"):
    """Returns a number from 0 to 1: a probability, a decay, a rate of dropout.

    Args:
        name, value: as for `count`.
        interval: whether the ends belong to it: `"[0, 1]"` (default), `"[0, 1)"` or `"(0, 1)"`.

    Raises:
        ValueError: for anything else.
    """
    inside = is_number(value) and 0 <= value <= 1
    if not inside or (value == 0 and interval[0] == "(") or (value == 1 and interval[-1] == ")"):
        raise ValueError(f"{name} must be a number in {interval}. Received: {name}={shown(value)}")
    return float(value)


def flag(name, value):
    """Returns True or False, for which 1 and 0 may stand.

    Raises:
        ValueError: for anything else, such as "no", which Python takes for True.
    """
    if isinstance(value, (bool, np.bool_)) or (is_integer(value) and value in (0, 1)):
        return bool(value)
    raise ValueError(f"{name} must be True or False. Received: {name}={shown(value)}")


def array(name: str, values: Any) -> np.ndarray:
    """Returns finite floats as a NumPy array of their own dtype, from what can be taken for such.

    Raises:
        ValueError: for anything else: text, complex numbers, lists of unequal length, NaN.
    """
    found = values
    if not isinstance(values, np.ndarray):
        try:
            found = np.asarray(values.__array__() if hasattr(values, "__array__") else values)
        except (TypeError, ValueError, RuntimeError):
            found = np.asarray(None)
    if found.dtype.kind not in "iuf" and found.dtype.name != "bfloat16":
        raise ValueError(f"{name} must be an array of numbers. Received: {name}={shown(values)}")
    if not found.size or not np.isfinite(found).all():
        raise ValueError(
            f"{name} must be finite numbers, at least one. "
            f"Received: {name} of shape {found.shape} with {shown(values)}"
        )
    return found


def choice(name, value, known):
    """Returns one of some values.

    Raises:
        ValueError: for anything else.
    """
    known = tuple(known)
    if not any(type(value) is type(each) and value == each for each in known):
        raise ValueError(
            f"{name} must be one of {', '.join(map(repr, known))}. Received: {name}={shown(value)}"
        )
    return value


def is_integer(value):
    """Whether a value is an integer of Python's or NumPy's, and not a bool."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def is_number(value):
    """Whether a value is a real number of Python's or NumPy's, and not a bool."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def shown(value):
    """A value as a message shows it."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
