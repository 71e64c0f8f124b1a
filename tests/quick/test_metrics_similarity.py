"""Multi-scale similarity against SciPy's convolution and the paper's three terms."""

import independent
import numpy as np
import pytest

from kgan.metrics import MultiScaleSimilarity


@pytest.mark.parametrize(("shape", "scales"), [((8, 8, 1), 1), ((23, 24, 3), 2), ((50, 44, 1), 3)])
def test_similarity_against_an_independent_one(shape, scales):
    rng = np.random.default_rng(0)
    steps = rng.normal(size=(6, *shape)).cumsum(axis=1).cumsum(axis=2)  # smooth, as images are
    images = np.tanh(steps / 20 + rng.normal(size=(1, *shape)) / 5).astype("float32")
    metric = MultiScaleSimilarity()
    metric.update_state(images[:4], images)
    found = metric.result()
    expected = independent.multi_scale_similarity
    assert found["multi_scale_similarity"] == pytest.approx(expected(images), rel=1e-9)
    assert found["multi_scale_similarity_real"] == pytest.approx(expected(images[:4]), rel=1e-9)
    assert 0 < expected(images) < 1
    assert metric.protocol["scales"] == scales


def test_intensities_are_counted_from_black():
    """Of flat images the luminance term of the paper is left: 2ab / (a^2 + b^2)."""
    dark, bright = (np.full((1, 16, 16, 1), value, "float32") for value in (-0.5, 0.5))
    metric = MultiScaleSimilarity()
    metric.update_state(np.concatenate([dark, bright]), np.concatenate([dark, dark]))
    found = metric.result()
    expected = 2 * 0.5 * 1.5 / (0.5**2 + 1.5**2)
    assert found["multi_scale_similarity_real"] == pytest.approx(expected, abs=1e-3)
    assert found["multi_scale_similarity"] == pytest.approx(1)


def test_all_five_scales_need_176_pixels():
    metric = MultiScaleSimilarity()
    for side, scales in ((175, 4), (176, 5)):
        metric.reset_state()
        image = np.tile(np.linspace(-1, 1, side, dtype="float32")[:, None, None], (2, 1, side, 1))
        metric.update_state(image, image)
        assert metric.result()["multi_scale_similarity"] == pytest.approx(1)
        assert metric.protocol["scales"] == scales
