"""Small trained-looking models and the tensor names their exports get."""

import keras
import numpy as np

import kgan

NAMES = {"input_names": ["latent"], "output_names": ["image"]}


def small_model(seed=1, units=8):
    """A latent vector to a tiny image, the same weights for the same seed."""
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((4,), name="z"),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(6, activation="tanh"),
            keras.layers.Reshape((2, 3, 1), name="pixels"),
        ],
        name="small",
    )


def small_gan():
    """A conditional DCGAN with moving statistics as after training."""
    keras.utils.set_random_seed(5)
    gan = kgan.ConditionalGAN(
        kgan.networks.dcgan_generator((8, 8, 1), latent_dim=8, width=8, num_classes=3),
        kgan.networks.dcgan_discriminator((8, 8, 1), width=4, num_classes=3),
        num_classes=3,
        class_names=["circle", "square", "star"],
    )
    gan.compile()
    random = np.random.default_rng(0)
    for layer in gan.generator.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(random.normal(0, 0.02, layer.moving_mean.shape))
            layer.moving_variance.assign(random.uniform(0.005, 0.02, layer.moving_mean.shape))
    return gan
