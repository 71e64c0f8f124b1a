"""A folder of image files, read as training goes."""

import os
from pathlib import Path

import keras
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from kgan.images import from_pixels

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")


def folder(
    path: str | os.PathLike,
    image_size: tuple[int, int],
    *,
    channels: int = 3,
    batch_size: int = 64,
    shuffle: bool = True,
    seed: int | None = None,
    **kwargs,
) -> "ImageFolder":
    """Returns the images below a folder as batches for `fit`, read from disk in each epoch.

    Every image is cropped to the wanted proportions around its centre, then resized.

    Args:
        path: the folder; its subfolders are searched too.
        image_size: `(height, width)`.
        channels: 3 for colour (default), 1 for grey.
        batch_size: images a batch; the last one may be smaller. Default: 64.
        shuffle: whether the order changes from epoch to epoch. Default: True.
        seed: seed of that order where `fit` is not kgan's, which orders the files by the model's
            own seed. Default: a random one.
        **kwargs: of `keras.utils.PyDataset`, such as `workers` for reading in parallel.

    Returns:
        A `keras.utils.PyDataset` of float32 batches `(batch, height, width, channels)` in [-1, 1].

    Raises:
        ValueError: if the folder does not exist or holds no image, or an argument is wrong; when
            an image is read that is damaged, with its name.
    """
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 or 3. Received: channels={channels!r}")
    if not isinstance(batch_size, int) or batch_size < 1:
        raise ValueError(
            f"batch_size must be a positive integer. Received: batch_size={batch_size!r}"
        )
    files = sorted(p for p in Path(path).rglob("*") if p.suffix.lower() in SUFFIXES)
    if not files:
        state = "no image in it" if Path(path).is_dir() else "no such folder"
        raise ValueError(
            f"The folder must hold images ({', '.join(SUFFIXES)}), also in subfolders. "
            f"Received: path={str(path)!r}, {state}"
        )
    return ImageFolder(files, tuple(image_size), channels, batch_size, shuffle, seed, **kwargs)


class ImageFolder(keras.utils.PyDataset):
    """What `folder` returns."""

    def __init__(self, files, image_size, channels, batch_size, shuffle, seed, **kwargs):
        super().__init__(**kwargs)
        self.files = files
        self.image_size = image_size
        self.mode = {1: "L", 3: "RGB"}[channels]
        self.batch_size = batch_size
        self.order = np.random.default_rng(seed) if shuffle else None
        self.on_epoch_end()

    def __len__(self):
        return -(-len(self.files) // self.batch_size)

    def __getitem__(self, index):
        chosen = self.files[index * self.batch_size : (index + 1) * self.batch_size]
        return from_pixels(np.stack([self._read(file) for file in chosen]))

    def on_epoch_end(self):
        if self.order is not None:
            self.order.shuffle(self.files)

    def reorder(self, seed):
        """Shuffles by a seed; `fit` calls it, so that a run can be stopped and go on exactly."""
        if self.order is not None:
            order = np.random.default_rng(seed).permutation(len(self.files))
            files = sorted(self.files)
            self.files = [files[i] for i in order]

    def _read(self, file):
        height, width = self.image_size
        try:
            with Image.open(file) as image:
                image = ImageOps.exif_transpose(image).convert(self.mode)
                pixels = np.asarray(ImageOps.fit(image, (width, height), Image.Resampling.BILINEAR))
        except (OSError, UnidentifiedImageError) as error:
            raise ValueError(
                f"This image cannot be read: replace or remove it. Received: {file} ({error})"
            ) from error
        return pixels if pixels.ndim == 3 else pixels[..., None]
