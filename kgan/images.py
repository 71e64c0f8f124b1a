"""Conversion of float images in [-1, 1] to pixels, grids and picture files."""

import math
from pathlib import Path

import numpy as np

from kgan.utils import files
from kgan.utils.optional import Later

Image = Later("PIL.Image")


def from_pixels(pixels):
    """Returns float32 images in [-1, 1] from integers in [0, 255]."""
    return np.asarray(pixels, "float32") / 127.5 - 1


def to_pixels(images):
    """Returns uint8 images from floats in [-1, 1], clipped to that range."""
    return np.round((np.clip(images, -1, 1) + 1) * 127.5).astype("uint8")


def resize(pixels, size):
    """Returns uint8 images of another size, bilinear with antialiasing.

    Args:
        pixels: uint8 `(batch, height, width, channels)`.
        size: `(height, width)`.
    """
    if tuple(size) == pixels.shape[1:3]:
        return pixels
    channels = pixels.shape[3]
    resized = np.empty((len(pixels), *size, channels), "uint8")
    for i, image in enumerate(pixels):
        for c in range(channels):
            plane = Image.fromarray(image[:, :, c])
            resized[i, :, :, c] = plane.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return resized


def grid(images, columns=None, gap=1):
    """Returns one uint8 image with all images side by side.

    Args:
        images: floats in [-1, 1], `(batch, height, width, 1 or 3)`.
        columns: images in a row. Default: as square as possible.
        gap: white pixels between images.

    Raises:
        ValueError: if there are no images, or they do not have 1 or 3 channels.
    """
    images = _checked(images)
    count, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, channels)
    canvas = np.full(shape, 255, "uint8")
    for i, image in enumerate(to_pixels(images)):
        top, left = (i // columns) * (height + gap), (i % columns) * (width + gap)
        canvas[top : top + height, left : left + width] = image
    return canvas


def save_grid(path, images, columns=None, scale=None):
    """Writes a grid of images as a PNG file, atomically.

    Args:
        path: the file; its folder is created if needed.
        images, columns: see `grid`.
        scale: enlargement by whole pixels. Default: chosen so that small images are readable.
    """
    _write(path, _picture(_enlarged(grid(images, columns), images, scale)), "PNG")


def save_columns(path, *columns, scale=None):
    """Writes columns of images as a PNG file: row i holds the i-th image of each column.

    Args:
        path, scale: as for `save_grid`.
        *columns: floats in [-1, 1], each `(count, height, width, 1 or 3)`; grey images may stand
            beside colour ones.

    Raises:
        ValueError: if the columns differ in length or size, or cannot be shown.
    """
    columns = in_color([np.asarray(column) for column in columns])
    if len({column.shape for column in columns}) > 1:
        raise ValueError(
            "Columns of a picture must have the same number of images, of one height and width. "
            f"Received: shapes {[column.shape for column in columns]}"
        )
    images = np.stack(columns, axis=1)
    save_grid(path, images.reshape(-1, *images.shape[2:]), len(columns), scale)


def in_color(arrays):
    """Returns arrays of images with equal channels: grey ones become RGB if any is."""
    channels = max(array.shape[-1] for array in arrays)
    return [
        np.repeat(array, channels, axis=-1) if array.shape[-1] == 1 else array for array in arrays
    ]


def save_image(path, image, size=None):
    """Writes one image atomically, in the format of the file's suffix.

    Args:
        path: the file; its folder is created if needed.
        image: floats in [-1, 1], `(height, width, 1 or 3)`.
        size: `(height, width)` to resize to, bicubic. Default: as it is.
    """
    picture = _picture(grid(image[None]))
    if size is not None:
        picture = picture.resize((size[1], size[0]), Image.Resampling.BICUBIC)
    kind = Image.registered_extensions()[Path(path).suffix.lower()]
    _write(path, picture, kind, **({"quality": 95} if kind in ("JPEG", "WEBP") else {}))


def save_gif(path, images, seconds=0.08, scale=None):
    """Writes images as a looping GIF, atomically.

    Args:
        path, scale: as for `save_grid`.
        images: floats in [-1, 1], `(count, height, width, 1 or 3)`, one after the other.
        seconds: duration of each frame. Default: 0.08.

    Raises:
        ValueError: if the images do not have 1 or 3 channels.
    """
    images = _checked(images)
    frames = [_enlarged(grid(image[None]), images, scale) for image in images]
    first, *rest = map(_picture, frames)
    options = {"save_all": True, "append_images": rest, "duration": 1000 * seconds, "loop": 0}
    _write(path, first, "GIF", **options)


def save_film(path, pictures, seconds=0.25, most=60, widest=None):
    """Writes picture files as a looping GIF, atomically, with one picture in memory at a time.

    Args:
        path: the file; its folder is created if needed.
        pictures: paths of pictures of one size, in order.
        seconds: duration of each frame; the last lasts eight times as long. Default: 0.25.
        most: largest number of frames; of more pictures an even selection is used. Default: 60.
        widest: largest width in pixels; wider pictures are scaled down. Default: no limit.
    """
    chosen = np.linspace(0, len(pictures) - 1, min(len(pictures), most)).round().astype(int)
    durations = [*[1000 * seconds] * (len(chosen) - 1), 8000 * seconds]
    frames = (_frame(pictures[i], widest) for i in chosen)
    first = next(frames)
    options = {"save_all": True, "append_images": frames, "duration": durations, "loop": 0}
    _write(path, first, "GIF", **options)


def _checked(images):
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[3] not in (1, 3) or not len(images):
        raise ValueError(
            "A picture needs images of shape (batch, height, width, channels) with 1 or 3 "
            "channels; where a file is written, its path comes first. "
            f"Received: shape {images.shape}"
        )
    return images


def _frame(path, widest):
    with Image.open(path) as picture:
        if widest and picture.width > widest:
            size = (widest, round(picture.height * widest / picture.width))
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        # Colours of each picture's own; a palette for all would need all at once.
        return picture.quantize() if picture.mode == "RGB" else picture.copy()


def _picture(pixels):
    return Image.fromarray(pixels.squeeze(-1) if pixels.shape[2] == 1 else pixels)


def _enlarged(picture, images, scale):
    scale = scale or max(1, 48 // max(np.shape(images)[1:3]))
    return picture.repeat(scale, 0).repeat(scale, 1)


def _write(path, picture, kind, **options):
    with files.atomic(path) as unfinished:
        picture.save(unfinished, format=kind, **options)
