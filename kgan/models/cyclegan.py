"""Images of images, both ways, learned without pairs."""

import os
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from kgan import checks
from kgan.generation.translate import Translation
from kgan.layers import ImagePool
from kgan.models.adversarial import AdversarialModel
from kgan.training import data_order
from kgan.utils import numbers


@keras.saving.register_keras_serializable("kgan")
class CycleGAN(Translation, AdversarialModel):
    r"""Two generators that translate between the domains A and B, and a discriminator for each.

    A translation is to be taken for an image of its domain, and to lead back to where it came
    from: $\|BA(AB(a)) - a\|_1$ and $\|AB(BA(b)) - b\|_1$. An image that is of the domain already
    is to stay as it is, $\|AB(b) - b\|_1$ and $\|BA(a) - a\|_1$, which keeps its colours. Each
    discriminator sees translations of past steps as well, from a pool of 50.

    The terms of the losses are named after the domain that is judged or given back, such as
    `generator_cycle_a`. The game is least squares unless `compile(loss=...)` names another.

    Args:
        generator_ab: a built Keras model from images of A to images of B, such as
            `kgan.networks.cyclegan_generator`.
        generator_ba: the same from B to A.
        discriminator_a: a built Keras model from images of A to one logit or a map of logits for
            patches, such as `kgan.networks.patch_discriminator`.
        discriminator_b: the same for B.
        cycle_weight: factor of the cycle terms. Default: 10, as in the paper.
        identity_weight: factor of the identity terms, times `cycle_weight`. Default: 0.5, as in the
            paper's section 5.2; 0 leaves them out, as they must be if A and B differ in their
            channels.
        pool_size: images of past steps that are kept for each domain; 0 for no pool. Default: 50.
        jitter: a layer of random changes for training, such as `kgan.layers.jitter(image_size)`,
            applied to each domain by itself. Default: none.
        seed: seed of what is random in the model itself. Default: a random one.
        **kwargs: `name` and `dtype`, as for `keras.Model`.

    Raises:
        ValueError: if a network is not built or stands in two places, the four do not fit each
            other, a discriminator does not end in a logit, a weight is negative, the jitter changes
            the size, or there are identity terms or a pool where there can be none.

    Example:

    ```python
    domains = kgan.data.image_domains("day", "dusk", image_size=(128, 128))
    shape = (128, 128, 3)
    gan = kgan.CycleGAN(
        kgan.networks.cyclegan_generator(shape),
        kgan.networks.cyclegan_generator(shape),
        kgan.networks.patch_discriminator(shape),
        kgan.networks.patch_discriminator(shape),
    )
    gan.compile()
    gan.fit(domains, epochs=20)  # or gan.fit(images_a, images_b, ...), of unequal number
    dusk = gan.translate(day, direction="ab")  # (n, 128, 128, 3), float32 in [-1, 1]
    ```

    Reference: Zhu et al., Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
    Networks, 2017 (arXiv:1703.10593).
    """

    unpaired = True
    scored_domains = ("a", "b")

    def __init__(
        self,
        generator_ab: keras.Model,
        generator_ba: keras.Model,
        discriminator_a: keras.Model,
        discriminator_b: keras.Model,
        cycle_weight: float = 10.0,
        identity_weight: float = 0.5,
        pool_size: int = 50,
        jitter: keras.layers.Layer | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        self.generator_ab = generator_ab
        self.generator_ba = generator_ba
        self.discriminator_a = discriminator_a
        self.discriminator_b = discriminator_b
        self.cycle_weight = numbers.factor("cycle_weight", cycle_weight)
        self.identity_weight = numbers.factor("identity_weight", identity_weight)
        self.pool_size = numbers.count("pool_size", pool_size, 0)
        self.jitter = jitter
        self.check_networks()
        self.pool_a = self._make_pool(generator_ba.output_shape)
        self.pool_b = self._make_pool(generator_ab.output_shape)

    @property
    def generator(self):
        """The generator from A to B, which `predict` uses."""
        return self.generator_ab

    @property
    def made_shapes(self):
        return [self.generator_ba.output_shape[1:], self.generator_ab.output_shape[1:]]

    @property
    def generators(self):
        return (self.generator_ab, self.generator_ba)

    @property
    def discriminators(self):
        return (self.discriminator_a, self.discriminator_b)

    def compile(self, loss="least_squares", **options):
        """Chooses the game, least squares by default, and the optimizers.

        See `AdversarialModel.compile`. The paper's rate is constant for the first half of the run
        and falls to zero in the second: `kgan.schedules.LinearDecay`.
        """
        super().compile(loss=loss, **options)

    def fit(self, x=None, y=None, **options):
        """Trains on images of A and of B, see `AdversarialModel.fit`.

        Args:
            x: images of A, an array; or a stream whose batches are tuples `(images_a, images_b)`.
            y: images of B, an array; it need not be as long as `x`. An epoch goes through the
                longer one, and again through the shorter, each in an order of its own.
            **options: as in `AdversarialModel.fit`. Default batch size: 1, as in the paper.

        Returns:
            A `keras.callbacks.History`.
        """
        x, y = self.arguments(x, y)
        if checks.is_arrays(x) and y is not None:
            options.setdefault("batch_size", 1)
            if options.get("shuffle", True) is not True:
                x, y = data_order.as_long(x, y)
        if isinstance(options.get("validation_data"), tuple):
            options["validation_data"] = data_order.as_long(*options["validation_data"])
        return super().fit(x, y, **options)

    def evaluate(self, x=None, y=None, batch_size=None, **options):
        """Returns the losses and metrics in inference mode, of images as in `fit`.

        Measures given to `compile` compare the translations to each domain with its real images,
        as many as the smaller domain has; their names end in `_a` and `_b`, and their protocols
        are then in `scores`.
        """
        x, y = self.arguments(x, y)
        if checks.is_arrays(x) and y is not None:
            x, y = data_order.as_long(x, y)
        return super().evaluate(x, y, batch_size=batch_size, **options)

    def arguments(self, x, y=None):
        return checks.two(x, y)

    def check_batch(self, batch):
        images_a, images_b, _ = keras.utils.unpack_x_y_sample_weight(batch)
        checks.check_pair(images_a, images_b, "fit(images_a, images_b)")
        checks.check_images(images_a, self.generator_ab.input_shape[1:], "generator of B")
        checks.check_images(images_b, self.generator_ba.input_shape[1:], "generator of A")

    def images_to_make(self, batch):
        images_a, images_b, _ = keras.utils.unpack_x_y_sample_weight(batch)
        return [(self.generator_ba, images_a), (self.generator_ab, images_b)]

    def unpack(self, data):
        images_a, images_b, _ = keras.utils.unpack_x_y_sample_weight(data)
        return ops.cast(images_a, "float32"), ops.cast(images_b, "float32")

    def vary(self, batch):
        if self.jitter is None:
            return batch
        return tuple(self.jitter(images, training=True) for images in batch)

    def real_and_generated(self, data, rng, domain=""):
        a, b = map(checks.to_numpy, self.unpack(data))
        if domain == "a":
            return a, self.translate(b, direction="ba")
        return b, self.translate(a, direction="ab")

    def play(self, batch, training=True):
        a, b = batch
        to_b, to_a = (_network(self.in_use(each, training), training) for each in self.generators)
        fake_b, fake_a = to_b(a), to_a(b)
        outputs = {"a": fake_a, "b": fake_b, "cycle_a": to_a(fake_b), "cycle_b": to_b(fake_a)}
        if self.identity_weight:
            outputs |= {"same_a": to_a(a), "same_b": to_b(b)}
        return outputs

    def discriminator_loss(self, batch, outputs, training=True):
        terms = {}
        for domain, reals, discriminator, pool in self._domains(batch):
            fakes = outputs[domain]
            if training and pool:
                fakes = pool(fakes, seed=self.seed_generator)
            judged = self.judging_terms(
                _network(discriminator, training),
                self.augment(reals, training),
                self.augment(fakes, training),
            )
            terms |= {f"{name}_{domain}": term for name, term in judged.items()}
        return terms

    def generator_loss(self, batch, outputs, training=True):
        terms = {}
        for domain, reals, discriminator, _ in self._domains(batch):
            judge = _network(discriminator, training)
            made = self.making_terms(
                lambda x, judge=judge: judge(self.augment(x, training)), reals, outputs[domain]
            )
            terms[f"adversarial_{domain}"] = made["adversarial"]
            distance = ops.mean(ops.abs(outputs[f"cycle_{domain}"] - reals))
            terms[f"cycle_{domain}"] = self.cycle_weight * distance
            if self.identity_weight:
                distance = ops.mean(ops.abs(outputs[f"same_{domain}"] - reals))
                weight = self.cycle_weight * self.identity_weight
                terms[f"identity_{domain}"] = weight * distance
        return terms

    def translate(self, images, direction: str = "ab", batch_size: int = 8) -> np.ndarray:
        """Returns the translations of images, the same on every call.

        Args:
            images: float array `(n, height, width, channels)` in [-1, 1].
            direction: `"ab"` from A to B (default), or `"ba"`.
            batch_size: how many at a time. Default: 8.

        Returns:
            float32 NumPy array `(n, height, width, output channels)` in the generator's range.

        Raises:
            ValueError: if the images do not fit the generator, or for another direction.
        """
        return self.translate_by(self._generator(direction), images, batch_size)

    def export(
        self,
        path: str | os.PathLike,
        formats: Sequence[str] | None = None,
        direction: str = "ab",
        **options,
    ):
        """Exports one of the generators, see `AdversarialModel.export`.

        Its input is `image`, its output `translated_image`; the file gives what `translate` gives,
        within an error of 1e-4.

        Args:
            path, formats, **options: see `AdversarialModel.export`.
            direction: `"ab"` from A to B (default), or `"ba"`.
        """
        metadata = {"direction": direction, **(options.pop("metadata", None) or {})}
        generator = self._generator(direction)
        options.setdefault("name", f"generator_{direction}")  # so that a bundle can have both
        return self.export_generator(generator, path, formats, options | {"metadata": metadata})

    def _generator(self, direction):
        if not isinstance(direction, str) or direction not in ("ab", "ba"):
            raise ValueError(
                'direction must be "ab", from A to B, or "ba". '
                f"Received: direction={numbers.shown(direction)}"
            )
        return self.generator_ab if direction == "ab" else self.generator_ba

    def _domains(self, batch):
        """For each domain its name, its real images, its discriminator and its pool."""
        return (
            ("a", batch[0], self.discriminator_a, self.pool_a),
            ("b", batch[1], self.discriminator_b, self.pool_b),
        )

    def check_networks(self):
        """Raises a ValueError if the networks do not fit each other or this model."""
        names = ("generator_ab", "generator_ba", "discriminator_a", "discriminator_b")
        networks = {name: getattr(self, name) for name in names}
        checks.check_built(**networks)
        checks.check_distinct(**networks)
        for name in ("generator_ab", "generator_ba"):
            checks.check_inputs(name, networks[name], ["image"])
            checks.check_translator(name, networks[name])
        for name in ("discriminator_a", "discriminator_b"):
            checks.check_inputs(name, networks[name], ["image"])
            checks.check_logits(networks[name])
        checks.check_fit(self.generator_ba.output_shape, self.discriminator_a.input_shape)
        checks.check_fit(self.generator_ab.output_shape, self.discriminator_b.input_shape)
        checks.check_cycle(self.generator_ab, self.generator_ba, self.identity_weight)
        for discriminator in self.discriminators:
            checks.check_jitter(self.jitter, discriminator.input_shape)

    def _make_pool(self, shape):
        if not self.pool_size:
            return None
        if None in shape[1:]:
            raise ValueError(
                "A pool needs images of one size: build the generators for a full image_shape, or "
                f"use pool_size=0. Received: output shape {shape}, pool_size={self.pool_size}"
            )
        pool = ImagePool(self.pool_size)
        pool.build(shape)
        return pool


def _network(network, training):
    return lambda images: ops.cast(network(images, training=training), "float32")
