"""The two domains of a CycleGAN data set of TensorFlow Datasets, read during training."""

import dataclasses
import io
import os
from pathlib import Path
from typing import Any, NamedTuple

from kgan.data import files
from kgan.data.decoding import AS_EVER, Decoding, Reader, two_decodings
from kgan.data.image_stream import ImageStream, Samples
from kgan.data.tensorflow_datasets import check_names, prepared
from kgan.utils import numbers
from kgan.utils.advice import received
from kgan.utils.optional import require


def tfds_domains(
    name: str,
    image_size: tuple[int, int],
    batch_size: int = 1,
    *,
    splits: tuple[str, str] = ("trainA", "trainB"),
    data_dir: str | os.PathLike | None = None,
    download: bool = True,
    channels: int | tuple[int, int] = 3,
    shuffle: bool = True,
    seed: int | None = None,
    corrupt: str = "skip",
    background: str = "white",
    interpolation: str | tuple[str, str] = "bilinear",
    **kwargs: Any,
) -> ImageStream:
    """Returns two splits of a TensorFlow Datasets data set as batches for `kgan.CycleGAN.fit`.

    The images are read one by one from the files of the data set, as `image_domains` reads folders,
    on every backend and in an order that `fit` can repeat, unlike with a `tf.data.Dataset`.

    Args:
        name: for example `"cycle_gan/horse2zebra"`.
        image_size: `(height, width)` to resize to, without cropping.
        batch_size: see `image_domains`. Default: 1.
        splits: those of domain A and B, as in `tfds.load`. Default: `("trainA", "trainB")`.
        data_dir: the folder of prepared data sets. Default: that of TensorFlow Datasets.
        download: whether to download and prepare what is missing. Default: True.
        channels, shuffle, seed, corrupt, background, interpolation, **kwargs: see
            `image_domains`.

    Returns:
        A `keras.utils.PyDataset` of batches `(images_a, images_b)`, float32
        `(batch, height, width, channels)` in [-1, 1].

    Raises:
        ImportError: if tensorflow-datasets is missing.
        ValueError: if the data set lacks these splits, has no images or is not stored in TFRecord
            files, or an argument is wrong; while reading, see `image_domains`.
    """
    decodings = two_decodings(background, interpolation)
    both, size = files.check_two_channels(channels), files.check_size(image_size)
    download = numbers.flag("download", download)
    if not isinstance(splits, (tuple, list)) or len(splits) != 2:
        raise ValueError(
            f"splits must be two, of domain A and of B. Received: splits={numbers.shown(splits)}"
        )
    check_names(name, splits, data_dir)
    library = require("tensorflow_datasets", "data,tensorflow", "kgan.data.tfds_domains()")
    info = prepared(library, name, data_dir, download).info
    if "image" not in (info.features or {}) or info.file_format.value != "tfrecord":
        raise ValueError(
            "Only a set with a feature named 'image', in TFRecord files, will do. "
            f"Received: {received('name', name)} with features {list(info.features or {})} in "
            f"{info.file_format.value} files"
        )
    encoded = {"image": library.decode.SkipDecoding()}
    sources = [
        Samples(
            _records(info, split), ReadRecord(size, each, info.features, encoded, decoding), corrupt
        )
        for split, each, decoding in zip(splits, both, decodings, strict=True)
    ]
    return ImageStream(sources, batch_size, shuffle, seed, **kwargs)


class Record(NamedTuple):
    """The position of an example in a file."""

    file: str
    start: int
    length: int


@dataclasses.dataclass(frozen=True, repr=False)
class ReadRecord(Reader):
    """Reads the image of a record as pixels."""

    size: tuple[int, int]
    channels: int
    features: Any = dataclasses.field(repr=False)
    decoders: Any = dataclasses.field(repr=False)
    decoding: Decoding = AS_EVER

    def __call__(self, record, remark=None):
        with open(record.file, "rb") as file:
            file.seek(record.start)
            example = file.read(record.length)
        image = self.features.deserialize_example_np(example, decoders=self.decoders)["image"]
        name = f"{Path(record.file).name} at byte {record.start}"
        with self.decoding.opened(io.BytesIO(image), name, remark) as upright:
            return self.decoding.to_array(upright, self.size, self.channels)


def _records(info, split):
    """Finds the records of a split such as `"trainA[:100]"` without reading the images."""
    if split.split("[")[0] not in info.splits:
        raise ValueError(
            f"The set must have the splits of both domains, from {list(info.splits)}. "
            f"Received: split {split!r} of {info.name!r}"
        )
    records = []
    for part in info.splits[split].file_instructions:
        stop = None if part.take < 0 else part.skip + part.take
        records += list(_index(part.filename))[part.skip : stop]
    return records


def _index(filename):
    """Yields the records of a TFRecord file: 8 bytes of length, 4 of checksum, data, 4 more."""
    with open(filename, "rb") as file:
        while length := int.from_bytes(file.read(8), "little"):
            yield Record(filename, file.tell() + 4, length)
            file.seek(4 + length + 4, os.SEEK_CUR)
