"""What a trained model gives: samples, and files that give the same samples."""

import contextlib
import os
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from kgan import backend
from kgan.checks.value_range import shown, value_range
from kgan.generation import inputs as declarations
from kgan.generation.inputs import Given, Label, Latent
from kgan.images import save_grid
from kgan.utils import numbers

for declaration in (Given, Label, Latent):  # NumPy-only, they cannot tell Keras themselves
    keras.saving.register_keras_serializable("kgan")(declaration)

# Enough for the range of every activation to settle.
CALIBRATION_LATENTS = 200


class Generation:
    """What goes in, as `takes` declares it, and samples out: for training, for people, for export.

    Attributes:
        output_name: the name of what comes out, in exported files. Default: "image".
    """

    output_name = "image"

    @property
    def takes(self):
        """What the generator is called with, in order: a tuple of `kgan.Latent`, `Label`, `Given`.

        Default: one latent, of the shape of the generator's (first) input.
        """
        shape = self._default_generator().input_shape
        return (Latent(tuple((shape[0] if isinstance(shape, list) else shape)[1:])),)

    @property
    def draws_latents(self):
        """Whether there is noise in what comes out, or it follows from what is given."""
        return any(isinstance(each, Latent) for each in self.takes)

    @property
    def draws_all(self):
        """Whether `generate(n)` alone is enough, since nothing need be given."""
        return all(each.is_drawn for each in self.takes)

    @property
    def latent_shape(self):
        """The shape of one latent, the first that the generator takes."""
        return next(each.shape for each in self.takes if isinstance(each, Latent))

    def _default_generator(self):
        """The network that `generate`, `predict` and `export` use."""
        return getattr(self, "generator", None) or self.generators[0]

    @property
    def made_shapes(self):
        """The shapes of what is made, without the batch, for each of `scored_domains`."""
        return [self._default_generator().output_shape[1:]]

    # In training ------------------------------------------------------------------------------

    def real_in(self, batch):
        """Returns what of a batch is to be imitated. Default: the first of what `unpack` gave."""
        return keras.tree.flatten(batch)[0]

    def given_in(self, batch):
        """Returns what of a batch the generator is given, by the names in `takes`.

        Default: of a dictionary what has these names; of a tuple what follows the real samples, in
        the order of `takes`.

        Args:
            batch: what `unpack` returned.
        """
        wanted = [each.name for each in self.takes if not isinstance(each, Latent)]
        if isinstance(batch, dict):
            found = {name: batch[name] for name in wanted if name in batch}
        else:
            rest = batch[1:] if isinstance(batch, (tuple, list)) else ()
            found = dict(zip(wanted, rest, strict=False))
        if len(found) < len(wanted):
            raise ValueError(
                "What the generator is given must be in the batch: return it from unpack() after "
                "the real samples, in the order of `takes`, or define given_in(batch). "
                f"Received: a {type(self).__name__} whose batch lacks "
                f"{', '.join(name for name in wanted if name not in found)}"
            )
        return found

    def inputs_for(self, batch):
        """Returns what the generator is called with to learn from a batch: one tensor, or a list.

        Latents are drawn, the rest is that of the batch, see `given_in`.

        Args:
            batch: what `unpack` returned.
        """
        count, given = ops.shape(self.real_in(batch))[0], self.given_in(batch)
        found = [
            self._noise(count, each) if isinstance(each, Latent) else given[each.name]
            for each in self.takes
        ]
        return found[0] if len(found) == 1 else found

    def _noise(self, count, latent):
        if latent.shape == self.latent_shape:
            return self.sample_latents(count)
        normal = keras.random.normal((count, *latent.shape), seed=self.seed_generator)
        return backend.spread(normal)

    def sample_latents(self, batch_size):
        """Draws latents for a training step: float32 of a standard normal."""
        shape = (batch_size, *self.latent_shape)
        return backend.spread(keras.random.normal(shape, seed=self.seed_generator))

    def real_and_generated(self, data, rng, domain=""):
        """Returns the real samples of a batch, and as many generated ones to measure beside them.

        Override it where `generate` is not what is to be measured.

        Args:
            data: a batch as `fit` is given it.
            rng: a `numpy.random.Generator` for latents.
            domain: one of `scored_domains`.

        Returns:
            Two arrays.
        """
        batch = self.unpack(data)
        real = self.real_in(batch)
        given = {name: ops.convert_to_numpy(x) for name, x in self.given_in(batch).items()}
        return real, self.images_of(*self._drawn(len(real), rng, given))

    # Of a trained model -----------------------------------------------------------------------

    def call(self, inputs, training=False):
        """Returns what the generator makes of its inputs, so that `predict` does too.

        Args:
            inputs: a tensor, a list in the order of `takes`, or a dictionary by name.
            training: whether to run as in training.
        """
        if isinstance(inputs, dict):
            inputs = [inputs[each.name] for each in self.takes]
            inputs = inputs[0] if len(inputs) == 1 else inputs
        return self.in_use(self._default_generator(), training)(inputs, training=training)

    def predict(self, x, *arguments, **options):
        """Returns what is made of latents (of a translator: of images): `keras.Model.predict`."""
        self.refresh_averages()
        return super().predict(x, *arguments, **options)

    def predict_on_batch(self, x):
        """Returns what is made of one batch, see `keras.Model.predict_on_batch`."""
        self.refresh_averages()
        return super().predict_on_batch(x)

    def generate(
        self, n: int, seed: int | None = None, batch_size: int = 64, **given
    ) -> np.ndarray:
        """Returns `n` generated samples.

        Args:
            n: how many, at least 1.
            seed: an int gives the same latents on every call and on every backend. Default: new
                ones each time.
            batch_size: how many at a time.
            **given: by the names in `takes`, an array `(n, ...)`, or one value for all. What is
                not given is drawn.

        Returns:
            float32 NumPy array `(n, ...)`, such as images `(n, height, width, channels)` in the
            generator's range.

        Raises:
            ValueError: if `n` is not a positive integer, or what is given does not fit.
            TypeError: if something that cannot be drawn is missing, or a name is unknown.
        """
        return self.images_of(*self._drawn(n, seed, given), batch_size=batch_size)

    def _drawn(self, n, seed=None, given=None):
        """The arrays of `generate(n, seed, **given)`, in the order of `takes`."""
        given = {name: value for name, value in (given or {}).items() if value is not None}
        own = type(self).draw_latents is not Generation.draw_latents
        for each in self.takes if own else ():
            if isinstance(each, Latent) and each.name not in given:
                given[each.name] = self.draw_latents(n, seed)
                break
        return tuple(declarations.draw(self.takes, n, seed, given).values())

    def save_picture(self, path, made):
        """Draws what was made as a PNG file: images as a grid. Override it for anything else.

        Args:
            path: of the file.
            made: what `generate` returned.

        Raises:
            ValueError: if these are no images.
        """
        if np.ndim(made) != 4:
            raise ValueError(
                "Pictures are of images (n, height, width, channels): define "
                "save_picture(path, made) in the model for anything else. "
                f"Received: shape {np.shape(made)}"
            )
        save_grid(path, shown(made, self._default_generator()))

    def draw_latents(self, n, seed=None):
        """Returns `n` latents, float32 NumPy: those of `generate(n, seed)`.

        Raises:
            ValueError: if `n` is not a positive integer.
        """
        latents = [(i, each) for i, each in enumerate(self.takes) if isinstance(each, Latent)]
        place, latent = latents[0]
        if not isinstance(seed, np.random.Generator):
            seed = numbers.seed(seed)
        return latent.draw(numbers.count("n", n), declarations.rng_for(seed, place))

    def draw_inputs(self, n, seed=None):
        """Returns all that the generator takes for `generate(n, seed=seed)`: a tuple of arrays."""
        return self._drawn(n, seed)

    def images_of(self, *inputs, batch_size=64, network=None):
        """Returns the images, or whatever else, that a network makes of its inputs.

        Args:
            *inputs: the NumPy arrays that it is called with.
            batch_size: how many at a time.
            network: default: this model itself, whose `call` uses the generator.
        """
        self.refresh_averages()
        numbers.count("batch_size", batch_size)
        inputs = [numbers.array("inputs", each) for each in inputs]
        _check_shapes(inputs, (network or self._default_generator()).input_shape)
        backend.sync(self)
        count = len(inputs[0])
        share = backend.devices(self)  # each of them must get as many as the others
        inputs = [np.resize(x, (count + -count % share, *x.shape[1:])) for x in inputs]
        x = inputs[0] if len(inputs) == 1 else inputs
        with contextlib.nullcontext() if network is None else backend.kept(network):
            images = (network or self).predict(
                x, batch_size=batch_size + -batch_size % share, verbose=0
            )
        return keras.tree.map_structure(lambda each: np.asarray(each[:count], "float32"), images)

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
        return self.export_generator(self._default_generator(), path, formats, options)

    def takes_of(self, generator):
        """Returns what one of the generators is called with. Default: `takes`, of whichever."""
        return self.takes

    def export_generator(self, generator, path, formats, options):
        """Exports one of the generators, or its average if one is kept."""
        from kgan.export import check, export

        self.refresh_averages()
        backend.sync(self)
        takes, network = self.takes_of(generator), self.in_use(generator, training=False)
        options = {
            "name": "generator",
            "input_names": [each.name for each in takes],
            "output_names": [self.output_name],
            **_samples(takes),
            **options,
        }
        if takes == self.takes and self.draws_all:
            options.setdefault("calibration", [self.draw_inputs(CALIBRATION_LATENTS, seed=1)])
        metadata = {"training_backend": self.trained_on or keras.config.backend()}
        metadata |= _value_range(network) | self._about_inputs(takes)
        options["metadata"] = metadata | (options.get("metadata") or {})
        run = check if options.pop("check", False) else export
        return run(network, path, formats, **options)

    def _about_inputs(self, takes):
        """What a file is to know of its inputs, for drawing them and checking what is given."""
        draws = any(isinstance(each, Latent) for each in takes)
        if draws and type(self).draw_latents is not Generation.draw_latents:
            return {}
        found = {"latent_distribution": "standard normal"} if draws else {}
        takes = declarations.to_json(takes)
        return found if takes is None else {**found, "takes": takes}


def _samples(takes):
    """Inputs to prove a file on, every class among them; none where noise alone goes in."""
    labels = [each for each in takes if isinstance(each, Label)]
    if not labels and all(each.is_drawn for each in takes):
        return {}
    count = max([2, *(each.num_classes for each in labels)])
    samples = declarations.examples(takes, count, seed=0)
    for each in labels:
        samples[each.name] = np.resize(np.arange(each.num_classes, dtype="int32"), count)
    return {"samples": [samples]}


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
