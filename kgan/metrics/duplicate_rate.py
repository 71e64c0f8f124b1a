"""The rate of generated images that copy training images."""

from typing import Any

import keras
import numpy as np

from kgan.metrics import neighbors
from kgan.metrics.image_metric import ImageMetric
from kgan.utils import numbers


@keras.saving.register_keras_serializable("kgan")
class DuplicateRate(ImageMetric):
    """The share of generated images that are conspicuously close to a training image.

    A generated image is a duplicate if the distance to its nearest training image is at most
    `threshold` times the distance from that one to its own nearest neighbour in the training set.
    A new image of the same distribution is about as far from its neighbour as training images are
    from each other; a copy is much closer, and an exact copy at distance 0.

    Pass the training images as the real ones to `update_state` (or `gan.evaluate`): with others it
    says nothing about copying.

    Args:
        features: as for `kgan.metrics.FrechetDistance`. Default: `"pixels"`, which finds copies
            that are not shifted or rotated.
        threshold: the limit of that ratio, from 0 (exact copies only) to 1. Default: 0.5.
        name, dtype: as for `keras.metrics.Metric`. Default name: `"duplicate_rate"`.

    Raises:
        ValueError: for unknown features, or a threshold outside [0, 1].

    Reference: with a threshold of 1 the score is 1 - authenticity of Alaa et al., How Faithful is
    your Synthetic Data?, 2022 (arXiv:2102.08921), section 3.2, and near one half for a generator
    that has learned the distribution.
    """

    option = "duplicate_rate"
    searches = True

    def __init__(
        self,
        features: str | keras.Model = "pixels",
        threshold: float = 0.5,
        name: str = "duplicate_rate",
        dtype: str | keras.DTypePolicy | None = None,
    ) -> None:
        self.threshold = numbers.share("threshold", threshold)
        super().__init__(features, name=name, dtype=dtype)

    def measure(self, real: Any, fake: Any) -> Any:
        found, distances = neighbors.nearest(fake, real)
        # The distances among training images are needed only for those that were found.
        rows, back = np.unique(found, return_inverse=True)
        _, own = neighbors.nearest_other(real, rows)
        return float(np.mean(distances <= self.threshold * own[back]))

    def arguments(self) -> dict[str, Any]:
        return {"threshold": self.threshold}
