"""The Wasserstein distance of two sets of features along random directions."""

from typing import Any

import keras
import numpy as np

from kgan.metrics.image_metric import ImageMetric, Rows
from kgan.utils import numbers


@keras.saving.register_keras_serializable("kgan")
class SlicedWasserstein(ImageMetric):
    r"""The mean transport distance of two sets along random directions.

    $\left(\frac{1}{m} \sum_i W_2^2(\theta_i^\top X, \theta_i^\top Y)\right)^{1/2}$ over m
    seeded unit vectors, where $W_2$ compares sorted numbers and is exact for unequal counts, too.
    It is 0 for equal sets; unlike the Fréchet distance it depends on the whole distribution. Only
    the projections are stored.

    Args:
        features: as for `kgan.metrics.FrechetDistance`. Default: `"pixels"`.
        directions: how many random directions. Default: 256.
        seed: seed of the directions. Default: 0.
        name, dtype: as for `keras.metrics.Metric`. Default name: `"sliced_wasserstein"`.

    Raises:
        ValueError: for unknown features, a number of directions that is not a positive integer, or
            a seed that is not an integer from 0.

    Reference: Bonneel et al., Sliced and Radon Wasserstein Barycenters of Measures, 2015. The
    score of Karras et al., Progressive Growing of GANs, 2018 (arXiv:1710.10196), section 5, uses
    image patches on a pyramid and cannot be compared with this one.
    """

    option = "sliced_wasserstein"
    better = {"sliced_wasserstein": "lower"}
    chooses = True
    least = 1

    def __init__(
        self,
        features: str | keras.Model = "pixels",
        directions: int = 256,
        seed: int = 0,
        name: str = "sliced_wasserstein",
        dtype: str | keras.DTypePolicy | None = None,
    ) -> None:
        self.directions = numbers.count("directions", directions)
        self.seed = numbers.fixed_seed(seed)
        super().__init__(features, name=name, dtype=dtype)

    def kept(self) -> Any:
        return _Projections(self.directions, self.seed)

    def measure(self, real: Any, fake: Any) -> Any:
        return float(np.sqrt(np.mean(_transport(real.all(), fake.all()))))

    def arguments(self) -> dict[str, Any]:
        return {"directions": self.directions, "seed": self.seed}


class _Projections(Rows):
    """Features along random directions."""

    def __init__(self, directions, seed):
        super().__init__()
        self.directions, self.seed = directions, seed
        self.lines = None

    def add(self, features):
        if self.lines is None:
            shape = (features.shape[1], self.directions)
            lines = np.random.default_rng(self.seed).standard_normal(shape)
            self.lines = lines / np.linalg.norm(lines, axis=0)
        super().add(features.astype("float64") @ self.lines)

    def all(self):
        return np.concatenate(self.parts)


def _transport(a, b):
    """The squared distance W2 of each column of two sets of numbers.

    Both are piecewise constant functions of the quantile, whose steps together cut [0, 1].
    """
    a, b = np.sort(a, axis=0), np.sort(b, axis=0)
    # In whole numbers, times both counts, so that equal steps meet exactly.
    ends = np.union1d(np.arange(1, len(a) + 1) * len(b), np.arange(1, len(b) + 1) * len(a))
    weights = np.diff(ends, prepend=0) / (len(a) * len(b))
    gaps = a[(ends - 1) // len(b)] - b[(ends - 1) // len(a)]
    return weights @ gaps**2
