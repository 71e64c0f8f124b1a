"""Mixtures of Gaussians with known modes: the standard test of mode collapse."""

import numpy as np
import numpy.typing as npt

from kgan.utils import numbers


class Mixture:
    """Equally likely Gaussians of one standard deviation.

    Args:
        centers: the means, `(modes, dimensions)`.
        deviation: the standard deviation in every dimension, above 0.

    Raises:
        ValueError: if the centers are not a matrix of finite numbers, or the deviation is not above
            0.

    Example:

    ```python
    ring = kgan.data.ring()
    points, labels = ring.sample(100_000, seed=0)
    coverage = kgan.metrics.ModeCoverage(ring)
    coverage.update_state(points)
    coverage.result()  # modes: 8, high_quality: 0.989, kl_to_uniform: 0.000
    ```
    """

    def __init__(self, centers: npt.ArrayLike, deviation: float) -> None:
        self.centers = numbers.array("centers", centers).astype("float32")
        if self.centers.ndim != 2:
            raise ValueError(
                "centers must be finite numbers of shape (modes, dimensions). "
                f"Received: shape {self.centers.shape}"
            )
        self.deviation = numbers.positive("deviation", deviation)

    @property
    def modes(self) -> int:
        """How many Gaussians there are."""
        return len(self.centers)

    def sample(self, count: int, seed: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Returns `count` points, float32 `(count, dimensions)`, and their modes, int32.

        Args:
            count: how many, at least 1.
            seed: an int gives the same points each time. Default: new ones.

        Raises:
            ValueError: if `count` is not a positive integer.
        """
        count = numbers.count("count", count)
        rng = np.random.default_rng(numbers.seed(seed))
        labels = rng.integers(self.modes, size=count, dtype="int32")
        noise = rng.standard_normal((count, self.centers.shape[1]), "float32")
        return self.centers[labels] + np.float32(self.deviation) * noise, labels


def ring(modes: int = 8, radius: float = 1.0, deviation: float = 0.01) -> Mixture:
    """Returns Gaussians on a circle in the plane.

    Args:
        modes: how many Gaussians. Default: 8.
        radius: of the circle. Default: 1.
        deviation: the standard deviation of each. Default: 0.01.

    Source of the defaults: Srivastava et al., VEEGAN, 2017 (arXiv:1705.07761), as measured by Lin
    et al., PacGAN, 2018 (arXiv:1712.04086), section 4.1.
    """
    modes, radius = numbers.count("modes", modes), numbers.positive("radius", radius)
    angles = 2 * np.pi * np.arange(modes) / modes
    return Mixture(radius * np.stack([np.cos(angles), np.sin(angles)], axis=1), deviation)


def grid(side: int = 5, spacing: float = 2.0, deviation: float = 0.05) -> Mixture:
    """Returns `side * side` Gaussians on a square grid around zero.

    Args:
        side: how many in a row. Default: 5.
        spacing: the distance between neighbours. Default: 2.
        deviation: the standard deviation of each. Default: 0.05.

    Source of the defaults: as for `ring`.
    """
    side, spacing = numbers.count("side", side), numbers.positive("spacing", spacing)
    line = spacing * (np.arange(side) - (side - 1) / 2)
    return Mixture(np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2), deviation)
