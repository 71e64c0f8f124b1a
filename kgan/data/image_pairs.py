"""Pairs of images, inputs and targets, read from disk."""

import dataclasses
import itertools
import math
import os
import warnings
from pathlib import Path
from typing import Any

from kgan.data import files
from kgan.data.decoding import AS_EVER, Decoding, Reader, two_decodings
from kgan.data.folder import ReadImage
from kgan.data.image_stream import ImageStream, Samples
from kgan.utils import numbers
from kgan.utils.advice import advice


def image_pairs(
    source: str | os.PathLike,
    targets: str | os.PathLike | None = None,
    image_size: tuple[int, int] | None = None,
    batch_size: int = 1,
    *,
    swap: bool = False,
    channels: int | tuple[int, int] = 3,
    shuffle: bool = True,
    seed: int | None = None,
    corrupt: str = "skip",
    background: str = "white",
    interpolation: str | tuple[str, str] = "bilinear",
    **kwargs: Any,
) -> ImageStream:
    """Returns pairs of images as batches for `kgan.Pix2Pix.fit`, read from disk in each epoch.

    Either two folders whose files have the same names up to their suffixes, or one folder of images
    that contain a pair side by side: the input on the left, the target on the right, as in the
    Pix2Pix data sets. Images are resized without cropping, so that pairs stay aligned.

    Args:
        source: the folder of the inputs, or of the pairs; subfolders are searched too.
        targets: the folder of the targets. Default: None, the pairs are side by side.
        image_size: `(height, width)` of each image of a pair. Default: their own size, which must
            then be the same for all.
        batch_size: pairs per batch. When shuffled, an incomplete last batch is dropped, which
            leaves out different pairs each epoch; otherwise the last batch may be smaller. Default:
            1.
        swap: whether to translate the other way: from right to left, from targets to source.
            Default: False.
        channels: 3 for colour (default), 1 for grey, or `(inputs, targets)`.
        shuffle: whether the order changes from epoch to epoch. Default: True.
        seed: seed of that order outside of kgan's `fit`, which uses the seed of the model instead.
            Default: a random one.
        corrupt: what to do with an unreadable pair: `"skip"` (default) replaces it by the next one
            and warns once at the end of the epoch, with count and names; `"raise"` stops.
        background: see `folder`. Default: `"white"`.
        interpolation: `"bilinear"` (default), `"nearest"`, or `(inputs, targets)`. Use
            `("bilinear", "nearest")` if the targets are label maps, whose colours must not mix.
        **kwargs: of `keras.utils.PyDataset`, such as `workers` for reading in parallel.

    Returns:
        A `keras.utils.PyDataset` of batches `(inputs, targets)`, float32
        `(batch, height, width, channels)` in [-1, 1].

    Raises:
        ValueError: if a folder does not exist or holds no image, a file has no partner, images
            side by side have an odd width, sizes differ and `image_size` is None, or an argument is
            wrong; when images are read, if none can be, or with `corrupt="raise"` for the first
            that cannot.

    Reference: Isola, Zhu, Zhou, Efros, Image-to-Image Translation with Conditional Adversarial
    Networks, 2017 (arXiv:1611.07004).
    """
    both, swap = files.check_two_channels(channels), numbers.flag("swap", swap)
    size = None if image_size is None else files.check_size(image_size)
    decoding = two_decodings(background, interpolation)
    read: Reader
    if targets is None:
        items = files.find_images(source)
        read = ReadHalves(_half_size(items, size), both, swap, decoding)
    else:
        items = _matched(*((targets, source) if swap else (source, targets)))
        size = size or files.the_size(files.sizes_of(itertools.chain(*items)))
        read = ReadTwoFiles(size, both, decoding)
    return ImageStream([Samples(items, read, corrupt)], batch_size, shuffle, seed, **kwargs)


