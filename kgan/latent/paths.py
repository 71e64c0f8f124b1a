"""Paths from latent to latent."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from kgan.checks import check_function
from kgan.utils import numbers


def linear(start: npt.ArrayLike, end: npt.ArrayLike, steps: int = 8) -> np.ndarray:
    """Returns `steps` points on the line from one latent to another, both included.

    Args:
        start, end: latents of one shape.
        steps: how many points, at least 2.

    Raises:
        ValueError: if the shapes differ or there are fewer than 2 steps.
    """
    start, end, shares = _between(start, end, steps)
    return ((1 - shares) * start + shares * end).astype("float32")


def spherical(start: npt.ArrayLike, end: npt.ArrayLike, steps: int = 8) -> np.ndarray:
    r"""Returns points on the great circle from one latent to another, both included.

    $\frac{\sin((1-t)\theta)}{\sin\theta} a + \frac{\sin(t\theta)}{\sin\theta} b$ with the angle
    $\theta$ between them. Samples of a normal in many dimensions lie near a sphere, whose inside a
    straight line crosses, where the generator was never trained.

    Arguments and errors: as for `linear`.

    Reference: White, Sampling Generative Networks, 2016 (arXiv:1609.04468), section 2.1.
    """
    start, end, shares = _between(start, end, steps)
    lengths = np.linalg.norm(start) * np.linalg.norm(end)
    cosine = np.clip(np.sum(start * end) / max(lengths, 1e-12), -1, 1)
    angle = np.arccos(cosine)
    if np.sin(angle) < 1e-6:  # on one line the circle is not defined, or is the line
        return linear(start, end, steps)
    mixed = np.sin((1 - shares) * angle) * start + np.sin(shares * angle) * end
    return (mixed / np.sin(angle)).astype("float32")


def walk(
    points: npt.ArrayLike,
    steps: int = 8,
    closed: bool = False,
    path: Callable[..., np.ndarray] = spherical,
) -> np.ndarray:
    """Returns a path through several latents.

    Args:
        points: latents `(count, latent_dim)`, at least 2.
        steps: points from one latent to the next.
        closed: whether the path returns to the first latent, as for a GIF. Default: False.
        path: `spherical` (default) or `linear`.

    Returns:
        float32 latents; each of the given ones once.

    Raises:
        ValueError: if there are fewer than 2 points, or not even one step.
    """
    points, steps = numbers.array("points", points), numbers.count("steps", steps)
    if points.ndim < 2 or len(points) < 2:
        raise ValueError(
            "A walk needs at least 2 latents. "
            f"Received: {len(points) if points.ndim > 1 else f'shape {points.shape}'}"
        )
    points, closed = points.astype("float32"), numbers.flag("closed", closed)
    check_function("path", path)
    following = np.roll(points, -1, axis=0)
    pairs = list(zip(points, following, strict=True))[: None if closed else -1]
    parts = [path(a, b, steps + 1)[:-1] for a, b in pairs]
    return np.concatenate(parts if closed else [*parts, points[-1:]])


def _between(
    start: npt.ArrayLike, end: npt.ArrayLike, steps: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    start = numbers.array("start", start).astype("float64")
    end = numbers.array("end", end).astype("float64")
    if start.shape != end.shape:
        raise ValueError(
            f"The two latents must have one shape. Received: start {start.shape}, end {end.shape}"
        )
    numbers.count("steps", steps, 2)
    return start, end, np.linspace(0, 1, steps).reshape(-1, *[1] * start.ndim)
