"""Single latents: sums of others, and draws of a truncated normal."""

import numpy as np
import numpy.typing as npt

from kgan.utils import numbers

NARROW = 0.5  # below it a truncated normal is drawn from a uniform distribution


def arithmetic(add: npt.ArrayLike, subtract: npt.ArrayLike) -> np.ndarray:
    """Returns the sum of averaged latents minus others: "smiling woman - woman + man".

    Args:
        add, subtract: sequences of groups, each the latents `(count, latent_dim)` of images with
            something in common; a group is averaged first, which takes out what they differ in.

    Returns:
        One latent `(latent_dim,)`, float32.

    Example: `arithmetic(add=[smiling_women, men], subtract=[women])`.

    Reference: Radford et al., Unsupervised Representation Learning with Deep Convolutional
    Generative Adversarial Networks, 2016 (arXiv:1511.06434), section 6.3.2.
    """
    means = [_means("add", add), _means("subtract", subtract)]
    if means[0][0].shape != means[1][0].shape:
        raise ValueError(
            "All latents must have one length. "
            f"Received: add of shape {means[0][0].shape}, subtract of {means[1][0].shape}"
        )
    return (np.sum(means[0], axis=0) - np.sum(means[1], axis=0)).astype("float32")


def truncated(count: int, latent_dim: int, threshold: float, seed: int | None = None) -> np.ndarray:
    """Returns latents of a normal without the values beyond a threshold, any threshold.

    A small threshold gives typical images with less variety.

    Args:
        count, latent_dim: the shape.
        threshold: the greatest absolute value, above 0 and finite; 0.5 to 2 is usual.
        seed: an int gives the same latents each time. Default: new ones.

    Raises:
        ValueError: if the shape is not of positive integers, the threshold not a finite number
            above 0, or the seed not an integer from 0.

    Reference: Brock et al., Large Scale GAN Training for High Fidelity Natural Image Synthesis,
    2019 (arXiv:1809.11096), section 3.1.
    """
    shape = numbers.count("count", count), numbers.count("latent_dim", latent_dim)
    threshold = numbers.positive("threshold", threshold)
    rng = np.random.default_rng(numbers.seed(seed))
    latents = np.full(shape, np.nan)
    while (missing := np.isnan(latents)).any():
        latents[missing] = _proposed(rng, missing.sum(), threshold)
    return latents.astype("float32")


def _proposed(rng, count, threshold):
    """Draws of a truncated normal; NaN in place of those to be drawn again, at most two thirds."""
    if threshold >= NARROW:
        values = rng.standard_normal(count)
        kept = np.abs(values) <= threshold
    else:
        # Few draws of a normal are so small, but to a uniform one they are nearly equal.
        values = rng.uniform(-threshold, threshold, count)
        kept = rng.random(count) < np.exp(-(values**2) / 2)
    return np.where(kept, values, np.nan)


def _means(name, groups):
    """The mean latent of each group."""
    if not isinstance(groups, (list, tuple, np.ndarray)) or not len(groups):
        raise ValueError(
            f"{name} must be a list of groups of latents. Received: {name}={numbers.shown(groups)}"
        )
    means = [np.mean(np.atleast_2d(numbers.array(name, group)), axis=0) for group in groups]
    if len({mean.shape for mean in means}) > 1 or means[0].ndim != 1:
        raise ValueError(
            f"The groups of {name} must be latents (count, latent_dim) of one length. "
            f"Received: means of shape {', '.join(str(mean.shape) for mean in means)}"
        )
    return means
