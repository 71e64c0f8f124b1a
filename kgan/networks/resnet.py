"""Residual networks of the spectral normalisation papers, for small to medium images.

Reference: Miyato et al., Spectral Normalization for GANs, 2018 (arXiv:1802.05957), appendix B.4;
Miyato and Koyama, cGANs with Projection Discriminator, 2018 (arXiv:1802.05637), figure 14.
"""

import math
from collections.abc import Sequence

import keras
from keras import layers

from kgan.layers import SpectralNormalization
from kgan.networks.arguments import check_arguments, crop, halvings
from kgan.networks.conditioning import Conditioned, embed, head
from kgan.networks.repeatable import repeatable
from kgan.utils import numbers


@repeatable
def resnet_generator(
    image_shape: Sequence[int] = (32, 32, 3),
    latent_dim: int = 128,
    width: int = 128,
    num_classes: int | None = None,
    conditioning: str = "conditional_batch_norm",
    seed: int | None = None,
) -> keras.Model:
    """A residual generator: blocks that double the size by repeating pixels.

    Args:
        image_shape: `(height, width, channels)`. As in `dcgan_generator` the smallest map has 4 to
            7 pixels on its shorter side, and other sizes are cropped.
        latent_dim: length of the latent. Default: 128.
        width: filters of every block. Default: 128 (the paper's network for 32 pixels has 256).
        num_classes: for a conditional generator, how many classes there are. Default: None.
        conditioning: `"conditional_batch_norm"` (default) or `"concatenation"`.
        seed: seed of the initial weights: an int gives the same ones on every call, on one backend.
            Default: None, Keras's global seed decides.

    Returns:
        A `keras.Model` as `dcgan_generator` returns it.

    Raises:
        ValueError: if a size is not a positive integer, or the conditioning is unknown.
    """
    shape = check_arguments(image_shape, latent_dim=latent_dim, width=width)
    condition = Conditioned(num_classes, conditioning, ("conditional_batch_norm", "concatenation"))
    steps = halvings(shape)
    height, columns = (math.ceil(size / 2**steps) for size in shape[:2])

    def norm(x):
        return layers.ReLU()(condition.norm(x, _norm))

    latent = keras.Input((latent_dim,), name="latent")
    x = layers.Dense(height * columns * width)(embed(latent, condition))
    x = layers.Reshape((height, columns, width))(x)
    for _ in range(steps):
        y = layers.UpSampling2D()(norm(x))
        y = layers.Conv2D(width, 3, padding="same")(y)
        y = layers.Conv2D(width, 3, padding="same")(norm(y))
        # A convolution of one pixel commutes with repeating pixels, and costs a quarter before.
        x = layers.UpSampling2D()(layers.Conv2D(width, 1)(x))
        x = layers.Add()([x, y])
    x = layers.ReLU()(_norm()(x))
    x = crop(layers.Conv2D(shape[2], 3, padding="same")(x), shape)
    x = layers.Activation("tanh", dtype="float32", name="image")(x)
    return keras.Model(condition.inputs(latent), x, name="generator")


@repeatable
def resnet_discriminator(
    image_shape: Sequence[int] = (32, 32, 3),
    width: int = 128,
    spectral: bool = True,
    num_classes: int | None = None,
    conditioning: str = "projection",
    seed: int | None = None,
) -> keras.Model:
    """A residual discriminator: blocks that halve the size by averaging, summed at the end.

    Args:
        image_shape: `(height, width, channels)`.
        width: filters of every block. Default: 128, as in the paper for 32 pixels.
        spectral: whether every layer is divided by its spectral norm. Default: True.
        num_classes: for a conditional discriminator, how many classes there are. Default: None.
        conditioning: `"projection"` (default), `"concatenation"` or `"auxiliary"`, see
            `dcgan_discriminator`.
        seed: seed of the initial weights: an int gives the same ones on every call, on one backend.
            Default: None, Keras's global seed decides.

    Returns:
        A `keras.Model` as `dcgan_discriminator` returns it.

    Raises:
        ValueError: if a size is not a positive integer, or the conditioning is unknown.
    """
    shape = check_arguments(image_shape, width=width)
    spectral = numbers.flag("spectral", spectral)
    condition = Conditioned(num_classes, conditioning)

    def conv(size):
        layer = layers.Conv2D(width, size, padding="same")
        return SpectralNormalization(layer) if spectral else layer

    image = keras.Input(shape, name="image")
    x = condition.plane(image)
    steps = max(halvings(shape), 1)
    # Two blocks keep the size at the end, as in the paper.
    for step in range(steps + 2):
        y = layers.ReLU()(x) if step else x
        y = conv(3)(layers.ReLU()(conv(3)(y)))
        if step < steps:
            y, x = _halve(y), _halve(x)
        x = layers.Add()([conv(1)(x) if x.shape[-1] != width or step < steps else x, y])
    x = layers.ReLU()(x)
    features = layers.GlobalAveragePooling2D()(x)
    # The sum over the map, as in the paper, whatever the size.
    features = layers.Rescaling(float(math.prod(x.shape[1:3])))(features)
    logits = head(features, condition, SpectralNormalization if spectral else None)
    return keras.Model(condition.inputs(image), logits, name="discriminator")


def _halve(x):
    return layers.AveragePooling2D(2, padding="same")(x)


def _norm():
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
