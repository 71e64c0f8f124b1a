"""Two folders of unpaired images, such as horses and zebras, read from disk."""

import itertools
import os
from typing import Any

from kgan.data import files
from kgan.data.decoding import two_decodings
from kgan.data.folder import ReadImage
from kgan.data.image_stream import ImageStream, Samples


def image_domains(
    folder_a: str | os.PathLike,
    folder_b: str | os.PathLike,
    image_size: tuple[int, int] | None = None,
    batch_size: int = 1,
    *,
    channels: int | tuple[int, int] = 3,
    shuffle: bool = True,
    seed: int | None = None,
    corrupt: str = "skip",
    background: str = "white",
    interpolation: str | tuple[str, str] = "bilinear",
    **kwargs: Any,
) -> ImageStream:
    """Returns images of two domains as batches for `kgan.CycleGAN.fit`, read in each epoch.

    An epoch goes once through the larger folder and repeats the smaller one, each time in a new
    order. Images are resized without cropping.

    Args:
        folder_a: the images of domain A; subfolders are searched too.
        folder_b: the images of domain B.
        image_size: `(height, width)`. Default: the images' own size, which must then be the same
            for all of both folders.
        batch_size: images of each domain per batch. When shuffled, an incomplete last batch is
            dropped, which leaves out different images each epoch; otherwise the last batch may be
            smaller. Default: 1.
        channels: 3 for colour (default), 1 for grey, or `(a, b)`.
        shuffle: whether the orders change from epoch to epoch. Default: True.
        seed: seed of the orders outside of kgan's `fit`, which uses the seed of the model instead.
            Default: a random one.
        corrupt: what to do with an unreadable image: `"skip"` (default) replaces it by the next one
            and warns once at the end of the epoch, with count and names; `"raise"` stops.
        background: see `folder`. Default: `"white"`.
        interpolation: `"bilinear"` (default), `"nearest"`, or `(a, b)`: see `folder`.
        **kwargs: of `keras.utils.PyDataset`, such as `workers` for reading in parallel.

    Returns:
        A `keras.utils.PyDataset` of batches `(images_a, images_b)`, float32
        `(batch, height, width, channels)` in [-1, 1].

    Raises:
        ValueError: if a folder does not exist or holds no image, sizes differ and `image_size` is
            None, or an argument is wrong; when images are read, if none can be, or with
            `corrupt="raise"` for the first that cannot.

    Reference: Zhu, Park, Isola, Efros, Unpaired Image-to-Image Translation using Cycle-Consistent
    Adversarial Networks, 2017 (arXiv:1703.10593).
    """
    both = files.check_two_channels(channels)
    decodings = two_decodings(background, interpolation)
    domains = [files.find_images(folder) for folder in (folder_a, folder_b)]
    if image_size is None:
        image_size = files.the_size(files.sizes_of(itertools.chain(*domains)))
    size = files.check_size(image_size)
    sources = [
        Samples(images, ReadImage(size, each, decoding=decoding), corrupt)
        for images, each, decoding in zip(domains, both, decodings, strict=True)
    ]
    return ImageStream(sources, batch_size, shuffle, seed, **kwargs)
