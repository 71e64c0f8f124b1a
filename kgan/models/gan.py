"""The original GAN: images from noise."""

import keras
from keras import ops

from kgan import checks
from kgan.adversarial import AdversarialModel


@keras.saving.register_keras_serializable("kgan")
class GAN(AdversarialModel):
    """A generator that turns latents into images, and a discriminator that judges them.

    Args:
        generator: a built Keras model from latents `(batch, latent_dim)` to images.
        discriminator: a built Keras model from images to one logit `(batch, 1)`, no sigmoid.
        seed: seed of the latents drawn in training. Default: a random one.
        **kwargs: `name` and `dtype`, as for `keras.Model`.

    Raises:
        ValueError: if a network is not built, or the generator's output does not fit the
            discriminator's input.

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

    def __init__(self, generator, discriminator, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        checks.check_built(generator=generator, discriminator=discriminator)
        checks.check_fit(generator.output_shape, discriminator.input_shape)
        self.generator = generator
        self.discriminator = discriminator
        self.built = True

    def check_batch(self, batch):
        images, _, _ = keras.utils.unpack_x_y_sample_weight(batch)
        checks.check_images(images, self.discriminator.input_shape[1:])

    def play(self, batch, training=True):
        latents = self.sample_latents(ops.shape(batch)[0])
        generator = self.in_use(self.generator, training)
        return {"image": generator(latents, training=training)}

    def discriminator_loss(self, batch, outputs, training=True):
        fakes = outputs["image"]
        real, fake = self.judge(batch, training), self.judge(fakes, training)
        if self.game.probabilities:
            self.track(real_probability=ops.sigmoid(real), fake_probability=ops.sigmoid(fake))
        else:
            self.track(real_score=real, fake_score=fake)
        penalties = self.penalty_terms(lambda images: self.judge(images, training), batch, fakes)
        return {"adversarial": self.game.discriminator(real, fake), **penalties}

    def generator_loss(self, batch, outputs, training=True):
        real = self.judge(batch, training) if self.game.pairs else None
        return {"adversarial": self.game.generator(real, self.judge(outputs["image"], training))}

    def judge(self, images, training=True):
        """Returns the discriminator's logits for images, as float32."""
        return ops.cast(self.discriminator(images, training=training), "float32")
