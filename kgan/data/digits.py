"""The handwritten digits that come with scikit-learn: real data without a network."""

import numpy as np

from kgan.images import from_pixels, resize
from kgan.utils import numbers
from kgan.utils.optional import require


def digits(size: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Returns 1,797 handwritten digits and their labels.

    Args:
        size: height and width; the originals are 8x8, others are resized. Default: 8.

    Returns:
        `(images, labels)`: float32 `(1797, size, size, 1)` in [-1, 1], ink high, and int32
        `(1797,)` from 0 to 9.

    Raises:
        ImportError: if scikit-learn is not installed.
        ValueError: if the size is not a positive integer.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine
    Learning Repository, 1998 (CC BY 4.0): its test part, as `sklearn.datasets.load_digits` has it.
    """
    size = numbers.count("size", size)
    datasets = require("sklearn.datasets", "data", "kgan.data.digits()")
    source = datasets.load_digits()
    pixels = np.round(source.images * (255 / 16)).astype("uint8")[..., None]
    return from_pixels(resize(pixels, (size, size))), source.target.astype("int32")
