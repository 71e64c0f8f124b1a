"""Arguments of training and drawing."""

from pathlib import Path

from kgan.utils import numbers
from kgan.utils.paths import check_path


def check_fit_options(options):
    """Validates the numeric arguments of `fit`; raises a ValueError."""
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


def check_folder(folder, name):
    """Returns the path of a folder, existing or not; raises a ValueError for a file."""
    check_path(name, folder)
    for path in (Path(folder), *Path(folder).parents):
        if path.exists() and not path.is_dir():
            raise ValueError(f"{name} must be a folder, but {path} is a file. Received: {folder}")
    return Path(folder)


def check_images_of(name, images):
    """Raises a ValueError for an array that is not a batch of images of any size.

    Args:
        name: of the argument.
        images: what was given.
    """
    images = numbers.array(name, images)
    if images.ndim != 4 or not images.size or images.min() < -1.01 or images.max() > 1.01:
        raise ValueError(
            f"{name} must be images (batch, height, width, channels), floats in [-1, 1]. "
            f"Received: {name} of shape {images.shape}, dtype {images.dtype}"
        )


def check_function(name, function):
    """Raises a ValueError if an argument is not callable."""
    if not callable(function):
        raise ValueError(f"{name} must be a function. Received: {name}={numbers.shown(function)}")
