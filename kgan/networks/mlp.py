"""Dense generator and discriminator, for small images and toy distributions."""

import math
from collections.abc import Sequence

import keras
from keras import layers

from kgan.networks.arguments import check_arguments
from kgan.networks.conditioning import Conditioned, code, embed, head
from kgan.networks.repeatable import repeatable
from kgan.utils import numbers


@repeatable
def mlp_generator(
    image_shape: Sequence[int] = (28, 28, 1),
    latent_dim: int = 64,
    width: int = 256,
    depth: int = 2,
    num_classes: int | None = None,
    seed: int | None = None,
) -> keras.Model:
    """A dense generator: hidden layers with ReLU, tanh at the output.

    Args:
        image_shape: `(height, width, channels)`, or `(features,)` for points in place of images;
            points get a linear output, since they have no fixed range.
        latent_dim: length of the latent. Default: 64.
        width: units of each hidden layer. Default: 256.
        depth: number of hidden layers. Default: 2.
        num_classes: for a conditional generator, which has an embedding of the class beside the
            latent, how many classes there are. Default: None.
        seed: seed of the first weights: an int gives the same ones on every call, on one backend.
            Default: None, Keras's global seed decides.

    Returns:
        A `keras.Model` from `latent` `(batch, latent_dim)`, and with `num_classes` `label`,
        integers `(batch,)`, to `image` `(batch, *image_shape)`, float32, in [-1, 1] for images.

    Raises:
        ValueError: if a size is not a positive integer.

    Reference: Goodfellow et al., Generative Adversarial Nets, 2014, section 5, which used ReLU
    units and dense networks for MNIST.
    """
    shape = check_arguments(image_shape, ranks=(1, 3), latent_dim=latent_dim, width=width)
    depth = numbers.count("depth", depth, 0)
    condition = Conditioned(num_classes, "concatenation")
    latent = keras.Input((latent_dim,), name="latent")
    x = embed(latent, condition)
    for _ in range(depth):
        x = layers.Dense(width, activation="relu")(x)
    x = layers.Dense(math.prod(shape))(x)
    x = layers.Reshape(shape)(x)
    x = layers.Activation("tanh" if len(shape) == 3 else "linear", dtype="float32", name="image")(x)
    return keras.Model(condition.inputs(latent), x, name="generator")


@repeatable
def mlp_encoder(
    image_shape: Sequence[int] = (28, 28, 1),
    latent_dim: int = 64,
    width: int = 256,
    depth: int = 2,
    num_classes: int | None = None,
    seed: int | None = None,
) -> keras.Model:
    """A dense encoder for `kgan.VAE`: hidden layers with ReLU, then a mean and a log-variance.

    Args:
        image_shape, latent_dim, width, depth, num_classes, seed: as for `mlp_generator`.

    Returns:
        A `keras.Model` from `image` `(batch, *image_shape)`, and with `num_classes` `label`,
        integers `(batch,)`, to `[mean, log_variance]`, each `(batch, latent_dim)`, float32.

    Raises:
        ValueError: if a size is not a positive integer.
    """
    shape = check_arguments(image_shape, ranks=(1, 3), latent_dim=latent_dim, width=width)
    depth = numbers.count("depth", depth, 0)
    condition = Conditioned(num_classes, "concatenation")
    image = keras.Input(shape, name="image")
    x = embed(layers.Flatten()(image), condition)
    for _ in range(depth):
        x = layers.Dense(width, activation="relu")(x)
    return keras.Model(condition.inputs(image), code(x, latent_dim), name="encoder")


@repeatable
def mlp_discriminator(
    image_shape: Sequence[int] = (28, 28, 1),
    width: int = 256,
    depth: int = 2,
    num_classes: int | None = None,
    conditioning: str = "concatenation",
    seed: int | None = None,
) -> keras.Model:
    """A dense discriminator: hidden layers with LeakyReLU, one logit.

    Args:
        image_shape: `(height, width, channels)`, or `(features,)` for points.
        width: units of each hidden layer. Default: 256.
        depth: number of hidden layers. Default: 2.
        num_classes, conditioning: as for `dcgan_discriminator`; a concatenated class is an
            embedding beside the pixels.
        seed: seed of the first weights: an int gives the same ones on every call, on one backend.
            Default: None, Keras's global seed decides.

    Returns:
        A `keras.Model` as `dcgan_discriminator` returns it.

    Raises:
        ValueError: if a size is not a positive integer, or the conditioning is unknown.
    """
    shape = check_arguments(image_shape, ranks=(1, 3), width=width)
    depth = numbers.count("depth", depth, 0)
    condition = Conditioned(num_classes, conditioning)
    image = keras.Input(shape, name="image")
    x = embed(layers.Flatten()(image), condition)
    for _ in range(depth):
        x = layers.Dense(width)(x)
        x = layers.LeakyReLU(0.2)(x)
    return keras.Model(condition.inputs(image), head(x, condition), name="discriminator")
