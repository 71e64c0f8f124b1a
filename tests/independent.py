"""The measures of `kgan.metrics` once more, from SciPy, scikit-learn and the papers' formulas.

Slow and plain on purpose; each takes float64 arrays `(count, features)`, or images for similarity.
"""

import numpy as np
from scipy import linalg, optimize, signal
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.neighbors import NearestNeighbors


def frechet_distance(real, fake):
    """With SciPy's square root of the product, as Heusel et al. have it."""
    covariances = [np.cov(each, rowvar=False) for each in (real, fake)]
    root = linalg.sqrtm(covariances[0] @ covariances[1])
    gap = real.mean(axis=0) - fake.mean(axis=0)
    return gap @ gap + np.trace(covariances[0] + covariances[1] - 2 * root.real)


def kernel_distance(real, fake, block_size):
    """Mean and standard error over blocks, with scikit-learn's kernel and sums of pairs i != j."""
    fewest = min(len(real), len(fake))
    count = max(fewest // block_size, min(10, fewest // 2))
    rng = np.random.default_rng(0)
    blocks = []
    for features in (real, fake):
        size = min(block_size, len(features) // count)
        blocks.append(np.split(rng.permutation(features)[: size * count], count))
    estimates = []
    for x, y in zip(*blocks, strict=True):
        kernel = polynomial_kernel(np.vstack([x, y]), degree=3, coef0=1)  # gamma is 1 / features
        n, m = len(x), len(y)
        within = [
            np.sum(part[~np.eye(len(part), dtype=bool)]) / (len(part) * (len(part) - 1))
            for part in (kernel[:n, :n], kernel[n:, n:])
        ]
        estimates.append(sum(within) - 2 * np.sum(kernel[:n, n:]) / (n * m))
    return np.mean(estimates), np.std(estimates, ddof=1) / np.sqrt(count)


def precision_recall(real, fake, k, density_k):
    """With scikit-learn's neighbours, which count a point as its own first one."""

    def radii(points, k):
        found = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(points)
        return found.kneighbors(points)[0][:, -1]

    distances = cdist(real, fake)
    balls = radii(real, density_k)[:, None]
    return {
        "precision": np.mean((distances <= radii(real, k)[:, None]).any(axis=0)),
        "recall": np.mean((distances <= radii(fake, k)).any(axis=1)),
        "density": np.sum(distances <= balls) / (density_k * len(fake)),
        "coverage": np.mean((distances <= balls).any(axis=1)),
    }


def sliced_wasserstein(real, fake, directions, seed):
    """As an assignment problem on each line, of points repeated until there are equally many."""
    lines = np.random.default_rng(seed).standard_normal((real.shape[1], directions))
    lines /= np.linalg.norm(lines, axis=0)
    common = np.lcm(len(real), len(fake))
    costs = []
    for line in lines.T:
        a = np.repeat(real @ line, common // len(real))
        b = np.repeat(fake @ line, common // len(fake))
        squares = (a[:, None] - b) ** 2
        costs.append(squares[optimize.linear_sum_assignment(squares)].mean())
    return np.sqrt(np.mean(costs))


def multi_scale_similarity(images):
    """The mean over pairs of neighbours, with SciPy's two-dimensional convolution."""
    return np.mean([_similarity(a, b) for a, b in zip(images[::2], images[1::2], strict=True)])


def _similarity(a, b):
    exponents = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
    side = min(a.shape[:2])
    levels = sum(side // 2**level >= 11 for level in range(5)) or 1
    size = min(11, side if side % 2 else side - 1)
    exponents = np.array(exponents[:levels]) / sum(exponents[:levels])
    x = np.arange(size) - (size - 1) / 2
    window = np.exp(-(x[:, None] ** 2 + x**2) / (2 * 1.5**2))
    window /= window.sum()
    values = []
    for channel in range(a.shape[-1]):
        x, y = (image[..., channel].astype(float) + 1 for image in (a, b))  # black is 0
        value = 1.0
        for level, exponent in enumerate(exponents):
            luminance, contrast, structure = _three_terms(x, y, window)
            term = contrast * structure * (luminance if level == levels - 1 else 1)
            value *= max(term.mean(), 0) ** exponent
            x, y = (signal.convolve2d(z, np.full((2, 2), 0.25), "valid")[::2, ::2] for z in (x, y))
        values.append(value)
    return np.mean(values)


def _three_terms(x, y, window):
    """Equations 6, 7 and 8 of Wang et al., with C3 = C2 / 2."""

    def mean(z):
        return signal.convolve2d(z, window, "valid")

    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    c3 = c2 / 2
    variances = [mean(z * z) - mean(z) ** 2 for z in (x, y)]
    deviations = [np.sqrt(np.maximum(variance, 0)) for variance in variances]
    covariance = mean(x * y) - mean(x) * mean(y)
    luminance = (2 * mean(x) * mean(y) + c1) / (mean(x) ** 2 + mean(y) ** 2 + c1)
    contrast = (2 * deviations[0] * deviations[1] + c2) / (sum(variances) + c2)
    return luminance, contrast, (covariance + c3) / (deviations[0] * deviations[1] + c3)


def duplicate_rate(real, fake, threshold):
    """With scikit-learn's neighbours."""
    found = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(real)
    distances, nearest = found.kneighbors(fake, n_neighbors=1)
    own = found.kneighbors(real)[0][:, 1]
    return np.mean(distances[:, 0] <= threshold * own[nearest[:, 0]])
