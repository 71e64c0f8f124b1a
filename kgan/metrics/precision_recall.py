"""Precision and recall of generated images, by balls around the features of each set."""

from typing import Any

import keras
import numpy as np

from kgan.metrics import neighbors
from kgan.metrics.image_metric import ImageMetric
from kgan.utils import numbers

SCORES = ("precision", "recall", "density", "coverage")


@keras.saving.register_keras_serializable("kgan")
class PrecisionRecall(ImageMetric):
    r"""The share of generated images that look real, and of the real variety that they cover.

    Each set is represented by balls around its points, whose radius is the distance to the k-th
    nearest neighbour in the same set. `result()` is a dictionary:

    - `precision`: the share of generated images inside a ball of real ones;
    - `recall`: the share of real images inside a ball of generated ones;
    - `density`: the mean number of real balls that contain a generated image, over `density_k`; it
      may exceed 1, and real outliers with their large balls count less than in precision;
    - `coverage`: the share of real images whose ball contains a generated one.

    All but `density` are between 0 and 1. A set compared with itself has precision and recall 1.
    Compare only scores of equally many images and the same k. Time grows with the product of
    the counts.

    Args:
        features: as for `kgan.metrics.FrechetDistance`. Default: `"pixels"`.
        k: the neighbour that defines the radius for precision and recall. Default: 3, as in the
            first paper.
        density_k: the same for density and coverage. Default: 5, as in the second paper.
        name, dtype: as for `keras.metrics.Metric`. A name other than the default,
            `"precision_recall"`, becomes a prefix of the scores.

    Raises:
        ValueError: for unknown features, or a k that is not a positive integer; in `result`, if
            there are not more images of each kind than k.

    References: Kynkäänniemi et al., Improved Precision and Recall Metric for Assessing Generative
    Models, 2019 (arXiv:1904.06991); Naeem et al., Reliable Fidelity and Diversity Metrics for
    Generative Models, 2020 (arXiv:2002.09797).
    """

    option = "precision_recall"
    better = dict.fromkeys(SCORES, "higher")

    def __init__(
        self,
        features: str | keras.Model = "pixels",
        k: int = 3,
        density_k: int = 5,
        name: str = "precision_recall",
        dtype: str | keras.DTypePolicy | None = None,
    ) -> None:
        self.k, self.density_k = numbers.count("k", k), numbers.count("density_k", density_k)
        self.least = max(self.k, self.density_k) + 1
        super().__init__(features, name=name, dtype=dtype)

    @property
    def score_names(self) -> tuple[str, ...]:
        prefix = "" if self.name == "precision_recall" else f"{self.name}_"
        return tuple(f"{prefix}{name}" for name in SCORES)

    def measure(self, real: Any, fake: Any) -> Any:
        real_radii, density_radii = neighbors.own_radii(real, self.k, self.density_k)
        (fake_radii,) = neighbors.own_radii(fake, self.k)
        inside_real = balls = 0
        inside_fake = np.zeros(len(real), bool)
        closest = np.full(len(real), np.inf)
        for start, distances in neighbors.blocks(fake, real):
            radii = fake_radii[start : start + len(distances), None]
            inside_real += np.sum((distances <= real_radii).any(axis=1))
            inside_fake |= (distances <= radii).any(axis=0)
            balls += np.sum(distances <= density_radii)
            closest = np.minimum(closest, distances.min(axis=0))
        shares = (
            inside_real / len(fake),
            inside_fake.mean(),
            balls / (self.density_k * len(fake)),
            np.mean(closest <= density_radii),
        )
        return dict(zip(self.score_names, map(float, shares), strict=True))

    def arguments(self) -> dict[str, Any]:
        return {"k": self.k, "density_k": self.density_k}
