"""A folder of image files, read during training."""

import dataclasses
import os
from typing import Any

from kgan.data import files
from kgan.data.decoding import AS_EVER, Decoding, Reader
from kgan.data.image_stream import ImageStream, Samples


def folder(
    path: str | os.PathLike,
    image_size: tuple[int, int],
    *,
    channels: int = 3,
    batch_size: int = 64,
    shuffle: bool = True,
    seed: int | None = None,
    corrupt: str = "skip",
    background: str = "white",
    interpolation: str = "bilinear",
    **kwargs: Any,
) -> ImageStream:
    """Returns the images below a folder as batches for `fit`, read from disk in every epoch.

    Every image is rotated upright by its EXIF data, composited onto a background if it is
    transparent, cropped to the wanted proportions around its centre, then resized. Images of 16
    bits are read by their upper eight bits, animations by their first frame.

    Args:
        path: the folder; its subfolders are searched too, and links followed. Hidden files and
            folders and other kinds of files are skipped; a warning says how many.
        image_size: `(height, width)`.
        channels: 3 for colour (default), 1 for grey.
        batch_size: images per batch. When shuffled, an incomplete last batch is dropped, which
            leaves out different images each epoch; otherwise the last batch may be smaller.
            Default: 64.
        shuffle: whether the order changes from epoch to epoch. Default: True.
        seed: seed of that order outside of kgan's `fit`, which uses the seed of the model instead.
            Default: a random one.
        corrupt: what to do with an unreadable image: `"skip"` (default) replaces it by the next one
            and warns once at the end of the epoch, with count and names; `"raise"` stops.
        background: the colour behind transparent parts, such as `"black"` or `"#808080"`.
            Default: `"white"`.
        interpolation: `"bilinear"` (default), with antialiasing; `"nearest"` keeps the colours of
            drawings and label maps and adds no others.
        **kwargs: of `keras.utils.PyDataset`, such as `workers` for reading in parallel.

    Returns:
        A `keras.utils.PyDataset` of float32 batches `(batch, height, width, channels)` in [-1, 1].

    Raises:
        ValueError: if the folder does not exist or holds no image, or an argument is wrong; when
            images are read, if none can be, or with `corrupt="raise"` for the first that cannot.
    """
    size, channels = files.check_size(image_size), files.check_channels(channels)
    read = ReadImage(size, channels, True, Decoding(background, interpolation))
    source = Samples(files.find_images(path), read, corrupt)
    return ImageStream([source], batch_size, shuffle, seed, **kwargs)


@dataclasses.dataclass(frozen=True, repr=False)
class ReadImage(Reader):
    """Reads a file as pixels: see `kgan.data.decoding.Decoding`."""

    size: tuple[int, int]
    channels: int
    crop: bool = False
    decoding: Decoding = AS_EVER

    def __call__(self, file, remark=None):
        with self.decoding.opened(file, remark=remark) as image:
            return self.decoding.to_array(image, self.size, self.channels, self.crop)
