"""The number of modes that a generator covers, and how evenly."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from kgan import backend
from kgan.data.mixtures import Mixture
from kgan.metrics.extractors import Network
from kgan.metrics.features import get
from kgan.metrics.hashes import digest
from kgan.metrics.images import as_images
from kgan.utils import numbers

SCORES = ("modes", "high_quality", "kl_to_uniform", "high_quality_real", "kl_to_uniform_real")


@keras.saving.register_keras_serializable("kgan")
class ModeCoverage(keras.metrics.Metric):
    r"""Counts the modes that generated samples cover.

    In `gan.compile(metrics=[...])` it measures the generated images of each evaluation. A sample
    is of high quality if it is near a mode. `result()` is a dictionary of three scalars:

    - `modes`: the number of modes with at least one sample of high quality;
    - `high_quality`: the share of such samples;
    - `kl_to_uniform`: $\sum_i p_i \log(p_i K)$ over the K modes, with p the shares of the modes
      among the samples of high quality: 0 where all modes are equally frequent, log K (the
      maximum) if only one is found, or none.

    If real samples are given too, as by `gan.evaluate`, `high_quality_real` and
    `kl_to_uniform_real` are the same for these, as a reference for the generator. (A classifier is
    more certain about images that it was trained on.)

    Args:
        modes: a `kgan.data.Mixture`, or a classifier: a Keras model from samples to probabilities
            `(batch, modes)`.
        threshold: the limit of high quality. For a mixture: the largest Mahalanobis distance to the
            nearest center, by default 3, as in PacGAN. For a classifier: the least probability of
            the predicted class, by default 0.9; with 0 every sample counts, as in the usual
            protocol of Stacked MNIST.
        name, dtype: as for `keras.metrics.Metric`. A name other than the default,
            `"mode_coverage"`, becomes a prefix of the scores.

    Raises:
        ValueError: if `modes` is neither, the model does not return probabilities, or the threshold
            is not a valid distance or probability.

    Example: a GAN of a ring, measured as in PacGAN (2 minutes on JAX or TensorFlow on a CPU).

    ```python
    ring, steps = kgan.data.ring(), 30_000
    points, _ = ring.sample(100_000, seed=0)
    gan = kgan.GAN(
        kgan.networks.mlp_generator((2,), latent_dim=2, width=128, depth=3),
        kgan.networks.mlp_discriminator((2,), width=128, depth=3),
    )

    def adam():
        rate = keras.optimizers.schedules.CosineDecay(1e-3, steps)
        return keras.optimizers.Adam(rate, beta_1=0.5)

    gan.compile(
        loss="relativistic",
        penalties=[kgan.penalties.R1(0.1), kgan.penalties.R2(0.1)],
        generator_optimizer=adam(),
        discriminator_optimizer=adam(),
        ema=0.999,
        steps_per_execution=50,  # not on PyTorch
    )
    gan.fit(points, batch_size=128, steps_per_epoch=steps)
    coverage = kgan.metrics.ModeCoverage(ring)
    coverage.update_state(gan.generate(2500, seed=0))
    print(coverage.result())  # modes 8, high_quality near 0.99
    ```

    Reference: Lin et al., PacGAN: The power of two samples in generative adversarial networks,
    2018 (arXiv:1712.04086), section 4.1.
    """

    # These four are as in `ImageMetric`.
    option = "mode_coverage"
    takes = "classifier"
    better = {"modes": "higher", "high_quality": "higher", "kl_to_uniform": "lower"}
    chooses = False
    samples_first = True  # `update_state` takes the real ones by name

    def __init__(
        self,
        modes: Mixture | keras.Model,
        threshold: float | None = None,
        name: str = "mode_coverage",
        dtype: str | keras.DTypePolicy | None = None,
    ) -> None:
        # Counts are exact in float32, whatever Keras's default is.
        super().__init__(name=name, dtype=dtype or "float32")
        self.threshold = threshold
        self.networks: tuple[Network, ...] = ()
        self._assign: _Nearest | _Classified
        if isinstance(modes, dict):  # a configuration
            if "centers" in modes:
                modes = Mixture(**modes)
            elif "class_name" in modes:
                modes = get(modes)
        if isinstance(modes, keras.Model):
            modes = Network(modes)
        if threshold is not None:
            kind = numbers.factor if isinstance(modes, Mixture) else numbers.share
            self.threshold = threshold = kind("threshold", threshold)
        if isinstance(modes, Mixture):
            self._assign = _Nearest(modes, 3.0 if threshold is None else threshold)
            count = modes.modes
        elif isinstance(modes, Network):
            self.networks = (modes,)
            self._assign = _Classified(modes, 0.9 if threshold is None else threshold)
            count = modes.model.output_shape[-1]
        else:
            raise ValueError(
                "modes must be a kgan.data.Mixture or a classifier, a Keras model from samples to "
                f"probabilities (batch, modes). Received: modes={modes!r}"
            )
        self.modes = count
        self.counts = self.add_variable((count,), "zeros", self.dtype, name="counts")
        self.total = self.add_variable((), "zeros", self.dtype, name="total")
        self.real_counts = self.add_variable((count,), "zeros", self.dtype, name="real_counts")
        self.real_total = self.add_variable((), "zeros", self.dtype, name="real_total")
        self.has_real = False

    def update_state(
        self, samples: npt.ArrayLike, sample_weight: Any = None, real: npt.ArrayLike | None = None
    ) -> None:
        """Adds generated samples `(batch, ...)`, and optionally real ones.

        Raises:
            ValueError: if the samples have another shape, are not finite floats, or have
                weights.
        """
        if sample_weight is not None:
            raise ValueError("Samples are counted, not weighed. Received: sample_weight")
        self._count(as_images(samples, generated=True), self.counts, self.total)
        if real is not None:
            self.has_real = True
            self._count(as_images(real), self.real_counts, self.real_total)

    @property
    def score_names(self) -> tuple[str, ...]:
        """The names of the scores of `result()`, including those of real samples."""
        prefix = "" if self.name == "mode_coverage" else f"{self.name}_"
        return tuple(f"{prefix}{name}" for name in SCORES)

    def check(self, shape: Sequence[int]) -> None:
        """Raises a ValueError if the sample shape, without the batch, is not that of the modes."""
        if tuple(shape) != self._assign.shape:
            raise ValueError(
                f"Samples must have the shape (batch, {', '.join(map(str, self._assign.shape))}), "
                f"which the modes have. Received: samples of shape {tuple(shape)}"
            )

    def reset_state(self) -> None:
        """Removes all samples."""
        super().reset_state()
        self.has_real = False

    def _count(self, samples, counts, total):
        self.check(samples.shape[1:])
        modes, near = self._assign(ops.convert_to_tensor(samples))
        near = ops.cast(near, self.dtype)
        chosen = ops.one_hot(modes, self.modes, dtype=self.dtype) * near[:, None]
        counts.assign_add(ops.sum(chosen, axis=0))
        total.assign_add(ops.convert_to_tensor(len(samples), self.dtype))

    def result(self) -> Any:
        found = ops.sum(ops.cast(ops.convert_to_tensor(self.counts) > 0, self.dtype))
        scores = [found, *self._quality(self.counts, self.total)]
        if self.has_real:
            scores += self._quality(self.real_counts, self.real_total)
        return dict(zip(self.score_names, scores, strict=False))

    def _quality(self, counts, total):
        counts = ops.convert_to_tensor(counts)
        near = ops.sum(counts)
        shares = counts / ops.maximum(near, 1)
        entropy = -ops.sum(shares * ops.log(ops.maximum(shares, 1e-30)))
        high_quality = near / ops.maximum(ops.convert_to_tensor(total), 1)
        return high_quality, math.log(self.modes) - entropy

    @property
    def protocol(self) -> dict[str, Any]:
        """A JSON-able description of how the score was measured."""
        return {
            "measure": "ModeCoverage",
            **self._assign.protocol,
            "modes": self.modes,
            "real_images": int(ops.convert_to_numpy(self.real_total)),
            "generated_images": int(ops.convert_to_numpy(self.total)),
        }

    def get_config(self) -> dict[str, Any]:
        own = {"modes": self._assign.config, "threshold": self.threshold}
        return {**super().get_config(), **own}


class _Nearest:
    """The nearest Gaussian of a mixture."""

    def __init__(self, mixture, threshold):
        self.config = {"centers": mixture.centers.tolist(), "deviation": mixture.deviation}
        self.protocol = {"modes_of": "a mixture", "threshold": threshold}
        self.centers, self.limit = mixture.centers, threshold * mixture.deviation
        self.shape = mixture.centers.shape[1:]

    def __call__(self, samples):
        squares = ops.sum((samples[:, None] - ops.convert_to_tensor(self.centers)) ** 2, axis=-1)
        return ops.argmin(squares, axis=-1), ops.min(squares, axis=-1) < self.limit**2


class _Classified:
    """The most likely class of a classifier."""

    def __init__(self, network, threshold):
        self.network, self.threshold = network, threshold
        classifier = network.model
        self.shape = tuple(classifier.input_shape[1:])
        with backend.kept(classifier):
            tried = classifier.predict(np.zeros((1, *self.shape), "float32"), verbose=0)
        tried = np.asarray(tried, "float64")  # bfloat16 has no digits for a sum
        if tried.ndim != 2 or (tried < 0).any() or abs(tried.sum() - 1) > 1e-2:
            raise ValueError(
                "modes must be a classifier whose probabilities sum to 1: end it in a softmax, "
                "or use kgan.metrics.train_classifier(images, labels). "
                f"Received: {classifier.name!r}, whose outputs for a blank sample have the shape "
                f"{tried.shape} and sum to {tried.sum():.3g}"
            )

    @property
    def config(self):
        return self.network.config

    @property
    def protocol(self):
        model = self.network.model
        own = {"modes_of": f"model {model.name}", "threshold": self.threshold}
        return {**own, "classifier_hash": digest(model)}

    def __call__(self, samples):
        self.network.check_weights()
        probabilities = self.network.model(samples, training=False)
        return ops.argmax(probabilities, axis=-1), ops.max(probabilities, axis=-1) >= self.threshold
