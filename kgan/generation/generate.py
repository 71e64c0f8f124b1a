"""What a trained model gives: images, and files that give the same images."""

import contextlib
import os
from collections.abc import Sequence

import keras
import numpy as np

from kgan import backend
from kgan.checks.value_range import value_range
from kgan.utils import numbers

# Enough for the range of every activation to settle.
CALIBRATION_LATENTS = 200


class Sampled:
    """Latents in, images out: for training, for people, and for export."""

    @property
    def latent_shape(self):
        """The shape of one latent, from the generator's input."""
        shape = self.generator.input_shape
        return tuple((shape[0] if isinstance(shape, list) else shape)[1:])

    def sample_latents(self, batch_size):
        """Draws latents for a training step: float32 of a standard normal."""
        shape = (batch_size, *self.latent_shape)
        return backend.spread(keras.random.normal(shape, seed=self.seed_generator))

    def call(self, latents, training=False):
        """Returns the images of latents, so that `predict` does too."""
        return self.in_use(self.generator, training)(latents, training=training)

    def predict(self, x, *arguments, **options):
        """Returns the images of latents (of a translator: of images), see `keras.Model.predict`."""
        self.refresh_averages()
        return super().predict(x, *arguments, **options)

    def predict_on_batch(self, x):
        """Returns the images of one batch, see `keras.Model.predict_on_batch`."""
        self.refresh_averages()
        return super().predict_on_batch(x)

    def generate(self, n: int, seed: int | None = None, batch_size: int = 64) -> np.ndarray:
        """Returns `n` generated images.

        Args:
            n: how many, at least 1.
            seed: an int gives the same latents on every call and on every backend. Default: new
                ones each time.
            batch_size: how many at a time.

        Returns:
            float32 NumPy array `(n, height, width, channels)` in the generator's range.

        Raises:
            ValueError: if `n` is not a positive integer.
        """
        return self.images_of(self.draw_latents(n, seed), batch_size=batch_size)

    def draw_latents(self, n, seed=None):
        """Returns `n` latents, float32 NumPy: those of `generate(n, seed)`.

        Raises:
            ValueError: if `n` is not a positive integer.
        """
        numbers.count("n", n)
        if not isinstance(seed, np.random.Generator):
            seed = numbers.seed(seed)
        return np.random.default_rng(seed).standard_normal((n, *self.latent_shape), np.float32)

    def images_of(self, *inputs, batch_size=64, network=None):
        """Returns the images that a network makes of its inputs, NumPy arrays.

        Args:
            *inputs: the arrays that it is called with.
            batch_size: how many at a time.
            network: default: this model itself, whose `call` uses the generator.
        """
        self.refresh_averages()
        numbers.count("batch_size", batch_size)
        inputs = [numbers.array("inputs", each) for each in inputs]
        _check_shapes(inputs, (network or self.generators[0]).input_shape)
        backend.sync(self)
        count = len(inputs[0])
        share = backend.devices(self)  # each of them must get as many as the others
        inputs = [np.resize(x, (count + -count % share, *x.shape[1:])) for x in inputs]
        x = inputs[0] if len(inputs) == 1 else inputs
        with contextlib.nullcontext() if network is None else backend.kept(network):
            images = (network or self).predict(
                x, batch_size=batch_size + -batch_size % share, verbose=0
            )
        return np.asarray(images[:count], "float32")

    def export(self, path: str | os.PathLike, formats: Sequence[str] | None = None, **options):
        """Exports the generator and proves that the files give the same images.

        Args:
            path: where to; the suffix chooses the format (`"generator.onnx"`,
                `"generator.tflite"`), none makes a SavedModel folder.
            formats: for a `path` without suffix, the formats of the bundle.
            **options: such as `precision="int8"`; see `kgan.export.export`. `check=True` only
                tells what would not survive, see `kgan.export.check`.

        Returns:
            A `kgan.export.ExportReport`, or with `check` a `kgan.export.Check`.

        Raises:
            kgan.export.ExportError: if a file cannot be made or its images differ.
        """
        options.setdefault("input_names", ["latent"])
        options.setdefault("output_names", ["image"])
        metadata = options.get("metadata") or {}
        if type(self).draw_latents is Sampled.draw_latents:
            metadata = {"latent_distribution": "standard normal", **metadata}
        options["metadata"] = metadata
        options.setdefault("calibration", [self.draw_inputs(CALIBRATION_LATENTS, seed=1)])
        return self.export_generator(self.generator, path, formats, options)

    def draw_inputs(self, n, seed=None):
        """Returns all that the generator takes for `generate(n, seed=seed)`: a tuple of arrays."""
        return (self.draw_latents(n, seed),)

    def export_generator(self, generator, path, formats, options):
        """Exports one of the generators, or its average if one is kept."""
        from kgan.export import check, export

        self.refresh_averages()
        backend.sync(self)
        options = {"name": "generator", **options}
        network = self.in_use(generator, training=False)
        metadata = {"training_backend": self.trained_on or keras.config.backend()}
        metadata |= _value_range(network)
        options["metadata"] = metadata | (options.get("metadata") or {})
        run = check if options.pop("check", False) else export
        return run(network, path, formats, **options)


def _check_shapes(inputs, shapes):
    """Raises a ValueError for arrays that a network does not take."""
    shapes = shapes if isinstance(shapes, list) else [shapes]
    given = [array.shape for array in inputs]
    fit = len(given) == len(shapes) and all(
        len(shape) == len(wanted)
        and all(b in (None, a) for a, b in zip(shape, wanted, strict=True))
        for shape, wanted in zip(given, shapes, strict=True)
    )
    if not fit or len({shape[0] for shape in given}) > 1:
        raise ValueError(
            "The generator takes arrays of the shape "
            f"{', '.join(map(str, shapes))}, as many rows of each. "
            f"Received: {', '.join(map(str, given)) or 'nothing'}"
        )


def _value_range(network):
    """What the activation at the end keeps the images in, if it is known."""
    found = value_range(network)
    return {"value_range": list(found)} if found and np.isfinite(found).all() else {}
