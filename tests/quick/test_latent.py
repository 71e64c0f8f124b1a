"""Paths, arithmetic and directions in latent space, against formulas."""

import math

import keras
import numpy as np
import pytest

from kgan import latent

RNG = np.random.default_rng(0)
A, B = RNG.normal(size=(2, 16)).astype("float32")


def test_a_line_has_equal_steps():
    path = latent.linear(A, B, 5)
    assert path.dtype == np.float32
    np.testing.assert_allclose(path[[0, -1]], [A, B], atol=1e-6)
    np.testing.assert_allclose(np.diff(path, axis=0), np.tile((B - A) / 4, (4, 1)), atol=1e-6)


def test_a_great_circle_keeps_the_length_and_has_equal_angles():
    a, b = A / np.linalg.norm(A), B / np.linalg.norm(B)
    path = latent.spherical(a, b, 6)
    np.testing.assert_allclose(path[[0, -1]], [a, b], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), 1, atol=1e-6)
    cosines = (path[1:] * path[:-1]).sum(axis=1)
    np.testing.assert_allclose(np.arccos(cosines), np.arccos(a @ b) / 5, atol=1e-4)
    # Where the circle is not defined it is the line.
    np.testing.assert_allclose(latent.spherical(A, 2 * A, 3)[1], 1.5 * A, atol=1e-6)
    np.testing.assert_allclose(latent.spherical(A, -A, 3)[1], 0 * A, atol=1e-6)


def test_a_walk_visits_each_latent_once():
    points = RNG.normal(size=(3, 16)).astype("float32")
    way = latent.walk(points, steps=4)
    assert way.shape == (9, 16)
    np.testing.assert_allclose(way[::4], points, atol=1e-6)
    closed = latent.walk(points, steps=4, closed=True, path=latent.linear)
    assert closed.shape == (12, 16)
    np.testing.assert_allclose(closed[::4], points, atol=1e-6)


def test_arithmetic_averages_each_group_first():
    women, smiling, men = RNG.normal(size=(3, 5, 16))
    result = latent.arithmetic(add=[smiling, men], subtract=[women])
    expected = smiling.mean(0) - women.mean(0) + men.mean(0)
    np.testing.assert_allclose(result, expected, rtol=1e-5)
    np.testing.assert_allclose(latent.arithmetic([A, B], [A]), B, atol=1e-6)


def test_truncated_latents_are_those_of_a_truncated_normal():
    stats = pytest.importorskip("scipy.stats", reason="scipy comes with scikit-learn")
    drawn = latent.truncated(2000, 8, 0.7, seed=0)
    assert np.abs(drawn).max() <= 0.7
    assert drawn.std() == pytest.approx(stats.truncnorm(-0.7, 0.7).std(), rel=0.02)
    np.testing.assert_array_equal(drawn, latent.truncated(2000, 8, 0.7, seed=0))


MATRIX = RNG.normal(size=(16, 40)) * np.linspace(3, 0.1, 40)


def straight(latents):
    return latents @ MATRIX


def test_a_supervised_direction_is_the_gradient_of_a_linear_score():
    weights = RNG.normal(size=40)
    direction = latent.supervised(straight, lambda images: images @ weights, 16, count=200)
    expected = MATRIX @ weights
    np.testing.assert_allclose(direction, expected / np.linalg.norm(expected), atol=1e-5)


def test_principal_directions_of_a_linear_generator_are_its_singular_vectors():
    left, _, _ = np.linalg.svd(MATRIX)
    directions = latent.principal(straight, 16, count=2, samples=20_000)
    cosines = np.abs((directions * left[:, :2].T).sum(axis=1))
    assert cosines.min() > 0.99


def test_bad_input():
    with pytest.raises(ValueError, match=r"one shape.*Received"):
        latent.linear(A, B[:3])
    with pytest.raises(ValueError, match="Received: steps=1"):
        latent.spherical(A, B, 1)
    with pytest.raises(ValueError, match=r"at least 2 latents\. Received: 1"):
        latent.walk([A])
    with pytest.raises(ValueError, match="Received: threshold=0"):
        latent.truncated(1, 2, 0)
    with pytest.raises(ValueError, match="Received: count=10"):
        latent.supervised(straight, len, 16, count=10)
    with pytest.raises(ValueError, match=r"must differ.*Received"):
        latent.supervised(straight, lambda images: np.zeros(len(images)), 16)
    for score in (lambda images: 1.0, lambda images: np.zeros((len(images), 3))):
        with pytest.raises(ValueError, match=r"one number for each image.*Received: scores of"):
            latent.supervised(straight, score, 16)
    image = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 3)])
    with pytest.raises(ValueError, match=r"Dense layer.*Received"):
        latent.sefa(image)


@pytest.mark.parametrize("threshold", [1e-30, 1e-9, 0.01, 0.3, 0.7, 2.0, 30.0])
def test_truncated_latents_have_their_distribution(threshold):
    """By the Kolmogorov-Smirnov distance from the exact distribution function, at any bound."""
    values = np.sort(latent.truncated(100, 200, threshold, seed=1).ravel().astype("float64"))
    assert np.abs(values).max() <= threshold * (1 + 1e-6)
    # For small bounds erf(x) is in proportion to x, which loses no digits.
    mass = math.erf(threshold / math.sqrt(2))
    function = np.array([0.5 + math.erf(x / math.sqrt(2)) / mass / 2 for x in values])
    steps = np.arange(len(values) + 1) / len(values)
    distance = max(np.abs(function - steps[1:]).max(), np.abs(function - steps[:-1]).max())
    assert distance < 1.95 / math.sqrt(len(values))  # exceeded once in a thousand such draws


def test_truncated_latents_of_a_seed_are_what_they_were():
    """Drawn anew where a value lies beyond the threshold, from NumPy's normal of that seed."""
    rng = np.random.default_rng(3)
    expected = rng.standard_normal((50, 4))
    while (beyond := np.abs(expected) > 1.0).any():
        expected[beyond] = rng.standard_normal(beyond.sum())
    assert np.array_equal(latent.truncated(50, 4, 1.0, seed=3), expected.astype("float32"))
