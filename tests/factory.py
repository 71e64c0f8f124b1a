"""Small GANs to test with, whose weights are the same each time."""

import keras
from keras import ops

import kgan


class FedGAN(kgan.GAN):
    """Takes its latents from the labels, so that random number generators play no part."""

    def unpack(self, data):
        images, latents, _ = keras.utils.unpack_x_y_sample_weight(data)
        return ops.cast(images, "float32"), latents

    def play(self, batch, training=True):
        generator = self.in_use(self.generator, training)
        return {"image": generator(batch[1], training=training)}


def mlp_gan(seed=0, kind=kgan.GAN, **compile_arguments):
    keras.utils.set_random_seed(0)
    gan = kind(
        kgan.networks.mlp_generator((8, 8, 1), latent_dim=4, width=16),
        kgan.networks.mlp_discriminator((8, 8, 1), width=16),
        seed=seed,
    )
    gan.compile(**compile_arguments)
    return gan


# How a conditional GAN is told its classes: the networks, and what each of the two takes.
WAYS = {
    "concatenation": ("mlp", {}, {}),
    "plane": ("dcgan", {}, {}),
    "conditional batch norm": ("dcgan", {"conditioning": "conditional_batch_norm"}, {}),
    "projection": ("dcgan", {}, {"conditioning": "projection"}),
    "resnet": ("resnet", {}, {}),
}


def conditional(way="concatenation", seed=0, **compile_arguments):
    keras.utils.set_random_seed(0)
    family, of_generator, of_discriminator = WAYS[way]
    networks, shape = kgan.networks, (8, 8, 1)
    gan = kgan.ConditionalGAN(
        getattr(networks, f"{family}_generator")(shape, 4, 8, num_classes=3, **of_generator),
        getattr(networks, f"{family}_discriminator")(shape, 8, num_classes=3, **of_discriminator),
        num_classes=3,
        seed=seed,
    )
    gan.compile(**compile_arguments)
    return gan


def acgan(seed=0, **compile_arguments):
    keras.utils.set_random_seed(0)
    gan = kgan.ACGAN(
        kgan.networks.mlp_generator((8, 8, 1), 4, 8, num_classes=3),
        kgan.networks.mlp_discriminator((8, 8, 1), 8, num_classes=3, conditioning="auxiliary"),
        num_classes=3,
        class_names=["a", "b", "c"],
        seed=seed,
    )
    gan.compile(**compile_arguments)
    return gan


def dcgan(seed=0, image_shape=(8, 8, 1), **compile_arguments):
    keras.utils.set_random_seed(0)
    gan = kgan.GAN(
        kgan.networks.dcgan_generator(image_shape, latent_dim=4, width=4),
        kgan.networks.dcgan_discriminator(image_shape, width=4),
        seed=seed,
    )
    gan.compile(**compile_arguments)
    return gan


def dropout_gan(seed=0, unseeded=False, **compile_arguments):
    """A user's own networks, with random layers of their own in both."""
    keras.utils.set_random_seed(0)
    latent = keras.Input((4,), name="latent")
    x = keras.layers.Dense(32, activation="relu")(latent)
    # Unseeded, Keras on torch uses torch's global generator.
    x = keras.layers.Dropout(0.3, seed=None if unseeded else 1)(x)
    x = keras.layers.Dense(64, activation="tanh")(x)
    generator = keras.Model(latent, keras.layers.Reshape((8, 8, 1), name="image")(x))
    discriminator = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.GaussianNoise(0.1),
            keras.layers.Dense(16, activation="leaky_relu"),
            keras.layers.Dropout(0.3, seed=2),
            keras.layers.Dense(1),
        ]
    )
    gan = kgan.GAN(generator, discriminator, seed=seed)
    gan.compile(**compile_arguments)
    return gan


def pix2pix(seed=0, channels=(3, 1), compiled=(), **arguments):
    keras.utils.set_random_seed(0)
    given, made = channels
    gan = kgan.Pix2Pix(
        kgan.networks.unet_generator((8, 8, given), made, width=4),
        kgan.networks.patch_discriminator((8, 8, given + made), width=4, receptive_field=16),
        seed=seed,
        **arguments,
    )
    gan.compile(**dict(compiled))
    return gan


def cyclegan(seed=0, channels=(3, 3), compiled=(), **arguments):
    keras.utils.set_random_seed(0)
    a, b = ((8, 8, each) for each in channels)
    gan = kgan.CycleGAN(
        kgan.networks.cyclegan_generator(a, b[-1], width=4, blocks=1),
        kgan.networks.cyclegan_generator(b, a[-1], width=4, blocks=1),
        kgan.networks.patch_discriminator(a, width=4, receptive_field=16),
        kgan.networks.patch_discriminator(b, width=4, receptive_field=16),
        seed=seed,
        **{"pool_size": 6, **arguments},
    )
    gan.compile(**dict(compiled))
    return gan


class OwnGAN(kgan.AdversarialModel):
    """A GAN as a user writes it, who knows nothing of measures, penalties and the like."""

    def __init__(self, generator, discriminator, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.generator = generator
        self.discriminator = discriminator

    def play(self, batch, training=True):
        latents = self.sample_latents(keras.ops.shape(batch)[0])
        return {"image": self.in_use(self.generator, training)(latents, training=training)}

    def discriminator_loss(self, batch, outputs, training=True):
        judged = (self.discriminator(x, training=training) for x in (batch, outputs["image"]))
        return {"adversarial": self.game.discriminator(*judged)}

    def generator_loss(self, batch, outputs, training=True):
        fake = self.discriminator(outputs["image"], training=training)
        return {"adversarial": self.game.generator(None, fake)}
