"""A folder of image files, read as training goes."""

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
    """Returns the images below a folder as batches for `fit`, read from disk in each epoch.

    Every image is turned upright as its camera has noted, laid on a background where it is
    transparent, cropped to the wanted proportions around its centre, then resized. Of 16 bits the
    upper eight are read, of animations the first frame.

    Args:
        path: the folder; its subfolders are searched too, and links followed. Hidden files and
            folders, and files that are not images, are left out; a warning says how many.
        image_size: `(height, width)`.
        channels: 3 for colour (default), 1 for grey.
        batch_size: images a batch. When shuffled, images that do not fill a last batch are left
            out, others each epoch; else the last batch may be smaller. Default: 64.
        shuffle: whether the order changes from epoch to epoch. Default: True.
        seed: seed of that order where `fit` is not kgan's, which orders the files by the model's
            own seed. Default: a random one.
        corrupt: what to do with an image that cannot be read: `"skip"` (default) puts the next
            one in its place and warns at the end of the epoch, once, with the count and names;
            `"raise"` stops.
        background: the colour that transparent parts show, such as `"black"` or `"#808080"`.
            Default: `"white"`.
        interpolation: `"bilinear"` (default), with antialiasing; `"nearest"` keeps the colours of
            drawings and label maps, and makes none between them.
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
