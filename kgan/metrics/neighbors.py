"""Distances between two sets of features, a block of rows at a time.

A set is a float array `(count, features)`, or a sequence whose rows are indexed by slices and
integers, such as `kgan.metrics.image_metric.Rows`: large sets are converted to float64 in parts.
"""

import numpy as np

BLOCK = 8_000_000  # numbers held at once, 64 MB
ROUNDING = 1e-12  # of the squared norms: smaller distances are what rounding leaves of 0


def blocks(a, b, rows=None):
    """Yields squared Euclidean distances between rows.

    Args:
        a, b: sets.
        rows: of `a`, integers. Default: all.

    Yields:
        `(start, distances)`: of the rows of `a` from the place `start` on to all of `b`, float64.
    """
    rows = np.arange(len(a)) if rows is None else rows
    chunks = _chunks(b)
    # Near the origin fewer digits are lost.
    center = sum(_float64(b[chunk]).sum(axis=0) for chunk in chunks) / len(b)
    at_once = max(1, BLOCK // max(len(b), len(center)))
    for start in range(0, len(rows), at_once):
        part = _float64(a[rows[start : start + at_once]]) - center
        own = _squares(part)[:, None]
        distances = np.empty((len(part), len(b)))
        for chunk in chunks:
            other = _float64(b[chunk]) - center
            norms = own + _squares(other)
            squares = np.matmul(part, other.T, out=distances[:, chunk])
            squares *= -2
            squares += norms
            norms *= ROUNDING
            squares[squares < norms] = 0
        yield start, distances


def own_radii(a, *ks):
    """Returns, for each `k`, the squared distance of each row to its k-th neighbour in the set.

    Args:
        a: a set with more rows than the greatest `k`.
        *ks: integers from 1.
    """
    radii = np.empty((len(ks), len(a)))
    for start, distances in blocks(a, a):
        rows = np.arange(len(distances))
        distances[rows, start + rows] = np.inf  # a row is not its own neighbour
        ordered = np.partition(distances, [k - 1 for k in ks], axis=1)
        for i, k in enumerate(ks):
            radii[i, start : start + len(rows)] = ordered[:, k - 1]
    return radii


def nearest(a, b):
    """Returns the nearest row of `b` for each row of `a`, and the distance, exact if it is 0.

    Args:
        a, b: sets.

    Returns:
        Integers and float64, `(count,)` each.
    """
    rows = np.arange(len(a))
    found = [distances.argmin(axis=1) for _, distances in blocks(a, b)]
    return _with_distances(a, rows, b, np.concatenate(found))


def nearest_other(a, rows):
    """Returns the same for some rows of a set within that set, excluding themselves."""
    found = []
    for start, distances in blocks(a, a, rows):
        places = np.arange(len(distances))
        distances[places, rows[start + places]] = np.inf
        found.append(distances.argmin(axis=1))
    return _with_distances(a, rows, a, np.concatenate(found))


def _with_distances(a, rows, b, found):
    distances = [
        np.linalg.norm(_float64(a[rows[chunk]]) - _float64(b[found[chunk]]), axis=1)
        for chunk in _chunks(a, len(rows))
    ]
    return found, np.concatenate(distances)


def _chunks(a, count=None):
    """Slices of the rows of a set, or of so many, each small enough to be held in float64."""
    at_once = max(1, BLOCK // a[:1].shape[1])
    count = len(a) if count is None else count
    return [slice(start, start + at_once) for start in range(0, count, at_once)]


def _float64(rows):
    return np.asarray(rows, "float64")


def _squares(rows):
    return np.einsum("ij,ij->i", rows, rows)
