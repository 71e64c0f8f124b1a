"""Places that arguments name, checked in one place; for files without Keras, too."""

import os
from pathlib import Path

from kgan.utils.numbers import shown


def check_path(name, path):
    """Returns a `pathlib.Path`; raises a ValueError for what names no place."""
    if not isinstance(path, (str, os.PathLike)) or not str(path) or "\0" in str(path):
        raise ValueError(f"{name} must be a path, as text. Received: {name}={shown(path)}")
    return Path(path)
