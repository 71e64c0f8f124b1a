"""Image files: found in a folder, measured by their headers, read as pixels."""

import contextlib
import os
from pathlib import Path

import numpy as np

from kgan import numbers
from kgan.advice import advice
from kgan.optional import Later
from kgan.places import check_path

Image, ImageOps = Later("PIL.Image"), Later("PIL.ImageOps")

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
MODES = {1: "L", 3: "RGB"}
SHOWN = 5  # names in a message
TURNED = 5  # from this EXIF orientation on, width and height change places


def damage():
    """What Pillow raises over damaged bytes, by their place in the file."""
    return (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


class CorruptImageError(ValueError):
    """An image file that cannot be read."""

    def __init__(self, file, reason):
        super().__init__(
            f"This image cannot be read: replace or remove it. Received: {file} ({reason})"
        )
        self.file = file


def find_images(path: str | os.PathLike) -> list[Path]:
    """Returns the image files below a folder, sorted.

    Raises:
        ValueError: if there is no such folder, it is a file, or no image is in it.
    """
    folder = check_path("path", path)
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not files:
        state = "a file, not a folder" if folder.exists() else "no such folder"
        if folder.is_dir():
            state = "no image in it"
        raise ValueError(
            f"The folder must hold images ({', '.join(SUFFIXES)}), also in subfolders. "
            f"Received: path={str(path)!r}, {state}"
        )
    return files


@contextlib.contextmanager
def opened(file, name=None):
    """The decoded image of a file, upright.

    Args:
        file: its path, or the open file.
        name: what to call it in a message. Default: the path.

    Raises:
        CorruptImageError: if the file cannot be read.
    """
    try:
        with Image.open(file) as image:
            upright = _eight_bits(ImageOps.exif_transpose(image))
    except damage() as error:
        raise CorruptImageError(name or file, error) from error
    yield upright


def to_array(image, size, channels, crop=False):
    """Returns the pixels of a Pillow image, uint8 `(height, width, channels)`.

    Args:
        image: of Pillow.
        size: `(height, width)` to resize to, bilinear with antialiasing.
        channels: 1 for grey, 3 for colour.
        crop: whether to cut to the wanted proportions around the centre first, in place of
            changing the image's own. Default: False.
    """
    height, width = size
    image = image.convert(MODES[channels])
    resize = ImageOps.fit if crop else Image.Image.resize
    pixels = np.asarray(resize(image, (width, height), Image.Resampling.BILINEAR))
    return pixels if pixels.ndim == 3 else pixels[..., None]


def sizes_of(files) -> dict[tuple[int, int], list[Path]]:
    """Returns the files by their `(height, width)`, from the headers alone.

    What has no readable header is left out: it is told of when it is to be read.
    """
    sizes = {}
    for file in files:
        with contextlib.suppress(*damage()), Image.open(file) as image:
            # Pillow would decode the whole of an image without EXIF data to look for it.
            orientation = image.getexif().get(274, 1) if "exif" in image.info else 1
            width, height = image.size[::-1] if orientation >= TURNED else image.size
            sizes.setdefault((height, width), []).append(file)
    return sizes


def the_size(sizes) -> tuple[int, int]:
    """Returns the one size of `sizes_of`.

    Raises:
        ValueError: if there are several or none.
    """
    if len(sizes) == 1:
        return next(iter(sizes))
    shown = sorted(sizes.items(), key=lambda item: -len(item[1]))
    found = ", ".join(f"{h}x{w} ({len(of)} files, {of[0].name})" for (h, w), of in shown[:SHOWN])
    fix = advice("pass image_size=(height, width)", "add --image-size, as in --image-size 96x128")
    raise ValueError(
        f"Images that differ in height and width must be resized: {fix}. "
        f"Received: {advice('image_size=None', 'no --image-size')}, {found or 'no readable image'}"
        f"{', ...' if len(shown) > SHOWN else ''}"
    )


def check_size(image_size):
    """Returns `(height, width)` as a tuple.

    Raises:
        ValueError: if it is no pair of positive integers.
    """
    return numbers.counts("image_size", image_size, ("height", "width"))


def check_channels(channels):
    """Returns the channels that images are to be read with, 1 or 3.

    Raises:
        ValueError: if they are others.
    """
    if not numbers.is_integer(channels) or channels not in MODES:
        raise ValueError(f"channels must be 1 or 3. Received: channels={numbers.shown(channels)}")
    return int(channels)


def check_two_channels(channels):
    """Returns the channels of two kinds of images, given as one number or as two.

    Raises:
        ValueError: if they are not 1 or 3.
    """
    both = tuple(channels) if np.iterable(channels) else (channels, channels)
    if len(both) != 2:
        raise ValueError(f"channels must be 1, 3 or two of these. Received: channels={channels!r}")
    return tuple(map(check_channels, both))


def _eight_bits(image):
    """Pillow itself would turn all but the darkest 16-bit pixels white."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype("uint8"))
    if image.mode in "IF":
        raise ValueError(f"pixels of mode {image.mode!r} have no known range: save them as 8 bits")
    image.load()
    return image
