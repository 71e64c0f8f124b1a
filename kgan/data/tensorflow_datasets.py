"""Image data sets of TensorFlow Datasets."""

import difflib
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from kgan import checks
from kgan.data.files import check_size
from kgan.images import from_pixels, resize
from kgan.utils import numbers
from kgan.utils.advice import advice, received
from kgan.utils.optional import require


def tfds(
    name: str,
    split: str = "train",
    *,
    data_dir: str | os.PathLike | None = None,
    download: bool = True,
    image_size: tuple[int, int] | None = None,
    batch_size: int | None = None,
    seed: int | None = None,
) -> Any:
    """Loads the images of a TensorFlow Datasets data set.

    Args:
        name: for example `"mnist"`, `"fashion_mnist"`, `"cifar10"`; `"name/config:version"` too.
        split: as in `tfds.load`, for example `"train"` or `"train[:1000]"`. Default: `"train"`.
        data_dir: the folder of prepared data sets. Default: that of TensorFlow Datasets.
        download: whether to download and prepare what is missing. Default: True.
        image_size: `(height, width)` to resize to. Default: the images' own size, which must then
            be the same for all.
        batch_size: None (default) returns arrays. An integer returns a stream of shuffled
            batches instead, for data sets that do not fit in memory.
        seed: seed of the order of that stream. Default: a random one.

    Returns:
        `(images, labels)`: float32 `(count, height, width, channels)` in [-1, 1], and the labels
        as in the data set, or None if it has none. With `batch_size`, a `tf.data.Dataset`
        that yields such pairs (or images alone).

    Raises:
        ImportError: if tensorflow-datasets or TensorFlow, which reads its files, is missing.
        ValueError: if the data set does not exist, has no images, or has images of several sizes
            and `image_size` is None.
    """
    size = None if image_size is None else check_size(image_size)
    seed, download = numbers.seed(seed), numbers.flag("download", download)
    check_names(name, [split], data_dir)
    if batch_size is not None:
        batch_size = numbers.count("batch_size", batch_size)
    require("tensorflow", "data,tensorflow", "kgan.data.tfds()")
    library = require("tensorflow_datasets", "data,tensorflow", "kgan.data.tfds()")
    builder = prepared(library, name, data_dir, download)
    if "image" not in (builder.info.features or {}):
        raise ValueError(
            "Only a set with a feature named 'image' will do. "
            f"Received: {received('name', name)} with features {list(builder.info.features or {})}"
        )
    if batch_size:
        order = {"shuffle_files": True, "read_config": library.ReadConfig(shuffle_seed=seed)}
        return _stream(builder.as_dataset(split=split, **order), size, batch_size, seed)
    images, labels = [], []
    for example in library.as_numpy(builder.as_dataset(split=split)):
        image = example["image"][None]
        images.append(resize(image, size) if size else image)
        labels.append(example.get("label"))
    has_labels = labels and labels[0] is not None
    return from_pixels(_stack(images, name)), np.array(labels) if has_labels else None


def check_names(name, splits, data_dir):
    """Raises a ValueError if the name, the splits or the folder of a data set are not strings."""
    for argument, text in [("name", name), *(("split", split) for split in splits)]:
        if not isinstance(text, str):
            raise ValueError(f"{argument} must be text. Received: {argument}={numbers.shown(text)}")
    if data_dir is not None:
        checks.check_path("data_dir", data_dir)


def prepared(library, name, data_dir, download):
    """Returns the builder of a prepared data set.

    Args:
        library: the module `tensorflow_datasets`.
        name, data_dir, download: see `tfds`.

    Raises:
        ValueError: if the data set does not exist, or is not prepared and must not be downloaded.
    """
    try:
        builder = library.builder(name, data_dir=data_dir)
    except (ValueError, AssertionError) as error:
        known = re.split("[/:]", name)[0]
        close = difflib.get_close_matches(known, library.list_builders(), cutoff=0.75)
        hint = f" (is it {' or '.join(close)}?)" if close and known not in close else ""
        unknown = advice(
            f"TensorFlow Datasets has no such set{hint}: tensorflow_datasets.list_builders() names "
            "them all. Images in a folder are read by kgan.data.folder.",
            "There is no such folder of images (that of a run is none), and TensorFlow Datasets "
            f"has no such set{hint}: its web pages name them all.",
        )
        raise ValueError(f"{unknown} Received: {name!r} ({str(error).splitlines()[0]})") from error
    if download:
        builder.download_and_prepare()
    elif not Path(builder.data_dir).is_dir():
        raise ValueError(
            "This set is not prepared: let it be downloaded "
            f"({advice('download=True', '--download')}), or name the folder of prepared sets with "
            f"{advice('data_dir=', '--data-dir')}. "
            f"Received: {name!r}, looked for in {builder.data_dir}"
        )
    return builder


def _stack(images, name):
    if len({image.shape for image in images}) > 1:
        raise ValueError(
            "The images of this set differ in size: "
            f"{advice('pass image_size=(height, width)', 'add --image-size, as in 96x128')}. "
            f"Received: {advice(f'name={name!r}, image_size=None', f'{name} without --image-size')}"
        )
    return np.concatenate(images)


def _stream(dataset, image_size, batch_size, seed):
    tensorflow = require("tensorflow", "data,tensorflow", "kgan.data.tfds()")

    def prepare(example):
        image = tensorflow.cast(example["image"], "float32")
        if image_size:
            image = tensorflow.image.resize(image, image_size, antialias=True)
        image = tensorflow.clip_by_value(image / 127.5 - 1, -1, 1)
        return (image, example["label"]) if "label" in example else image

    parallel = tensorflow.data.AUTOTUNE
    prepared = dataset.map(prepare, parallel).shuffle(4096, seed).batch(batch_size)
    return prepared.prefetch(parallel)
