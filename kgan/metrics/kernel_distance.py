"""The squared maximum mean discrepancy of features, with a cubic kernel."""

from typing import Any

import keras
import numpy as np

from kgan.metrics.image_metric import ImageMetric
from kgan.utils import numbers

LEAST_BLOCKS = 10


@keras.saving.register_keras_serializable("kgan")
class KernelDistance(ImageMetric):
    r"""The distance of two sets of features under a cubic kernel, with its standard error.

    The squared maximum mean discrepancy with $k(x, y) = (x^\top y / d + 1)^3$ for d features. It is
    unbiased: 0 on average where both sets have one distribution, so it can be a little below 0, and
    it does not fall with the number of images as the Fréchet distance does.

    The images of each kind are shuffled by a fixed seed and cut into equal blocks; each pair
    of blocks gives an estimate. `result()` is a dictionary: `kernel_distance`, the mean of the
    blocks, and `kernel_distance_error`, its standard error. With features of Keras's InceptionV3 it
    is a kernel inception distance (KID).

    Args:
        features: as for `kgan.metrics.FrechetDistance`. Default: `"pixels"`.
        block_size: images of each kind in a block; fewer if there would be less than ten blocks,
            too few to estimate the error. Default: 1000, as in the paper.
        name, dtype: as for `keras.metrics.Metric`. The name is that of the first score and begins
            that of the second. Default: `"kernel_distance"`.

    Raises:
        ValueError: for unknown features or a block of fewer than 2; in `result`, for fewer than 4
            images of a kind.

    Reference: Bińkowski et al., Demystifying MMD GANs, 2018 (arXiv:1801.01401), section 4. There
    the blocks are drawn with replacement, so their spread is not a standard error.
    """

    option = "kernel_distance"
    better = {"kernel_distance": "lower"}
    chooses = True
    least = 4

    def __init__(
        self,
        features: str | keras.Model = "pixels",
        block_size: int = 1000,
        name: str = "kernel_distance",
        dtype: str | keras.DTypePolicy | None = None,
    ) -> None:
        self.block_size = numbers.count("block_size", block_size, 2)
        super().__init__(features, name=name, dtype=dtype)

    @property
    def score_names(self) -> tuple[str, ...]:
        return self.name, f"{self.name}_error"

    def measure(self, real: Any, fake: Any) -> Any:
        count = self._blocks(len(real), len(fake))
        order = np.random.default_rng(0)
        cuts = [_cut(len(each), count, self.block_size, order) for each in (real, fake)]
        pairs = zip(*cuts, strict=True)
        estimates = [discrepancy(real[rows], fake[others]) for rows, others in pairs]
        error = np.std(estimates, ddof=1) / np.sqrt(count)
        return dict(zip(self.score_names, (float(np.mean(estimates)), float(error)), strict=True))

    def arguments(self) -> dict[str, Any]:
        return {"block_size": self.block_size}

    @property
    def protocol(self) -> dict[str, Any]:
        counts = self.real.count, self.fake.count
        blocks = self._blocks(*counts)
        sizes = [min(self.block_size, count // blocks) for count in counts]
        size = sizes[0] if len(set(sizes)) == 1 else "{} real, {} generated".format(*sizes)
        return {**super().protocol, "blocks": blocks, "block_size": size}

    def _blocks(self, *counts):
        fewest = min(counts)
        return max(fewest // self.block_size, min(LEAST_BLOCKS, fewest // 2), 2)


def discrepancy(x, y):
    """Returns the unbiased squared discrepancy of two sets, float64 `(count, features)` each."""
    within = (_mean_kernel(each, each, skip_diagonal=True) for each in (x, y))
    return sum(within) - 2 * _mean_kernel(x, y)


def _mean_kernel(x, y, skip_diagonal=False):
    kernel = (x @ y.T / x.shape[1] + 1) ** 3
    if not skip_diagonal:
        return kernel.mean()
    return (kernel.sum() - kernel.trace()) / (len(x) * (len(x) - 1))


def _cut(rows, count, largest, rng):
    """Equal blocks of shuffled rows, integers `(count, size)`; what does not fit is left out."""
    size = min(largest, rows // count)
    return rng.permutation(rows)[: size * count].reshape(count, size)
