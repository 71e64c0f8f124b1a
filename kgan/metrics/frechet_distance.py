"""The Fréchet distance between two Gaussians fitted to features."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from kgan.metrics import degeneracy
from kgan.metrics.image_metric import ImageMetric

MOST_FEATURES = 4096  # their covariance has 134 MB


@keras.saving.register_keras_serializable("kgan")
class FrechetDistance(ImageMetric):
    r"""The Fréchet distance between the features of real and of generated images.

    $\|\mu_r - \mu_f\|^2 + \mathrm{Tr}(\Sigma_r + \Sigma_f - 2 (\Sigma_r \Sigma_f)^{1/2})$ of the
    features: 0 for equal statistics, and unbounded. Memory does not grow with the number of images.

    The score falls with the number of images, so compare only scores of equally many. If there are
    not more images than features, the covariance cannot have full rank; a warning and the
    `protocol` say so. Only with `features="inception"` is this a Fréchet inception distance (FID).
    It uses Keras's InceptionV3, while published figures come from other weights.

    Args:
        features: `"pixels"` (default), which capture brightness and layout but not content;
            `"inception"`; or a Keras model from images to features, such as
            `kgan.metrics.classifier_features(images, labels)`.
        name, dtype: as for `keras.metrics.Metric`. Default name: `"frechet_distance"`.

    Raises:
        ValueError: for unknown features; in `update_state` or before training, for more than 4096
            features.

    Example:

    ```python
    gan.compile(metrics=[kgan.metrics.FrechetDistance()])
    gan.fit(
        images,
        validation_data=held_out,
        callbacks=[
            keras.callbacks.ModelCheckpoint(
                "best.keras", monitor="val_frechet_distance", mode="min", save_best_only=True
            )
        ],
    )
    ```

    Reference: Heusel et al., GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
    Equilibrium, 2017 (arXiv:1706.08500), equation 6.
    """

    option = "frechet_distance"
    better = {"frechet_distance": "lower"}
    chooses = True

    def __init__(
        self,
        features: str | keras.Model = "pixels",
        name: str = "frechet_distance",
        dtype: str | keras.DTypePolicy | None = None,
    ) -> None:
        super().__init__(features, name=name, dtype=dtype)

    def check(self, shape: Sequence[int]) -> None:
        super().check(shape)
        _check_width(self.features.width(shape) or 0)

    def kept(self) -> Any:
        return Moments()

    def measure(self, real: Any, fake: Any) -> Any:
        (real_mean, real_root), (fake_mean, fake_root) = real.mean_and_root(), fake.mean_and_root()
        # With A = R R^T and B = F F^T, Tr (A B)^(1/2) is the sum of the singular values of R^T F:
        # unlike the eigenvalues of A B they lose no digits where a covariance is nearly singular.
        overlap = np.linalg.norm(real_root.T @ fake_root, "nuc")
        spread = np.sum(real_root**2) + np.sum(fake_root**2) - 2 * overlap
        return float(np.sum((real_mean - fake_mean) ** 2) + max(spread, 0.0))

    def doubts_of(self, count: int, width: int | None) -> list[degeneracy.Doubt]:
        return degeneracy.few(count, width)


def _check_width(width):
    if width > MOST_FEATURES:
        raise ValueError(
            f"A Fréchet distance takes at most {MOST_FEATURES} features, whose covariance it "
            'holds: use features="inception" (in the shell --features inception), or a Keras model '
            f"of your own, or another measure. Received: {width} features"
        )


class Moments:
    """Mean and covariance of features, batch by batch.

    While there are not more images than features, the features themselves are stored: they take
    less memory than the covariance, and a root of it is known without eigenvalues. After that each
    batch is centred by itself and merged, so that a mean far from zero loses no precision.

    Reference: Chan, Golub and LeVeque, Updating Formulae and a Pairwise Algorithm for Computing
    Sample Variances, 1979.
    """

    def __init__(self):
        self.count, self.width = 0, None
        self.few = []

    def add(self, features):
        self.width = features.shape[1]
        _check_width(self.width)
        if self.few is not None:
            self.few.append(features)
            if self.count + len(features) > self.width:
                features, self.few = np.concatenate(self.few), None
                self.count, self.mean, self.squares = 0, np.zeros(self.width), 0.0
        if self.few is None:
            self._merge(features)
        self.count += len(features)

    def _merge(self, features):
        count, features = len(features), features.astype("float64")
        mean = features.mean(axis=0)
        centred = features - mean
        step, share = mean - self.mean, count / (self.count + count)
        self.squares += centred.T @ centred + np.outer(step, step) * (self.count * share)
        self.mean = self.mean + step * share

    def mean_and_root(self):
        """Returns the mean, and R such that R R^T is the unbiased covariance; both are float64.

        Their shapes are `(features,)` and `(features, rank)`.
        """
        if self.few is not None:
            rows = np.concatenate(self.few).astype("float64")
            mean = rows.mean(axis=0)
            return mean, (rows - mean).T / np.sqrt(self.count - 1)
        values, vectors = np.linalg.eigh(self.squares / (self.count - 1))
        some = values > 0
        return self.mean, vectors[:, some] * np.sqrt(values[some])
