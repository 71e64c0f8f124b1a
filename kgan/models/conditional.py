"""GANs that make what they are asked for: images of a class."""

import keras
import numpy as np
from keras import ops

from kgan import checks
from kgan.generation.inputs import Label, rng_for
from kgan.models.conditions import Conditioned, declared
from kgan.models.gan import GAN
from kgan.utils import numbers

WITH_LABELS = "build it with num_classes="


@keras.saving.register_keras_serializable("kgan")
class ConditionalGAN(Conditioned, GAN):
    """A generator and a discriminator that both are told what is asked for: a class, or more.

    How they use it is theirs: see `kgan.networks` for networks with a concatenated embedding,
    conditional batch normalisation or a projection discriminator, and `kgan.layers` for the parts.

    Args:
        generator: a built Keras model from `[latents, labels]`, `(batch, latent_dim)` and integers
            `(batch,)`, to images; with `condition` from the latents and each condition.
        discriminator: a built Keras model from `[images, labels]` to one logit, or to a map of
            logits for patches; with `condition` from the images and each condition.
        num_classes: how many classes there are; labels are integers from 0.
        class_names: names of the classes, for exported files. Default: none.
        seed: seed of the latents drawn in training. Default: a random one.
        condition: what the networks are told in place of a class: a `kgan.Given`, such as
            `kgan.Given("attributes", (40,))` for attributes, numbers or an embedding, a
            `kgan.Label`, or several of them in a tuple. `fit` is given them as `y`, several as a
            tuple in this order, and `generate` by their names. Default: the class alone.
        **kwargs: `name` and `dtype`, as for `keras.Model`.

    Raises:
        ValueError: if a network has other inputs or the two do not fit each other, the number of
            classes is not a positive integer or not that of the names, or both or neither of
            `num_classes` and `condition` is given.

    Example:

    ```python
    images, labels = kgan.data.digits()
    gan = kgan.ConditionalGAN(
        kgan.networks.dcgan_generator((8, 8, 1), latent_dim=32, num_classes=10),
        kgan.networks.dcgan_discriminator((8, 8, 1), num_classes=10),
        num_classes=10,
    )
    gan.compile()
    gan.fit(images, labels, batch_size=64, epochs=20)
    threes = gan.generate(16, labels=3, seed=0)  # (16, 8, 8, 1), float32 in [-1, 1]
    ```

    Reference: Mirza and Osindero, Conditional Generative Adversarial Nets, 2014 (arXiv:1411.1784).
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        num_classes: int | None = None,
        class_names=None,
        seed: int | None = None,
        condition=None,
        **kwargs,
    ):
        self.num_classes, self.condition = num_classes, condition
        if num_classes is None and condition is None:
            raise ValueError(
                "Say what the networks are told: num_classes=10 for labels from 0 to 9, or "
                "condition= for something else, such as kgan.Given('attributes', (40,)). "
                "Received: num_classes=None, condition=None"
            )
        self.conditions = declared(num_classes, condition)
        super().__init__(generator, discriminator, seed=seed, **kwargs)
        if condition is None:
            for name, network in {"generator": generator, "discriminator": discriminator}.items():
                checks.check_classes_of(name, network, num_classes)
        self.class_names = None if class_names is None else _names(class_names, num_classes)

    def check_networks(self):
        names = [each.name for each in self.conditions]
        hint = "" if self.condition else WITH_LABELS
        checks.check_inputs("generator", self.generator, ["latent", *names], hint)
        hint = hint and f"{hint}, or use kgan.ACGAN for one that names the class itself"
        checks.check_inputs("discriminator", self.discriminator, ["image", *names], hint)
        checks.check_fit(self.generator.output_shape, self.discriminator.input_shape[0])
        checks.check_logits(self.discriminator)

    def judge(self, images, batch, training=True):
        given = self.given_in(batch).values()
        return ops.cast(self.discriminator([images, *given], training=training), "float32")

    def generate(self, n: int, labels=None, seed: int | None = None, batch_size: int = 64, **given):
        """Returns `n` generated images.

        Args:
            n: how many, at least 1.
            labels: an integer for images of one class, an integer array `(n,)`, or None (default)
                for classes drawn at random.
            seed: an int gives the same latents (and random classes) on every call and on every
                backend. Default: new ones each time.
            batch_size: how many at a time.
            **given: by name, as for `AdversarialModel.generate`; `label` is another name for
                `labels`.

        Returns:
            float32 NumPy array `(n, height, width, channels)` in the generator's range.

        Raises:
            ValueError: if `n` is not a positive integer, or a label is no class.
            TypeError: if a condition is missing, or has an unknown name.
        """
        if labels is not None:
            given["label"] = labels
        return super().generate(n, seed=seed, batch_size=batch_size, **given)

    def images_of(self, latents, *given, labels=None, **options):
        """Returns the images of latents and labels, see `AdversarialModel.images_of`.

        Args:
            latents: an array `(n, ...)`.
            *given: the labels or other conditions, one for each latent.
            labels: the same by name.
            **options: as there.

        Raises:
            ValueError: if the labels are no integers of known classes, one for each latent.
        """
        given = given if labels is None else (*given, labels)
        latents = numbers.array("latents", latents)
        count = len(latents) if latents.ndim else 0
        if len(given) == len(self.conditions):
            given = self.checked_conditions(given, count)
        return super().images_of(latents, *given, **options)

    def draw_labels(self, n, labels=None, seed=None):
        """Returns the labels of `generate(n, labels, seed)`, int32 `(n,)`."""
        n = numbers.count("n", n)
        place, label = next((i, x) for i, x in enumerate(self.takes) if isinstance(x, Label))
        if labels is not None:
            return label.check(labels, n)
        if not isinstance(seed, np.random.Generator):
            seed = numbers.seed(seed)
        return label.draw(n, rng_for(seed, place))

    def export(self, path, formats=None, **options):
        """Exports the generator, see `AdversarialModel.export`; parity is proven for all classes.

        Its inputs are `latent` and `label`, an integer for each image; or the conditions by their
        names.
        """
        if self.num_classes is not None:
            metadata = {"num_classes": self.num_classes, "class_names": self.class_names}
            options["metadata"] = {**metadata, **(options.get("metadata") or {})}
        return super().export(path, formats, **options)


@keras.saving.register_keras_serializable("kgan")
class ACGAN(ConditionalGAN):
    r"""A discriminator that also names the class, and a generator that helps it to.

    Both players add the classification of real and of generated images to their losses, each as
    a term of its own: $-E[\log P(y \mid x)]$ over real images for the discriminator, and over
    generated ones for both. The discriminator is not told the class. Metrics: `real_accuracy` and
    `fake_accuracy`, the share of images whose class it names rightly.

    Args:
        generator: as for `ConditionalGAN`.
        discriminator: a built Keras model from images to `[logit, class_logits]`, `(batch, 1)` and
            `(batch, num_classes)`, neither with an activation.
        num_classes, class_names, seed, **kwargs: as for `ConditionalGAN`.
        class_weight: factor of the class terms. Default: 1.

    Raises:
        ValueError: as for `ConditionalGAN`, or if the weight is negative.

    Reference: Odena, Olah and Shlens, Conditional Image Synthesis with Auxiliary Classifier GANs,
    2017 (arXiv:1610.09585), equations 2 and 3.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        num_classes: int | None = None,
        class_names=None,
        class_weight: float = 1.0,
        seed: int | None = None,
        **kwargs,
    ):
        self.class_weight = numbers.factor("class_weight", class_weight)
        if "condition" in kwargs:
            raise TypeError(
                "An ACGAN names classes: use ConditionalGAN for other conditions. "
                f"Received: condition={numbers.shown(kwargs['condition'])}"
            )
        super().__init__(generator, discriminator, num_classes, class_names, seed, **kwargs)

    def check_networks(self):
        checks.check_inputs("generator", self.generator, ["latent", "label"], WITH_LABELS)
        hint = "build it with num_classes= and conditioning='auxiliary'"
        checks.check_inputs("discriminator", self.discriminator, ["image"], hint)
        checks.check_fit(self.generator.output_shape, self.discriminator.input_shape)
        checks.check_class_logits(self.discriminator, self.num_classes)

    def judge(self, images, batch, training=True):
        return self.judge_and_name(images, training)[0]

    def judge_and_name(self, images, training=True):
        """Returns the logits and the class logits of images, as float32."""
        logits = self.discriminator(images, training=training)
        return [ops.cast(x, "float32") for x in logits]

    def discriminator_loss(self, batch, outputs, training=True):
        images, labels = batch
        reals = self.to_judge(images, batch, training)
        fakes = self.to_judge(outputs["image"], batch, training)
        (real, real_names), (fake, fake_names) = (
            self.judge_and_name(x, training) for x in (reals, fakes)
        )
        self.track_logits(real, fake)
        self.track(
            real_accuracy=_accuracy(labels, real_names),
            fake_accuracy=_accuracy(labels, fake_names),
        )
        return {
            "adversarial": self.game.discriminator(real, fake),
            "real_class": self.class_weight * _cross_entropy(labels, real_names),
            "fake_class": self.class_weight * _cross_entropy(labels, fake_names),
            **self.penalty_terms(lambda x: self.judge(x, batch, training), reals, fakes),
        }

    def generator_loss(self, batch, outputs, training=True):
        images, labels = batch
        fake, names = self.judge_and_name(
            self.to_judge(outputs["image"], batch, training), training
        )
        real = None
        if self.game.pairs:
            real = self.judge(self.to_judge(images, batch, training), batch, training)
        return {
            "adversarial": self.game.generator(real, fake),
            "fake_class": self.class_weight * _cross_entropy(labels, names),
        }


def _names(names, num_classes):
    """Returns the names of classes as a list of strings, each once."""
    several = isinstance(names, (list, tuple, np.ndarray)) and np.ndim(names) == 1
    known = [str(name) for name in names] if several else []
    plain = all(isinstance(name, str) or numbers.is_integer(name) for name in known and names)
    if not plain or len(known) != num_classes or len(set(known)) < num_classes:
        raise ValueError(
            f"class_names must name each of the {num_classes} classes once, as a list of text. "
            f"Received: class_names={numbers.shown(names)}"
        )
    return known


def _cross_entropy(labels, logits):
    return ops.mean(keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True))


def _accuracy(labels, logits):
    return keras.metrics.sparse_categorical_accuracy(labels, logits)
