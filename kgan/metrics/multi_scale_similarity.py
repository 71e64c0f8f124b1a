"""The similarity of generated images to each other, on several scales (MS-SSIM)."""

from typing import Any

import keras
import numpy as np

from kgan.metrics.image_metric import ImageMetric

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the paper, from fine to coarse
WINDOW, DEVIATION = 11, 1.5  # of the Gaussian window, in pixels
RANGE = 2.0  # of images in [-1, 1]


@keras.saving.register_keras_serializable("kgan")
class MultiScaleSimilarity(ImageMetric):
    """The mean similarity of pairs of generated images and of pairs of real ones.

    Generated images that are more similar than real ones lack variety; less similar ones may be
    noise. Pairs are consecutive images: the first and second, the third and fourth. A conditional
    model generates images for the labels of the real ones in the same order, so images sorted by
    class are compared within their class, as in the second paper.

    `result()` is a dictionary of two floats, at most 1: `multi_scale_similarity` of the generated
    images and `multi_scale_similarity_real` of the real ones.

    Each scale halves the last, and a window of 11 pixels must fit: all five scales of the paper
    take images of 176 pixels. Smaller images have fewer, with the weights scaled to sum 1, and
    images of fewer than 11 pixels a smaller window; `protocol` has the number of scales; compare
    only scores with the same number.

    Args:
        name, dtype: as for `keras.metrics.Metric`. The name is that of the first score and begins
            that of the second. Default: `"multi_scale_similarity"`.

    Raises:
        ValueError: in `update_state`, for samples that are not images.

    References: Wang, Simoncelli and Bovik, Multi-scale Structural Similarity for Image Quality
    Assessment, 2003; as a measure of variety, Odena et al., 2017 (arXiv:1610.09585), section 4.2.
    """

    option = "multi_scale_similarity"
    takes = None
    compares = False

    def __init__(
        self, name: str = "multi_scale_similarity", dtype: str | keras.DTypePolicy | None = None
    ) -> None:
        super().__init__("pixels", name=name, dtype=dtype)
        self.features = _Images()

    @property
    def score_names(self) -> tuple[str, ...]:
        return self.name, f"{self.name}_real"

    def kept(self) -> Any:
        return _Pairs()

    def measure(self, real: Any, fake: Any) -> Any:
        return dict(zip(self.score_names, (fake.mean(), real.mean()), strict=True))

    @property
    def protocol(self) -> dict[str, Any]:
        protocol = super().protocol
        if self.shape:
            protocol |= {"scales": scales(self.shape), "window": window(self.shape)}
        return protocol

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["features"]
        return config


class _Images:
    """Images as they are."""

    config = "pixels"
    network = None
    protocol = {"features": "pixels"}

    def check(self, shape):
        if len(shape) != 3:
            raise ValueError(
                "This measure needs images (height, width, channels): remove it. "
                f"Received: samples of shape {tuple(shape)}"
            )

    def __call__(self, images):
        self.check(images.shape[1:])
        return images


class _Pairs:
    """The similarity of consecutive images."""

    def __init__(self):
        self.count = self.pairs = 0
        self.total = 0.0
        self.left = None

    def add(self, images):
        self.count += len(images)
        if self.left is not None:
            images = np.concatenate([self.left, images])
        even = len(images) // 2 * 2
        self.left = images[even:].copy() if len(images) > even else None
        if even:
            self.total += float(np.sum(similarity(images[:even:2], images[1:even:2])))
            self.pairs += even // 2

    def mean(self):
        return self.total / self.pairs


def similarity(a, b):
    """Returns the multi-scale structural similarity of pairs of images.

    Args:
        a, b: floats `(batch, height, width, channels)` in [-1, 1].

    Returns:
        float64 `(batch,)`, the mean over the channels. Negative terms count as 0.
    """
    # The luminance term compares intensities, which are counted from black.
    a, b = a.astype("float64") + 1, b.astype("float64") + 1
    weights, kernel = _weights(a.shape[1:]), _gaussian(window(a.shape[1:]))
    product = 1.0
    for scale, weight in enumerate(weights):
        luminance, contrast = _terms(a, b, kernel)
        last = scale == len(weights) - 1
        term = (luminance * contrast if last else contrast).mean(axis=(1, 2))
        product = product * np.maximum(term, 0) ** weight
        if not last:
            a, b = _halved(a), _halved(b)
    return product.mean(axis=-1)


def scales(shape):
    """Returns how many scales images of a shape `(height, width, channels)` have."""
    side, count = min(shape[:2]), 1
    while count < len(WEIGHTS) and side // 2 >= WINDOW:
        side, count = side // 2, count + 1
    return count


def window(shape):
    """Returns the side of the window for images of a shape `(height, width, channels)`."""
    side = min(shape[:2])
    return min(WINDOW, side - (side + 1) % 2)  # odd, so that it has a centre


def _weights(shape):
    weights = np.array(WEIGHTS[: scales(shape)])
    return weights / weights.sum()


def _terms(a, b, kernel):
    """The luminance term, and that of contrast and structure, at each place of the window."""
    means = _blurred(a, kernel), _blurred(b, kernel)
    squares = _blurred(a**2 + b**2, kernel) - means[0] ** 2 - means[1] ** 2
    product = _blurred(a * b, kernel) - means[0] * means[1]
    small, smaller = (0.01 * RANGE) ** 2, (0.03 * RANGE) ** 2
    luminance = (2 * means[0] * means[1] + small) / (means[0] ** 2 + means[1] ** 2 + small)
    return luminance, (2 * product + smaller) / (squares + smaller)


def _blurred(images, kernel):
    """Weighted means in a window, where it lies inside the image."""
    for axis in (1, 2):
        images = np.lib.stride_tricks.sliding_window_view(images, len(kernel), axis) @ kernel
    return images


def _gaussian(size):
    x = np.arange(size) - size // 2
    kernel = np.exp(-(x**2) / (2 * DEVIATION**2))
    return kernel / kernel.sum()


def _halved(images):
    """Means of two by two pixels; an odd last row or column is left out."""
    count, height, width, channels = images.shape
    images = images[:, : height // 2 * 2, : width // 2 * 2]
    return images.reshape(count, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))
