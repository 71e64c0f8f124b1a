"""Numbers and places that arguments name."""

import numbers
from pathlib import Path


def check_count(least=1, **counts):
    """Raises a ValueError for an argument that is not a positive integer, or is below `least`."""
    for name, value in counts.items():
        if not isinstance(value, numbers.Integral) or value < least:
            raise ValueError(
                f"{name} must be a positive integer of at least {least}. Received: {name}={value!r}"
            )


def check_seed(seed):
    """Raises a ValueError for a seed that NumPy does not take, or none, which is another always."""
    if not isinstance(seed, numbers.Integral) or seed < 0:
        raise ValueError(
            "seed must be an integer of at least 0, since NumPy's seeds begin from 0. "
            f"Received: seed={seed!r}"
        )


def check_folder(folder, name):
    """Returns the path of a folder that is or can be made; raises a ValueError for a file."""
    for path in (Path(folder), *Path(folder).parents):
        if path.exists() and not path.is_dir():
            raise ValueError(f"{name} must be a folder, but {path} is a file. Received: {folder}")
    return Path(folder)
