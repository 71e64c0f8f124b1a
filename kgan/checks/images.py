"""Checks of the images (or vectors) to train on."""

import warnings

import numpy as np

from kgan.checks.forms import is_float, of_dictionary
from kgan.utils.advice import advice


def check_images(images, shape, network="discriminator", verb="takes"):
    """Raises a ValueError if an array is not a batch of images (or vectors) to train on.

    Args:
        images: what was given as a batch, or as the whole data set.
        shape: the shape of one sample, from a network; None fits any size.
        network: its name.
        verb: what it does with such images.
    """
    if isinstance(images, dict):
        raise ValueError(of_dictionary(images))
    images = np.asarray(images)
    if images.dtype.kind in "USOcVmM" and images.dtype.name != "bfloat16":
        raise ValueError(f"Images must be floats in [-1, 1]. Received: dtype {images.dtype}")
    if images.size == 0:
        raise ValueError(f"There are no images. Received: shape {images.shape}")
    if len(images.shape) != len(shape) + 1 or any(
        wanted not in (None, size) for size, wanted in zip(images.shape[1:], shape, strict=True)
    ):
        raise ValueError(
            f"Images must have the shape (batch, {', '.join(map(str, shape))}) that the "
            f"{network} {verb}, channels last.{_shape_hint(images.shape, shape)} "
            f"Received: shape {images.shape}"
        )
    kind = "Images" if len(shape) == 3 else "Samples"
    if not is_float(images.dtype):
        fix = advice(
            " For pixels in [0, 255] use images.astype('float32') / 127.5 - 1.",
            " Save them as 8-bit images.",
        )
        raise ValueError(
            f"{kind} must be floats in [-1, 1], not {images.dtype}.{fix} "
            f"Received: dtype {images.dtype}, range [{images.min()}, {images.max()}]"
        )
    low, high = images.min(), images.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        finite = "images[np.isfinite(images).all(axis=tuple(range(1, images.ndim)))]"
        raise ValueError(
            f"{kind} must be finite: remove the samples that are not"
            f"{advice(f', for example with {finite}', '')}. "
            f"Received: range [{low}, {high}]"
        )
    if len(shape) == 3 and (low < -1.01 or high > 1.01):
        raise ValueError(
            "Images must lie in [-1, 1], the range of a generator that ends in tanh. "
            + advice(
                "For pixels in [0, 255] use images / 127.5 - 1; clip what a resize has overshot. ",
                "Save them as 8-bit images. ",
            )
            + f"Received: range [{low}, {high}]"
        )


def check_range(images, value_range):
    """Raises a ValueError for real images outside the generator's range; warns if unlikely.

    Args:
        images: as NumPy's.
        value_range: `(low, high)` of the generator, or None if it is not known.
    """
    if not (images.size and is_float(images.dtype)):
        return
    low, high = images.min(), images.max()
    bottom, top = value_range or (-np.inf, np.inf)
    if low < bottom - 0.01 or high > top + 0.01:
        message = (
            f"{'Images' if images.ndim == 4 else 'Samples'} must lie in the range of the generator "
            f"that is to make them, [{bottom:g}, {top:g}]: {_range_fix(bottom)}. "
            f"Received: range [{low}, {high}]"
        )
        if images.ndim == 4:
            raise ValueError(message)
        warnings.warn(message, stacklevel=4)
    elif bottom < 0:
        warn_of_half_range(images)


def warn_of_half_range(images):
    """Warns about images that seem to lie in [0, 1] instead of [-1, 1]."""
    low, high = images.min(), images.max()
    # One image may be bright all over, but hardly so that the darkest pixel is just above 0.
    if images.ndim == 4 and 0 <= low < high and (len(images) > 1 or low < 0.1 < 0.5 < high):
        warnings.warn(
            "The images seem to lie in [0, 1], but a generator that ends in tanh gives [-1, 1]: "
            f"{advice('use images * 2 - 1', 'see that they are not too bright')}. "
            f"Received: range [{low}, {high}]",
            stacklevel=5,
        )


def check_varied(images):
    """Warns if all images are constant or equal.

    Args:
        images: one part of a data set, the whole of it, checked.
    """
    if not is_float(images.dtype) or images.ndim < 2:
        return  # labels
    low, high = images.min(), images.max()
    if len(images) > 1 and low == high:
        warnings.warn(
            "All images are of one value, from which nothing can be learned: look at how they "
            f"were read. Received: {len(images)} images of {low}",
            stacklevel=4,
        )


def _range_fix(bottom):
    if bottom == 0:
        return "use (images + 1) / 2 for a sigmoid, or best a generator that ends in tanh"
    return "scale them to it, or let the generator end without an activation"


def _shape_hint(received, shape):
    """Suggests a fix when an axis is missing or in the wrong place."""
    if len(shape) != 3:
        flat = len(received) == len(shape) + 1
        return advice(f" Build the networks with image_shape={received[1:]}.", "") if flat else ""
    height, width, channels = shape
    if len(received) == 3 and received[1:] == (height, width) and channels == 1:
        return " Add the channel axis with images[..., None]."
    if len(received) == 4 and received[1:] == (channels, height, width):
        return " Move the channels last with numpy.transpose(images, (0, 2, 3, 1))."
    if received == (height, width, channels):
        return " Add the batch axis with images[None]."
    if len(received) != 4:
        return ""
    build = f"build the networks with image_shape={received[1:]}"
    if received[3] != channels:
        return advice(f" Give them {channels} channel{'s'[: channels > 1]}, or {build}.", "")
    size = (height or received[1], width or received[2])
    return advice(
        f" Resize them, for example with keras.ops.image.resize(images, {size}), or {build}.",
        f" Resize them to {size[0]}x{size[1]}, or train on images of their size.",
    )
