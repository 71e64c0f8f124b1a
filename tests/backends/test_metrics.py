"""Mode coverage against counts by hand, and the mixtures it is for."""

import keras
import numpy as np
import pytest

import kgan


def as_floats(metric):
    return {name: float(value) for name, value in metric.result().items()}


def test_ring_and_grid_are_the_published_mixtures():
    ring, grid = kgan.data.ring(), kgan.data.grid()
    assert (ring.modes, grid.modes) == (8, 25)
    np.testing.assert_allclose(np.linalg.norm(ring.centers, axis=1), 1, atol=1e-6)
    assert {tuple(c) for c in grid.centers} == {
        (x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)
    }
    for mixture, deviation in ((ring, 0.01), (grid, 0.05)):
        points, labels = mixture.sample(20_000, seed=1)
        assert points.dtype == np.float32 and points.shape == (20_000, 2)
        off = points - mixture.centers[labels]
        np.testing.assert_allclose(off.std(axis=0), deviation, rtol=0.03)
        np.testing.assert_allclose(off.mean(axis=0), 0, atol=deviation / 20)
        shares = np.bincount(labels, minlength=mixture.modes) / 20_000
        np.testing.assert_allclose(shares, 1 / mixture.modes, rtol=0.15)
        np.testing.assert_array_equal(points, mixture.sample(20_000, seed=1)[0])


def test_real_samples_have_all_modes():
    """In two dimensions a distance below 3 has the probability 1 - exp(-9 / 2)."""
    grid = kgan.data.grid()
    coverage = kgan.metrics.ModeCoverage(grid)
    for seed in range(4):
        coverage.update_state(grid.sample(25_000, seed=seed)[0])
    result = as_floats(coverage)
    share = 1 - np.exp(-4.5)
    assert result["modes"] == 25
    assert result["high_quality"] == pytest.approx(
        share, abs=3 * np.sqrt(share * (1 - share) / 100_000)
    )
    assert 0 <= result["kl_to_uniform"] < 5e-4


def test_counts_by_hand():
    ring = kgan.data.ring()
    a, b = ring.centers[0], ring.centers[3]
    near, far = a + np.float32([0.0299, 0]), a + np.float32([0.0301, 0])  # the border is 3 x 0.01
    coverage = kgan.metrics.ModeCoverage(ring)
    coverage.update_state(np.float32([a, near, far, b]))
    coverage.update_state(np.float32([[0, 0], b]))
    result = as_floats(coverage)
    assert result["modes"] == 2
    assert result["high_quality"] == pytest.approx(4 / 6)
    assert result["kl_to_uniform"] == pytest.approx(np.log(8) - np.log(2), rel=1e-6)
    coverage.reset_state()
    coverage.update_state(np.float32([[0, 0]]))
    result = as_floats(coverage)
    assert result["modes"] == result["high_quality"] == 0
    assert result["kl_to_uniform"] == pytest.approx(np.log(8))
    named = kgan.metrics.ModeCoverage(ring, name="ring")
    assert {*named.result()} == {"ring_modes", "ring_high_quality", "ring_kl_to_uniform"}


def test_kl_against_scipy():
    stats = pytest.importorskip("scipy.stats", reason="scipy comes with scikit-learn")
    ring = kgan.data.ring()
    shares = np.random.default_rng(0).integers(1, 50, 8)
    coverage = kgan.metrics.ModeCoverage(ring)
    coverage.update_state(np.repeat(ring.centers, shares, axis=0))
    expected = stats.entropy(shares / shares.sum(), np.full(8, 1 / 8))
    assert as_floats(coverage)["kl_to_uniform"] == pytest.approx(expected, rel=1e-5)


def table_classifier(classes):
    """The class is ten times the pixel's value; the others share what is left of 0.95."""
    image = keras.Input((1, 1, 1))
    x = keras.layers.Flatten()(image)
    x = keras.layers.Lambda(
        lambda v: (
            0.95 * keras.ops.one_hot(keras.ops.cast(10 * v[:, 0] + 0.5, "int32"), classes)
            + 0.05 / classes
        ),
        output_shape=(classes,),
    )(x)
    return keras.Model(image, x)


def pixels(*values):
    return np.float32(values).reshape(len(values), 1, 1, -1) / 10


def test_a_classifier_names_the_modes():
    coverage = kgan.metrics.ModeCoverage(table_classifier(10))
    coverage.update_state(pixels(3, 3, 7))
    result = as_floats(coverage)
    assert (result["modes"], result["high_quality"]) == (2, 1)
    unsure = kgan.metrics.ModeCoverage(table_classifier(10), threshold=0.96)
    unsure.update_state(pixels(3, 3, 7))
    assert as_floats(unsure)["high_quality"] == 0


