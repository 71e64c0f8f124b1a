"""The residual generator of CycleGAN.

Reference: Zhu et al., Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
Networks, 2017 (arXiv:1703.10593), section 7.2; after Johnson et al., Perceptual Losses for
Real-Time Style Transfer and Super-Resolution, 2016 (arXiv:1603.08155).
"""

from collections.abc import Sequence

import keras
from keras import layers

from kgan.layers import InstanceNormalization, ReflectionPadding2D
from kgan.networks.arguments import check_arguments, check_multiple
from kgan.networks.repeatable import repeatable
from kgan.networks.translation import normal


@repeatable
def cyclegan_generator(
    image_shape: Sequence[int] = (256, 256, 3),
    output_channels: int | None = None,
    width: int = 64,
    blocks: int | None = None,
    seed: int | None = None,
) -> keras.Model:
    """A residual generator from image to image, with its blocks at a quarter of the size.

    A convolution of 7 pixels, two that halve the size, the blocks, two transposed convolutions
    that double it, and one of 7 pixels again. Instance norm and ReLU after each but the last,
    which ends in tanh; reflection padding for those of 7 pixels and in the blocks. It works
    the same in training and inference.

    Args:
        image_shape: `(height, width, channels)` of the input, height and width multiples of 4
            and at least 8.
        output_channels: channels of the output. Default: those of the input.
        width: filters of the first and the last hidden layer, a quarter of those of the blocks.
            Default: 64, as in the paper.
        blocks: how many residual blocks. Default, as in the paper: 6 up to 128 pixels (of the
            longer side), 9 above.
        seed: seed of the initial weights: an int gives the same ones on every call, on one backend.
            Default: None, Keras's global seed decides.

    Returns:
        A `keras.Model` from `image` `(batch, height, width, channels)` to `translated_image`
        `(batch, height, width, output_channels)`, float32 in [-1, 1].

    Raises:
        ValueError: if a size is not a positive integer, or height or width is not a multiple of 4
            that is at least 8 (the message names the nearest).
    """
    shape = check_arguments(image_shape, width=width)
    output_channels = shape[2] if output_channels is None else output_channels
    blocks = (6 if max(shape[:2]) <= 128 else 9) if blocks is None else blocks
    check_arguments(shape, output_channels=output_channels, blocks=blocks)
    # In the blocks one pixel more is mirrored: there must be two.
    check_multiple(shape, 4, least=2)

    image = keras.Input(shape, name="image")
    x = _relu(_mirrored(width, 7, image))
    for filters in (2 * width, 4 * width):
        x = _relu(_convolve(layers.Conv2D, filters, x, strides=2, padding="same"))
    for _ in range(blocks):
        y = _relu(_mirrored(4 * width, 3, x))
        x = layers.Add()([x, InstanceNormalization()(_mirrored(4 * width, 3, y))])
    for filters in (2 * width, width):
        x = _relu(_convolve(layers.Conv2DTranspose, filters, x, strides=2, padding="same"))
    x = _mirrored(output_channels, 7, x, use_bias=True)
    x = layers.Activation("tanh", dtype="float32", name="translated_image")(x)
    return keras.Model(image, x, name="generator")


def _mirrored(filters, size, x, use_bias=False):
    x = ReflectionPadding2D(size // 2)(x)
    return layers.Conv2D(filters, size, use_bias=use_bias, kernel_initializer=normal())(x)


def _convolve(layer, filters, x, **options):
    return layer(filters, 3, use_bias=False, kernel_initializer=normal(), **options)(x)


def _relu(x):
    return layers.ReLU()(InstanceNormalization()(x))