@dataclasses.dataclass(frozen=True, repr=False)
class ReadHalves(Reader):
    """Reads a file as the pixels of its left and right half."""

    size: tuple[int, int]
    channels: tuple[int, int]
    swap: bool
    decoding: tuple[Decoding, Decoding] = (AS_EVER, AS_EVER)

    def __call__(self, file, remark=None):
        with self.decoding[0].opened(file, remark=remark) as image:
            middle = image.width // 2
            left = image.crop((0, 0, middle, image.height))
            right = image.crop((middle, 0, image.width, image.height))
        halves = (right, left) if self.swap else (left, right)
        return tuple(
            decoding.to_array(half, self.size, channels)
            for half, channels, decoding in zip(halves, self.channels, self.decoding, strict=True)
        )


@dataclasses.dataclass(frozen=True, repr=False)
class ReadTwoFiles(Reader):
    """Reads two files as the pixels of each."""

    size: tuple[int, int]
    channels: tuple[int, int]
    decoding: tuple[Decoding, Decoding] = (AS_EVER, AS_EVER)

    def __call__(self, pair, remark=None):
        return tuple(
            ReadImage(self.size, channels, decoding=decoding)(file, remark)
            for file, channels, decoding in zip(pair, self.channels, self.decoding, strict=True)
        )


def _half_size(items, wanted):
    """Returns the size to read halves in: the wanted one, or their own."""
    sizes = files.sizes_of(items)
    odd = [of[0] for (_, width), of in sizes.items() if width % 2]
    if odd:
        raise ValueError(
            "Two images side by side have an even width together: cut off the excess column, or "
            "give inputs and targets as two folders. "
            f"Received: {len(odd)} odd widths, such as that of {odd[0]}"
        )
    single = no_pair(sizes, wanted)
    if single:
        warnings.warn(
            "Some images look like one each, not like two. Are they pairs side by side? Inputs and "
            "targets in two folders are read with "
            f"{advice('image_pairs(inputs, targets)', '--targets')}, images without partners with "
            f"{advice('image_domains(a, b)', '--model cyclegan')}. "
            f"Received: {single}{advice(f', image_size={wanted}', '')}",
            stacklevel=3,
        )
    if wanted is None:
        height, width = files.the_size(sizes)
        return height, width // 2
    return wanted


def no_pair(sizes, wanted=None):
    """Names an image that does not look like a pair side by side, or returns None.

    Args:
        sizes: of `kgan.data.files.sizes_of`.
        wanted: the size that halves are to be read in. Default: their own.
    """
    for (height, width), of in sizes.items():
        if wanted is None:
            single = width <= height
        else:
            proportions = wanted[1] / wanted[0]
            whole, half = (abs(math.log(w / height / proportions)) for w in (width, width / 2))
            # Halves as wide as high have often been squeezed, and are to get their width back.
            single = whole < half and width < 2 * height
        if single:
            return f"{of[0]} of {height}x{width}"
    return None


def _matched(inputs, targets):
    """Pairs the files of two folders by name."""
    first, second = _by_name(inputs), _by_name(targets)
    lonely = [first[name] for name in first.keys() - second.keys()]
    lonely += [second[name] for name in second.keys() - first.keys()]
    if lonely:
        shown = ", ".join(map(str, sorted(lonely)[: files.SHOWN]))
        raise ValueError(
            "Each input needs a target of the same name in the other folder (endings may differ): "
            "add or remove files; images without partners are for "
            f"{advice('kgan.data.image_domains', '--model cyclegan')}. "
            f"Received: {len(lonely)} of {len(first) + len(second)} files without a partner: "
            f"{shown}{', ...' if len(lonely) > files.SHOWN else ''}"
        )
    return [(first[name], second[name]) for name in first]


def _by_name(folder):
    named = {}
    for file in files.find_images(folder):
        name = file.relative_to(Path(folder)).with_suffix("")
        if name in named:
            raise ValueError(
                "Two files of one name in a folder leave open which is meant: remove one. "
                f"Received: {named[name]} and {file}"
            )
        named[name] = file
    return named
