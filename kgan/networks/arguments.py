"""Shared by all networks: checks of arguments, and the sizes of maps."""

import math

import keras

from kgan.utils import numbers


def check_arguments(image_shape, *, ranks=(3,), **sizes):
    """Returns `image_shape` as a tuple of ints.

    Raises:
        ValueError: if the shape has another rank, or any size is not a positive integer.
    """
    forms = {1: ("features",), 3: ("height", "width", "channels")}
    for name, size in sizes.items():
        numbers.count(name, size)
    return numbers.counts("image_shape", image_shape, tuple(forms[rank] for rank in ranks))


def nearest_multiple(image_shape, divisor, least=1):
    """Returns the nearest `(height, width)` whose sizes are multiples of a number."""
    return tuple(max(math.floor(size / divisor + 0.5), least) * divisor for size in image_shape[:2])


def check_multiple(image_shape, divisor, least=1, hint=""):
    """Raises a ValueError with the nearest size unless height and width are multiples.

    Args:
        image_shape: `(height, width, channels)`, checked already.
        divisor: what they must be multiples of.
        least: smallest multiple that the network takes. Default: the divisor itself.
        hint: another way out, for the message. Default: none.
    """
    nearest = nearest_multiple(image_shape, divisor, least)
    if nearest != image_shape[:2]:
        raise ValueError(
            f"Height and width must be multiples of {divisor}, from {least * divisor} on; the "
            f"nearest size is {nearest}: resize, pad or crop the images to it{hint}. "
            f"Received: image_shape={image_shape}"
        )


def halvings(shape):
    """Returns how often the shorter side can be halved until 4 to 7 pixels are left."""
    return max(math.floor(math.log2(min(shape[:2]) / 4)), 0)


def crop(x, shape):
    """Crops maps that were rounded up evenly to the shape of an image."""
    excess = [size - wanted for size, wanted in zip(x.shape[1:3], shape[:2], strict=True)]
    if not any(excess):
        return x
    sides = [(pixels // 2, pixels - pixels // 2) for pixels in excess]
    return keras.layers.Cropping2D(sides)(x)
