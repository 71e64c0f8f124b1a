"""Places that arguments name."""

import os
from pathlib import Path

from kgan import numbers


def check_fit_options(options):
    """Raises a ValueError for a number among the arguments of `fit` that is not one."""
    for name, least in (
        ("batch_size", 1),
        ("epochs", 0),
        ("initial_epoch", 0),
        ("steps_per_epoch", 1),
        ("validation_batch_size", 1),
        ("validation_steps", 1),
    ):
        if options.get(name) is not None:
            numbers.count(name, options[name], least)
    if options.get("validation_split") is not None:
        numbers.share("validation_split", options["validation_split"], "[0, 1)")


def check_path(name, path):
    """Returns a `pathlib.Path`; raises a ValueError for what names no place."""
    if not isinstance(path, (str, os.PathLike)) or not str(path) or "\0" in str(path):
        raise ValueError(f"{name} must be a path, as text. Received: {name}={numbers.shown(path)}")
    return Path(path)


def check_folder(folder, name):
    """Returns the path of a folder that is or can be made; raises a ValueError for a file."""
    check_path(name, folder)
    for path in (Path(folder), *Path(folder).parents):
        if path.exists() and not path.is_dir():
            raise ValueError(f"{name} must be a folder, but {path} is a file. Received: {folder}")
    return Path(folder)
