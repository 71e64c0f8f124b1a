"""Validates images to measure."""

import warnings

import numpy as np

from kgan import checks

FAR = 3  # beyond what a generator without tanh makes, which has learned the range of the data


def as_images(images, generated=False):
    """Returns a batch as float32 NumPy, or raises a ValueError if it cannot be measured.

    Args:
        images: `(batch, height, width, channels)` in [-1, 1], or vectors `(batch, size)`.
        generated: whether a generator made them; their range is then not checked.
    """
    try:
        images = checks.to_numpy(images)
    except Exception as error:
        raise ValueError(
            "These measures work on arrays, not inside a compiled step: give them to "
            "gan.compile(metrics=[...]), or call update_state(real, fake) yourself. "
            f"Received: {type(images).__name__}"
        ) from error
    images = np.asarray(images)
    if images.ndim < 2 or not len(images):
        raise ValueError(
            "Images must have the shape (batch, height, width, channels): add axes with "
            "images[None] or images[..., None]. "
            f"Received: shape {images.shape}"
        )
    if not generated:
        checks.check_images(images, images.shape[1:])
        checks.warn_of_half_range(images)
    elif not checks.is_float(images.dtype):
        raise ValueError(
            "Images must be floats in [-1, 1], other samples floats: for pixels use "
            f"kgan.images.from_pixels(images). Received: dtype {images.dtype}"
        )
    elif not np.isfinite(images.astype("float32")).all():
        raise ValueError(
            "Generated images must be finite: lower the rates, see kgan.callbacks.CollapseMonitor. "
            "Received: NaN or infinite pixels"
        )
    elif images.ndim == 4 and abs(images).max() > FAR:
        warnings.warn(
            "Generated images lie far outside [-1, 1], the range of the real ones: for pixels use "
            "kgan.images.from_pixels(images), and let the generator end in tanh. "
            f"Received: range [{images.min():.4g}, {images.max():.4g}]",
            stacklevel=4,
        )
    return images.astype("float32", copy=False)
