"""Distances between two sets of features, a block of rows at a time."""

import numpy as np

BLOCK = 8_000_000  # distances held at once, 64 MB


def blocks(a, b):
    """Yields squared Euclidean distances between rows.

    Args:
        a, b: float64 `(count, features)`.

    Yields:
        `(start, distances)`: of the rows of `a` from `start` on to all of `b`.
    """
    rows = max(1, BLOCK // len(b))
    center = b.mean(axis=0)  # near the origin fewer digits are lost
    a, b = a - center, b - center
    squares = np.einsum("ij,ij->i", b, b)
    for start in range(0, len(a), rows):
        part = a[start : start + rows]
        own = np.einsum("ij,ij->i", part, part)
        yield start, np.maximum(own[:, None] + squares - 2 * (part @ b.T), 0)


def own_radii(a, *ks):
    """Returns for each `k` the squared distances of rows to their k-th neighbour in the same set.

    Args:
        a: float64 `(count, features)`, with more rows than the greatest `k`.
        *ks: integers from 1.
    """
    radii = np.empty((len(ks), len(a)))
    for start, distances in blocks(a, a):
        rows = np.arange(len(distances))
        distances[rows, start + rows] = np.inf  # a row is no neighbour of itself
        ordered = np.partition(distances, [k - 1 for k in ks], axis=1)
        for i, k in enumerate(ks):
            radii[i, start : start + len(rows)] = ordered[:, k - 1]
    return radii


def nearest(a, b, itself=None):
    """Returns for each row of `a` the nearest row of `b`, and the distance, exact where it is 0.

    Args:
        a, b: float64 `(count, features)`.
        itself: for rows of `a` that are also in `b`, integers `(count,)` that say where: no row is
            its own neighbour. Default: none is.

    Returns:
        Integers and float64, `(count,)` each.
    """
    found = np.empty(len(a), int)
    for start, distances in blocks(a, b):
        rows = np.arange(len(distances))
        if itself is not None:
            distances[rows, itself[start + rows]] = np.inf
        found[start : start + len(rows)] = distances.argmin(axis=1)
    return found, np.linalg.norm(a - b[found], axis=1)
