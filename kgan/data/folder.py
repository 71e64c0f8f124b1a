"""A folder of image files, read as training goes."""

import dataclasses
import os

from kgan.data import files
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
    **kwargs,
) -> ImageStream:
    """Returns the images below a folder as batches for `fit`, read from disk in each epoch.

    Every image is cropped to the wanted proportions around its centre, then resized.

    Args:
        path: the folder; its subfolders are searched too.
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
        **kwargs: of `keras.utils.PyDataset`, such as `workers` for reading in parallel.

    Returns:
        A `keras.utils.PyDataset` of float32 batches `(batch, height, width, channels)` in [-1, 1].

    Raises:
        ValueError: if the folder does not exist or holds no image, or an argument is wrong; when
            images are read, if none can be, or with `corrupt="raise"` for the first that cannot.
    """
    size, channels = files.check_size(image_size), files.check_channels(channels)
    read = ReadImage(size, channels, crop=True)
    source = Samples(files.find_images(path), read, corrupt)
    return ImageStream([source], batch_size, shuffle, seed, **kwargs)


@dataclasses.dataclass(frozen=True)
class ReadImage:
    """Reads a file as pixels: see `kgan.data.files.to_array`."""

    size: tuple[int, int]
    channels: int
    crop: bool = False

    def __call__(self, file):
        with files.opened(file) as image:
            return files.to_array(image, self.size, self.channels, self.crop)
