"""The convolutional networks of the DCGAN paper, for any image size.

Reference: Radford, Metz, Chintala, Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks, 2016 (arXiv:1511.06434). Its rules: strided and transposed
convolutions in place of pooling, no hidden dense layers, batch norm everywhere except at the
generator's output and the discriminator's input, ReLU in the generator with tanh at its output,
LeakyReLU in the discriminator, weights drawn from a normal of deviation 0.02.
"""

import math
from collections.abc import Sequence

import keras
from keras import layers

from kgan.networks.arguments import check_arguments, crop, halvings
from kgan.networks.conditioning import Conditioned, code, embed, head
from kgan.networks.repeatable import repeatable
from kgan.utils import numbers


@repeatable
def dcgan_generator(
    image_shape: Sequence[int] = (64, 64, 3),
    latent_dim: int = 100,
    width: int = 64,
    num_classes: int | None = None,
    conditioning: str = "concatenation",
    seed: int | None = None,
) -> keras.Model:
    """The DCGAN generator: a projection, then transposed convolutions that double the size.

    The smallest map has 4 to 7 pixels on its shorter side. A size that is not a power of two
    times that is reached by rounding up and cropping the excess evenly at the output.

    Args:
        image_shape: `(height, width, channels)`, any positive sizes.
        latent_dim: length of the latent. Default: 100, as in the paper.
        width: filters of the last hidden layer; each layer before it has twice as many. Default:
            64 (the paper's network for 64 pixels has 128).
        num_classes: for a conditional generator, how many classes there are. Default: None.
        conditioning: how it is told the class: `"concatenation"` (default), an embedding beside
            the latent, or `"conditional_batch_norm"`, a scale and shift for each class in every
            normalisation.
        seed: seed of the first weights: an int gives the same ones on every call, on one backend.
            Default: None, Keras's global seed decides.

    Returns:
        A `keras.Model` from `latent` `(batch, latent_dim)`, and with `num_classes` `label`,
        integers `(batch,)`, to `image` `(batch, *image_shape)`, float32 in [-1, 1].

    Raises:
        ValueError: if a size is not a positive integer, or the conditioning is unknown.
    """
    shape = check_arguments(image_shape, latent_dim=latent_dim, width=width)
    condition = Conditioned(num_classes, conditioning, ("concatenation", "conditional_batch_norm"))
    steps = halvings(shape)
    height, columns = (math.ceil(size / 2**steps) for size in shape[:2])
    filters = width * 2 ** max(steps - 1, 0)

    latent = keras.Input((latent_dim,), name="latent")
    x = embed(latent, condition)
    x = layers.Dense(height * columns * filters, use_bias=False, kernel_initializer=_normal())(x)
    x = layers.Reshape((height, columns, filters))(x)
    x = layers.ReLU()(condition.norm(x, _norm))
    for step in reversed(range(1, steps)):
        x = layers.Conv2DTranspose(
            width * 2 ** (step - 1), 4, 2, "same", use_bias=False, kernel_initializer=_normal()
        )(x)
        x = layers.ReLU()(condition.norm(x, _norm))
    output = layers.Conv2DTranspose if steps else layers.Conv2D
    x = output(shape[2], 4, 2 if steps else 1, "same", kernel_initializer=_normal())(x)
    x = crop(x, shape)
    x = layers.Activation("tanh", dtype="float32", name="image")(x)
    return keras.Model(condition.inputs(latent), x, name="generator")


@repeatable
def dcgan_discriminator(
    image_shape: Sequence[int] = (64, 64, 3),
    width: int = 64,
    batch_norm: bool = True,
    num_classes: int | None = None,
    conditioning: str = "concatenation",
    seed: int | None = None,
) -> keras.Model:
    """The DCGAN discriminator: strided convolutions that halve the size, then one logit.

    Args:
        image_shape: `(height, width, channels)`, any positive sizes.
        width: filters of the first layer; each layer after it has twice as many. Default: 64.
        batch_norm: whether to normalise as in the paper (default). False for a critic with a
            gradient penalty, which needs each sample's gradient to be its own.
        num_classes: for a conditional discriminator, how many classes there are. Default: None.
        conditioning: `"concatenation"` (default), a learned plane for each class beside the image;
            `"projection"`, an inner product of features and class; or `"auxiliary"`, which is not
            told the class but names it, for `kgan.ACGAN`.
        seed: seed of the first weights: an int gives the same ones on every call, on one backend.
            Default: None, Keras's global seed decides.

    Returns:
        A `keras.Model` from `image` `(batch, *image_shape)`, and when it is told the class `label`,
        integers `(batch,)`, to a logit `(batch, 1)`, float32; with `"auxiliary"` to
        `[logit, class_logits]`.

    Raises:
        ValueError: if a size is not a positive integer, or the conditioning is unknown.
    """
    shape = check_arguments(image_shape, width=width)
    batch_norm = numbers.flag("batch_norm", batch_norm)
    condition = Conditioned(num_classes, conditioning)
    image = keras.Input(shape, name="image")
    x = condition.plane(image)
    for step in range(max(halvings(shape), 1)):
        normed = batch_norm and step > 0
        x = layers.Conv2D(
            width * 2**step, 4, 2, "same", use_bias=not normed, kernel_initializer=_normal()
        )(x)
        x = layers.LeakyReLU(0.2)(_norm()(x) if normed else x)
    logits = head(layers.Flatten()(x), condition, kernel_initializer=_normal())
    return keras.Model(condition.inputs(image), logits, name="discriminator")


@repeatable
def dcgan_encoder(
    image_shape: Sequence[int] = (64, 64, 3),
    latent_dim: int = 100,
    width: int = 64,
    num_classes: int | None = None,
    seed: int | None = None,
) -> keras.Model:
    """A convolutional encoder for `kgan.VAE`: the discriminator's body, then mean, log-variance.

    Args:
        image_shape, latent_dim, seed: as for `dcgan_generator`.
        width: filters of the first layer; each layer after it has twice as many. Default: 64.
        num_classes: for an encoder that is told the class, by a learned plane beside the image, how
            many classes there are. Default: None.

    Returns:
        A `keras.Model` from `image` `(batch, *image_shape)`, and with `num_classes` `label`,
        integers `(batch,)`, to `[mean, log_variance]`, each `(batch, latent_dim)`, float32.

    Raises:
        ValueError: if a size is not a positive integer.
    """
    shape = check_arguments(image_shape, latent_dim=latent_dim, width=width)
    condition = Conditioned(num_classes, "concatenation")
    image = keras.Input(shape, name="image")
    x = condition.plane(image)
    for step in range(max(halvings(shape), 1)):
        x = layers.Conv2D(
            width * 2**step, 4, 2, "same", use_bias=step == 0, kernel_initializer=_normal()
        )(x)
        x = layers.LeakyReLU(0.2)(_norm()(x) if step > 0 else x)
    codes = code(layers.Flatten()(x), latent_dim)
    return keras.Model(condition.inputs(image), codes, name="encoder")


def _norm():
    # The reference implementation's values: Keras's defaults (0.99, 1e-3) follow a GAN's moving
    # target too slowly for the statistics used at inference.
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)


def _normal():
    return keras.initializers.RandomNormal(stddev=0.02)
