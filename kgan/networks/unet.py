"""The U-Net of pix2pix: an encoder and a decoder that share their maps.

Reference: Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, 2017
(arXiv:1611.07004), section 6.1.1.
"""

import math
import warnings
from collections.abc import Sequence

import keras
from keras import layers

from kgan.networks.arguments import check_arguments, check_multiple, nearest_multiple
from kgan.networks.repeatable import draw, repeatable
from kgan.networks.translation import normal, normalization_maker
from kgan.utils import numbers

DEEPEST = 8  # halvings in the paper, from 256 pixels to one
LEFT = 8  # pixels in the middle of a network that are many: the paper's has one


@repeatable
def unet_generator(
    image_shape: Sequence[int] = (256, 256, 3),
    output_channels: int | None = None,
    width: int = 64,
    depth: int | None = None,
    normalization: str | None = "instance",
    dropout: float = 0.5,
    seed: int | None = None,
) -> keras.Model:
    """A generator from image to image that hands each map of its encoder to its decoder.

    The encoder halves the size `depth` times with convolutions of 4 pixels, with more filters each
    time up to eight times the width; the decoder doubles it with transposed convolutions, as wide.
    There is no normalisation in the first layer nor in the innermost, whose map may be one pixel.

    Dropout in the first three decoder blocks is the paper's noise. Here it is on in training
    alone: in inference an image always gives the same output, in Keras as in an exported file.

    Args:
        image_shape: `(height, width, channels)` of the input, height and width multiples of
            `2**depth`.
        output_channels: channels of the output. Default: as many as the input has.
        width: filters of the first layer. Default: 64, as in the paper.
        depth: how often the size is halved. Default: as often as height and width are even, at
            most 8 times, as in the paper for 256 pixels. A size that is seldom even makes a
            shallow network, whose pixels see little of the image; unless it is asked for here, a
            warning names a better size.
        normalization: `"instance"` (default), each image by itself, as batch norm does with the
            paper's batches of one; `"batch"`, with moving statistics in inference; or None.
        dropout: rate of the dropout, 0 for none. Default: 0.5, as in the paper.
        seed: seed of the initial weights and of the dropout: an int gives the same on every call,
            on one backend. Default: None, weights by Keras's global seed and a fixed one for
            dropout.

    Returns:
        A `keras.Model` from `image` `(batch, height, width, channels)` to `translated_image`
        `(batch, height, width, output_channels)`, float32 in [-1, 1].

    Raises:
        ValueError: if a size is not a positive integer or cannot be halved so often (the message
            names the nearest that can), or another argument is none of those above.
    """
    shape = check_arguments(image_shape, width=width)
    most = _even_halvings(shape)
    chosen, depth = depth, most if depth is None else depth
    output_channels = shape[2] if output_channels is None else output_channels
    check_arguments(shape, depth=depth, output_channels=output_channels)
    can = depth > most and not any(size % 2 for size in shape[:2])
    check_multiple(shape, 2**depth, hint=f", or take depth={most}" if can else "")
    if chosen is None:
        _warn_of_shallow(shape, depth)
    dropout = numbers.share("dropout", dropout, "[0, 1)")
    norm = normalization_maker(normalization)

    def resample(layer, filters, x, normed=True):
        normed = normed and norm is not None
        options = {"use_bias": not normed, "kernel_initializer": normal()}
        x = layer(filters, 4, 2, "same", **options)(x)
        return norm()(x) if normed else x

    image = keras.Input(shape, name="image")
    x, maps = image, []
    for step in range(depth):
        x = layers.LeakyReLU(0.2)(x) if step else x
        x = resample(layers.Conv2D, width * 2 ** min(step, 3), x, 0 < step < depth - 1)
        maps.append(x)
    x = layers.ReLU()(maps.pop())
    for block, skip in enumerate(reversed(maps)):
        x = resample(layers.Conv2DTranspose, skip.shape[-1], x)
        if dropout and block < 3:
            # On PyTorch the state of a dropout without a seed is part of no model.
            x = layers.Dropout(dropout, seed=block if seed is None else draw())(x)
        x = layers.ReLU()(layers.Concatenate()([x, skip]))
    x = layers.Conv2DTranspose(output_channels, 4, 2, "same", kernel_initializer=normal())(x)
    x = layers.Activation("tanh", dtype="float32", name="translated_image")(x)
    return keras.Model(image, x, name="generator")


def _warn_of_shallow(shape, depth):
    """Warns of a size that can seldom be halved, and names the nearest that leaves few pixels."""
    left = min(shape[:2]) / 2**depth
    if depth == DEEPEST or left <= LEFT:
        return
    halvings = min(math.ceil(math.log2(min(shape[:2]) / LEFT)), DEEPEST)
    times = "once" if depth == 1 else f"{depth} times"
    warnings.warn(
        f"This size can be halved {times} only, so the U-Net sees little of the image at once: "
        f"resize the images to {nearest_multiple(shape, 2**halvings)}, the nearest that "
        f"can be halved often. Received: image_shape={shape}",
        stacklevel=3,
    )


def _even_halvings(shape):
    """How often both sides are even, at most DEEPEST; 1 for an odd side, which the check names."""
    depth = 1
    while depth < DEEPEST and not any(size % 2 ** (depth + 1) for size in shape[:2]):
        depth += 1
    return depth
