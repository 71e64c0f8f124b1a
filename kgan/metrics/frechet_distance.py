"""The distance between two Gaussians fitted to features."""

import keras
import numpy as np

from kgan.metrics.image_metric import ImageMetric

MOST_FEATURES = 4096  # their covariance has 134 MB


@keras.saving.register_keras_serializable("kgan")
class FrechetDistance(ImageMetric):
    r"""How far the mean and covariance of generated images are from those of real ones.

    $\|\mu_r - \mu_f\|^2 + \mathrm{Tr}(\Sigma_r + \Sigma_f - 2 (\Sigma_r \Sigma_f)^{1/2})$ of the
    features: 0 for equal statistics, and unbounded. Memory does not grow with the number of images.

    The score falls with the number of images, though nothing else changes, so compare scores of
    equally many. With fewer images than features the covariance cannot have full rank, which
    `protocol` then notes. Only with `features="inception"` is this a Fréchet inception distance
    (FID), and one of Keras's InceptionV3: published figures come from another file of weights.

    Args:
        features: `"pixels"` (default), which see brightness and layout, but no content;
            `"inception"`; or a Keras model from images to features, such as
            `kgan.metrics.classifier_features(images, labels)`.
        name, dtype: as for `keras.metrics.Metric`. Default name: `"frechet_distance"`.

    Raises:
        ValueError: for unknown features; in `update_state`, for more than 4096 of them.

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

    def __init__(self, features="pixels", name="frechet_distance", dtype=None):
        super().__init__(features, name=name, dtype=dtype)

    def kept(self):
        return Moments()

    def measure(self, real, fake):
        covariances = real.covariance(), fake.covariance()
        roots = [_root(covariance) for covariance in covariances]
        # Tr (A B)^(1/2) is the sum of the singular values of A^(1/2) B^(1/2): unlike the
        # eigenvalues of their product they lose no digits where the covariance is nearly singular.
        overlap = np.linalg.norm(roots[0] @ roots[1], "nuc")
        spread = sum(covariance.trace() for covariance in covariances) - 2 * overlap
        return float(np.sum((real.mean - fake.mean) ** 2) + max(spread, 0.0))

    @property
    def protocol(self):
        protocol = super().protocol
        fewest = min(self.real.count, self.fake.count)
        if self.real.width and fewest <= self.real.width:
            protocol["note"] = (
                f"{fewest} images have a covariance of rank {fewest - 1} at most, of "
                f"{self.real.width} features: a high score may be due to that"
            )
        return protocol


class Moments:
    """Mean and covariance of features, batch by batch.

    Each batch is centred by itself and then merged, so that a mean far from zero costs no digits.

    Reference: Chan, Golub and LeVeque, Updating Formulae and a Pairwise Algorithm for Computing
    Sample Variances, 1979.
    """

    def __init__(self):
        self.count, self.width = 0, None

    def add(self, features):
        count, self.width = len(features), features.shape[1]
        if self.width > MOST_FEATURES:
            raise ValueError(
                f"A Fréchet distance takes at most {MOST_FEATURES} features, whose covariance it "
                'holds: use features="inception" or a Keras model of your own. '
                f"Received: {self.width} features"
            )
        mean = features.mean(axis=0)
        centred = features - mean
        squares = centred.T @ centred
        if not self.count:
            self.mean, self.squares = np.zeros(self.width), np.zeros_like(squares)
        total = self.count + count
        step = mean - self.mean
        self.squares += squares + np.outer(step, step) * (self.count * count / total)
        self.mean = self.mean + step * (count / total)
        self.count = total

    def covariance(self):
        """Returns the unbiased covariance, float64 `(features, features)`."""
        return self.squares / (self.count - 1)


def _root(matrix):
    """The symmetric square root of a covariance."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
