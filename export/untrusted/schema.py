"""JSON that others may have written: read with bounds, and checked against one schema a file."""

import json
import math

DEEPEST = 64
LARGEST = 2**64


def parse(text, constants=False):
    """What JSON text holds, if nothing in it can trip up what comes after.

    Args:
        text: str or bytes.
        constants: whether NaN and infinity, which are not JSON, may stand in it.

    Raises:
        ValueError: it is not JSON, is nested deeper than 64 levels, or holds a number that is not
            finite or of more than 64 bits, or text that is not Unicode.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError(f"nested deeper than {DEEPEST} levels") from None
    level = [value]
    for _ in range(DEEPEST):
        for each in level:
            _check_plain(each, constants)
        level = [part for each in level for part in _parts(each)]
        if not level:
            return value
    raise ValueError(f"nested deeper than {DEEPEST} levels")


def check(value, schema, where="it"):
    """Raises a ValueError that names the place where a value differs from a schema.

    Args:
        value: what `parse` returned.
        schema: a type, or a tuple of types, where True is not a number; a set of values; a list
            with the schema of its items; a dictionary of schemas by name, of which those ending in
            "?" may be missing, and under the name `...` that of all other names; or a function
            that raises a ValueError itself.
        where: what to call the value in the message.
    """
    if isinstance(schema, dict):
        _check_dictionary(value, schema, where)
    elif isinstance(schema, list):
        _require(isinstance(value, (list, tuple)), where, "a list", value)
        for index, item in enumerate(value):
            check(item, schema[0], f"{where}[{index}]")
    elif isinstance(schema, (set, frozenset)):
        known = isinstance(value, str) and value in schema
        _require(known, where, f"one of {', '.join(sorted(schema))}", value)
    elif isinstance(schema, (type, tuple)):
        kinds = schema if isinstance(schema, tuple) else (schema,)
        fits = isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds)
        names = " or ".join("null" if kind is type(None) else kind.__name__ for kind in kinds)
        _require(object in kinds or fits, where, f"of type {names}", value)
    else:
        try:
            schema(value)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{where}: {error}") from error


def count(value):
    """The schema of a positive integer."""
    if type(value) is not int or value < 1:
        raise ValueError(f"a positive integer is needed, not {shown(value)}")


def shown(value):
    """A value that may be anything, short enough for a message."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _check_dictionary(value, schema, where):
    _require(isinstance(value, dict), where, "a dictionary", value)
    others = schema.get(...)
    known = {name.removesuffix("?"): name for name in schema if name is not ...}
    for name, of in known.items():
        if name in value:
            check(value[name], schema[of], f"{where}.{name}" if where != "it" else name)
        elif name == of:
            raise ValueError(f"{where} has no {name!r}")
    for name in set(value) - set(known):
        if others is None:
            raise ValueError(f"{where} has {shown(name)}, which is not known")
        check(value[name], others, f"{where}[{shown(name)}]")


def _require(fits, where, what, value):
    if not fits:
        raise ValueError(f"{where} must be {what}, not {shown(value)}")


def _parts(value):
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else ()


def _check_plain(value, constants):
    if isinstance(value, str):
        value.encode()  # a UnicodeEncodeError is a ValueError
    elif isinstance(value, float) and not math.isfinite(value) and not constants:
        raise ValueError(f"{value} is no JSON")
    elif isinstance(value, int) and abs(value) >= LARGEST:
        raise ValueError("a number has more than 64 bits")
