"""The original GAN: images from noise."""

import keras
from keras import ops

from kgan import checks
from kgan.models.adversarial import AdversarialModel
from kgan.utils import numbers


@keras.saving.register_keras_serializable("kgan")
class GAN(AdversarialModel):
    """A generator that turns latents into images, and a discriminator that judges them.

    Args:
        generator: a built Keras model from latents `(batch, latent_dim)` to images, best with tanh
            at its output.
        discriminator: a built Keras model from images to one logit `(batch, 1)`, or to a map of
            logits for patches `(batch, height, width, 1)`; no sigmoid.
        packing: samples that the discriminator judges together, side by side in the channels, so
            that it sees a lack of variety (PacGAN, Lin et al., 2018). Its input must have
            `packing` times the generator's channels. Default: 1.
        seed: seed of the latents drawn in training. Default: a random one.
        **kwargs: `name` and `dtype`, as for `keras.Model`.

    Raises:
        ValueError: if a network is not built, the discriminator does not end in a logit, the
            generator's output does not fit the discriminator's input, one network is given twice,
            `packing` is not a positive integer, or the seed not an integer from 0.

    Example:

    ```python
    images, _ = kgan.data.digits()
    gan = kgan.GAN(
        kgan.networks.dcgan_generator(image_shape=(8, 8, 1), latent_dim=32),
        kgan.networks.dcgan_discriminator(image_shape=(8, 8, 1)),
    )
    gan.compile()
    gan.fit(images, batch_size=64, epochs=20)
    samples = gan.generate(16, seed=0)  # (16, 8, 8, 1), float32 in [-1, 1]
    ```

    Reference: Goodfellow et al., Generative Adversarial Nets, 2014 (arXiv:1406.2661).
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        packing: int = 1,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(seed=seed, **kwargs)
        checks.check_built(generator=generator, discriminator=discriminator)
        checks.check_distinct(generator=generator, discriminator=discriminator)
        self.packing = numbers.count("packing", packing)
        self.generator = generator
        self.discriminator = discriminator
        self.check_networks()

    @property
    def smallest_batch(self):
        return super().smallest_batch * self.packing

    def check_networks(self):
        """Raises a ValueError if the networks do not fit each other or this model."""
        hint = "kgan.ConditionalGAN takes networks with labels"
        checks.check_inputs("generator", self.generator, ["latent"], hint)
        checks.check_inputs("discriminator", self.discriminator, ["image"], hint)
        checks.check_fit(self.generator.output_shape, self.discriminator.input_shape, self.packing)
        checks.check_logits(self.discriminator)

    def arguments(self, x, y=None):
        """Returns images, and what goes with them: also where both came as one tuple."""
        return checks.two(x, y)

    def check_batch(self, batch):
        images, _, _ = keras.utils.unpack_x_y_sample_weight(batch)
        checks.check_images(images, self.generator.output_shape[1:])

    def images_to_make(self, batch):
        images, _, _ = keras.utils.unpack_x_y_sample_weight(batch)
        return [(self.generator, images)]

    def play(self, batch, training=True):
        generator = self.in_use(self.generator, training)
        return {"image": generator(self.inputs_for(batch), training=training)}

    def discriminator_loss(self, batch, outputs, training=True):
        reals = self.to_judge(self.real_in(batch), batch, training)
        fakes = self.to_judge(outputs["image"], batch, training)
        return self.judging_terms(lambda x: self.judge(x, batch, training), reals, fakes)

    def generator_loss(self, batch, outputs, training=True):
        return self.making_terms(
            lambda x: self.judge(self.to_judge(x, batch, training), batch, training),
            self.real_in(batch),
            outputs["image"],
        )

    def to_judge(self, images, batch, training=True):
        """Returns what the discriminator is given: augmented, and packed if it judges several."""
        images = self.augment(images, training)
        if self.packing == 1:
            return images
        *shape, channels = images.shape[1:]
        packs = ops.shape(images)[0] // self.packing
        images = ops.reshape(
            images[: packs * self.packing], (packs, self.packing, *shape, channels)
        )
        return ops.reshape(ops.moveaxis(images, 1, -2), (packs, *shape, self.packing * channels))

    def judge(self, images, batch, training=True):
        """Returns the discriminator's logits of images that go with a batch, as float32."""
        return ops.cast(self.discriminator(images, training=training), "float32")
