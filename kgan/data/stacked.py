"""Grey images stacked into channels, which gives a mode for each combination of classes."""

from typing import Any

import numpy as np
import numpy.typing as npt

from kgan.checks import check_labels
from kgan.data.tensorflow_datasets import tfds
from kgan.utils import numbers


def stack(
    images: npt.ArrayLike,
    labels: npt.ArrayLike,
    count: int,
    channels: int = 3,
    seed: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns random images stacked along the channels, one per channel.

    Args:
        images: grey images, `(n, height, width, 1)`.
        labels: their classes, integers from 0, `(n,)`.
        count: how many stacked images to make.
        channels: how many to stack. Default: 3.
        seed: an int gives the same images each time. Default: new ones.

    Returns:
        `(stacked, labels)`: `(count, height, width, channels)` of the images' dtype, and int32
        labels, numbers whose digits are the classes: 10 classes in 3 channels give 1,000 modes, and
        the classes 2, 0, 7 the label 207.

    Raises:
        ValueError: if the images are not grey or the labels do not fit them.
    """
    grey, names = numbers.array("images", images), np.asarray(labels)
    if grey.ndim != 4 or grey.shape[-1] != 1 or names.shape != grey.shape[:1]:
        raise ValueError(
            "stack() needs grey images (n, height, width, 1) and a label for each. "
            f"Received: images {grey.shape}, labels {names.shape}"
        )
    classes = int(names.max()) + 1 if names.dtype.kind in "iu" and names.size else 1
    names = check_labels(names, classes, len(grey))
    count, channels = numbers.count("count", count), numbers.count("channels", channels)
    chosen = np.random.default_rng(numbers.seed(seed)).integers(len(grey), size=(count, channels))
    stacked = np.concatenate([grey[chosen[:, i]] for i in range(channels)], axis=-1)
    places: np.ndarray = classes ** np.arange(channels)[::-1]
    return stacked, (names[chosen] * places).sum(axis=1).astype("int32")


def stacked_mnist(
    count: int = 128_000, seed: int | None = None, **options: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Returns Stacked MNIST: three random digits in the channels, 1,000 modes.

    Args:
        count: how many images. Default: 128,000.
        seed: an int gives the same images each time. Default: new ones.
        **options: of `kgan.data.tfds`, such as `data_dir`, `split` or `image_size`.

    Returns:
        `(images, labels)`: float32 `(count, 28, 28, 3)` in [-1, 1], int32 labels in [0, 1000).

    Source: Metz et al., Unrolled Generative Adversarial Networks, 2017 (arXiv:1611.02163), section
    3.3.1; the digits are MNIST's (LeCun, Cortes, Burges).
    """
    count, seed = numbers.count("count", count), numbers.seed(seed)
    digits, labels = tfds("mnist", **options)
    return stack(digits, labels, count, seed=seed)
