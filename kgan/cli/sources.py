"""What the name of data in a command stands for: a folder, the digits, or a set."""

import contextlib
import re
from pathlib import Path

from kgan.cli import run_folder

# "mnist", "cycle_gan/horse2zebra:3.0.0", "huggingface:mnist": no ending, one slash or two.
SET = re.compile(r"\w+(:[\w*.]+)?(/[\w.:*+-]+){0,2}")


def is_folder(data):
    """Whether the first argument of a command names a folder of images, not a set or a run.

    A run is kept in a folder, too, often one named after its data: its pictures are no data.
    """
    path = Path(data)
    places = (path, path.parent) if path.name == "samples" else (path,)
    return path.exists() and not any(
        (place / name).exists() for place in places for name in run_folder.PARTS
    )


def refuse_path(data):
    """Raises a ValueError for what is no folder of images and can be no name of a set."""
    path = Path(data)
    inside = len(path.parts) > 1 and Path(path.parts[0]).is_dir() and not path.exists()
    if inside or not SET.fullmatch(data):
        if path.exists():
            raise ValueError(f"A run is in this folder: name one of images. Received: {data}")
        raise ValueError(f"There is no such folder of images. Received: {data}")


@contextlib.contextmanager
def looked_up(data):
    """A context in which a name is looked up in TensorFlow Datasets, since no folder has it.

    Raises:
        ValueError: at once, if it can only be the path of a folder.
        ImportError: if TensorFlow Datasets is not installed; the folder is told of first.
    """
    refuse_path(data)
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"There is no such folder of images: {data}. If it is a set of TensorFlow Datasets: "
            f"{error}"
        ) from error


def load_images(recipe):
    """Images, or a stream of them, and labels if the data has any."""
    from kgan import data as sources

    data, image_size = recipe.data, recipe.image_size
    if is_folder(data):
        if not image_size:
            raise ValueError(
                "A folder of images needs --image-size, since they may differ. "
                f"Received: {data} without --image-size"
            )
        options = {"channels": recipe.channels, "batch_size": recipe.batch_size}
        options |= {"seed": recipe.seed, **recipe.image_options()}
        return sources.folder(data, image_size, **options), None
    if data == "digits":
        return sources.digits(*_side(image_size))
    with looked_up(data):
        options = {"data_dir": recipe.data_dir, "download": recipe.download}
        return sources.tfds(data, image_size=image_size, **options)


def _side(image_size):
    if image_size and image_size[0] != image_size[1]:
        raise ValueError(
            "The digits are square: give one number. "
            f"Received: --image-size {image_size[0]}x{image_size[1]}"
        )
    return image_size[:1] if image_size else ()
