"""Dense generator and discriminator, for small images and toy distributions."""

import math
from collections.abc import Sequence

import keras
from keras import layers

from kgan.networks.arguments import check_arguments


def mlp_generator(
    image_shape: Sequence[int] = (28, 28, 1),
    latent_dim: int = 64,
    width: int = 256,
    depth: int = 2,
) -> keras.Model:
    """A dense generator: hidden layers with ReLU, tanh at the output.

    Args:
        image_shape: `(height, width, channels)`, or `(features,)` for points in place of images;
            points get a linear output, since they have no fixed range.
        latent_dim: length of the latent. Default: 64.
        width: units of each hidden layer. Default: 256.
        depth: number of hidden layers. Default: 2.

    Returns:
        A `keras.Model` from `latent` `(batch, latent_dim)` to `image` `(batch, *image_shape)`,
        float32, in [-1, 1] for images.

    Raises:
        ValueError: if a size is not a positive integer.

    Reference: Goodfellow et al., Generative Adversarial Nets, 2014, section 5, which used ReLU
    units and dense networks for MNIST.
    """
    shape = check_arguments(image_shape, ranks=(1, 3), latent_dim=latent_dim, width=width)
    x = latent = keras.Input((latent_dim,), name="latent")
    for _ in range(depth):
        x = layers.Dense(width, activation="relu")(x)
    x = layers.Dense(math.prod(shape))(x)
    x = layers.Reshape(shape)(x)
    x = layers.Activation("tanh" if len(shape) == 3 else "linear", dtype="float32", name="image")(x)
    return keras.Model(latent, x, name="generator")


def mlp_discriminator(
    image_shape: Sequence[int] = (28, 28, 1),
    width: int = 256,
    depth: int = 2,
) -> keras.Model:
    """A dense discriminator: hidden layers with LeakyReLU, one logit.

    Args:
        image_shape: `(height, width, channels)`, or `(features,)` for points.
        width: units of each hidden layer. Default: 256.
        depth: number of hidden layers. Default: 2.

    Returns:
        A `keras.Model` from `image` `(batch, *image_shape)` to a logit `(batch, 1)`, float32.

    Raises:
        ValueError: if a size is not a positive integer.
    """
    shape = check_arguments(image_shape, ranks=(1, 3), width=width)
    x = image = keras.Input(shape, name="image")
    x = layers.Flatten()(x)
    for _ in range(depth):
        x = layers.Dense(width)(x)
        x = layers.LeakyReLU(0.2)(x)
    x = layers.Dense(1, dtype="float32", name="logit")(x)
    return keras.Model(image, x, name="discriminator")