def test_real_samples_stand_beside_the_others():
    coverage = kgan.metrics.ModeCoverage(kgan.data.ring())
    near, far = kgan.data.ring().centers[[0, 0, 1]], np.full((1, 2), 9.0)
    coverage.update_state(np.concatenate([near, far]), real=kgan.data.ring().centers)
    scores = as_floats(coverage)
    assert (scores["high_quality"], scores["high_quality_real"]) == (0.75, 1)
    assert scores["kl_to_uniform"] > scores["kl_to_uniform_real"] == pytest.approx(0, abs=1e-6)
    assert coverage.protocol["real_images"] == 8
    coverage.reset_state()
    coverage.update_state(near)
    assert set(as_floats(coverage)) == {"modes", "high_quality", "kl_to_uniform"}


def test_stacked_images_are_classified_as_they_are_labelled():
    images, labels = kgan.data.stack(pixels(*range(10)), np.arange(10), 500, seed=0)
    assert images.shape == (500, 1, 1, 3)
    np.testing.assert_array_equal(labels, np.round(10 * images[:, 0, 0]) @ [100, 10, 1])
    classifier = kgan.metrics.stacked_classifier(table_classifier(10))
    assert classifier.output_shape == (None, 1000)
    probabilities = classifier.predict(images, verbose=0)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), labels)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    coverage = kgan.metrics.ModeCoverage(classifier, threshold=0)
    coverage.update_state(images)
    assert as_floats(coverage)["modes"] == len(set(labels.tolist()))


def test_stacked_mnist(tfds_folder):
    images, labels = kgan.data.stacked_mnist(
        300, seed=0, data_dir=tfds_folder, download=False, split="train[:500]"
    )
    assert images.shape == (300, 28, 28, 3) and images.dtype == np.float32
    assert -1 <= images.min() < images.max() <= 1
    assert labels.min() >= 0 and labels.max() < 1000 and len(set(labels.tolist())) > 200


def test_the_classifier_learns_digits():
    images, labels = kgan.data.digits()
    classifier = kgan.metrics.train_classifier(images[300:], labels[300:], epochs=15)
    _, accuracy = classifier.evaluate(images[:300], labels[:300], verbose=0)
    assert accuracy > 0.9


def test_a_classifier_in_half_precision_counts_alike():
    keras.config.set_dtype_policy("mixed_bfloat16")
    keras.config.set_floatx("float16")
    many = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1000, "softmax")])
    coverage = kgan.metrics.ModeCoverage(many, threshold=0)
    samples = np.random.default_rng(0).normal(size=(3001, 4)).astype("float32")
    coverage.update_state(samples)
    assert coverage.protocol["generated_images"] == 3001  # float16 would say 3000
    assert np.isfinite(as_floats(coverage)["kl_to_uniform"])


def test_samples_that_are_none_are_refused():
    coverage = kgan.metrics.ModeCoverage(table_classifier(10))
    for samples, message in [
        (np.full((2, 1, 1, 1), np.nan, "float32"), "must be finite.*Received"),
        (np.ones((2, 1, 1, 1), "uint8"), "must be floats.*Received: dtype uint8"),
        (np.ones((0, 1, 1, 1), "float32"), "Received: shape"),
    ]:
        with pytest.raises(ValueError, match=message):
            coverage.update_state(samples)
    with pytest.warns(UserWarning, match=r"far outside \[-1, 1\].*Received: range \[100, 100\]"):
        kgan.metrics.ModeCoverage(table_classifier(1001)).update_state(pixels(1000))
    for modes in (kgan.data.ring(), table_classifier(10)):
        for threshold in (-1, np.nan, "3"):
            with pytest.raises(ValueError, match=r"threshold must be.*Received"):
                kgan.metrics.ModeCoverage(modes, threshold=threshold)
    with pytest.raises(
        ValueError, match=r"threshold must be a number in \[0, 1\]. Received: threshold=2"
    ):
        kgan.metrics.ModeCoverage(table_classifier(10), threshold=2)


def test_bad_input():
    with pytest.raises(ValueError, match=r"Mixture or a classifier.*Received"):
        kgan.metrics.ModeCoverage(8)
    for activation in (None, "relu", "sigmoid"):
        other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation)])
        with pytest.raises(ValueError, match=r"end it in a softmax.*Received"):
            kgan.metrics.ModeCoverage(other)
    with pytest.raises(ValueError, match=r"\(modes, dimensions\).*Received"):
        kgan.data.Mixture([1, 2], 0.1)
    with pytest.raises(ValueError, match=r"above 0.*Received"):
        kgan.data.ring(deviation=0)
    for make in (kgan.data.ring().sample, kgan.data.ring, kgan.data.grid):
        with pytest.raises(ValueError, match=r"positive integer.*Received"):
            make(0)
    with pytest.raises(ValueError, match=r"\(batch, 2\).*Received"):
        kgan.metrics.ModeCoverage(kgan.data.ring()).update_state(np.zeros((5, 3)))
    with pytest.raises(ValueError, match="not weighed"):
        kgan.metrics.ModeCoverage(kgan.data.ring()).update_state(np.zeros((5, 2)), np.ones(5))
    with pytest.raises(ValueError, match=r"grey images.*Received"):
        kgan.data.stack(np.zeros((4, 2, 2, 3)), np.zeros(4), 2)
