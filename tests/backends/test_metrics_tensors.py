"""Measures of the backend's own tensors and through its networks."""

import independent
import keras
import numpy as np
import pytest

from kgan.metrics import (
    DuplicateRate,
    FrechetDistance,
    KernelDistance,
    MultiScaleSimilarity,
    PrecisionRecall,
    SlicedWasserstein,
)

MEASURES = [
    FrechetDistance,
    lambda: KernelDistance(block_size=20),
    PrecisionRecall,
    lambda: SlicedWasserstein(directions=8),
    MultiScaleSimilarity,
    DuplicateRate,
]


def measured(metric, real, fake):
    """The scores of a metric, by name, of images given in one piece."""
    metric.reset_state()
    metric.update_state(real, fake)
    return scores(metric)


def scores(metric):
    result = metric.result()
    return result if isinstance(result, dict) else {metric.name: result}


def vectors(images):
    return images.reshape(len(images), -1).astype("float64")


def rough(images):
    """Images with noise, whose covariance has full rank, or SciPy finds no root of it."""
    noise = np.random.default_rng(2).uniform(-0.1, 0.1, images.shape)
    return (0.9 * images + noise).astype("float32")


@pytest.fixture
def others():
    """Fewer images than in `images`, of waves with noise on them."""
    rng = np.random.default_rng(1)
    rows = np.linspace(0, 2, 8)[:, None] + np.linspace(0, 2, 8)
    waves = 0.7 * np.sin(rows + rng.uniform(0, 5, (72, 1, 1)))
    return (waves + rng.uniform(-0.1, 0.1, waves.shape)).astype("float32")[..., None]


@pytest.mark.parametrize("make", MEASURES)
def test_tensors_of_the_backend_give_what_arrays_give(make, images, others):
    tensors = (keras.ops.convert_to_tensor(each) for each in (images, others))
    assert measured(make(), *tensors) == measured(make(), images, others)


def test_a_network_gives_the_features(images, others):
    layers = [keras.Input((None, None, 1)), keras.layers.Conv2D(3, 3, strides=3)]
    model = keras.Sequential(layers, name="grey")
    metric, images = FrechetDistance(model), rough(images)
    found = measured(metric, images, others)["frechet_distance"]
    features = (vectors(model.predict(each, verbose=0)) for each in (images, others))
    assert found == pytest.approx(independent.frechet_distance(*features), rel=1e-4)
    before = metric.protocol
    assert before["features"] == "model grey"
    kernel = model.layers[0].kernel
    kernel.assign(kernel + 1e-3)
    assert metric.protocol["features_hash"] != before["features_hash"]


def test_bad_arguments_are_refused(images):
    for make, message in [
        (lambda: FrechetDistance("fid"), '"pixels", "inception".*Received'),
        (lambda: KernelDistance(block_size=1), "at least 2.*Received"),
        (lambda: PrecisionRecall(k=0), "positive integer.*k=0"),
        (lambda: SlicedWasserstein(directions=0), "positive integer.*Received: directions=0"),
        (lambda: SlicedWasserstein(seed=None), "at least 0.*Received: seed=None"),
        (lambda: DuplicateRate(threshold="a"), r"in \[0, 1\].*Received"),
        (lambda: DuplicateRate(threshold=2), r"in \[0, 1\].*Received"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()
    with pytest.raises(ValueError, match=r"at least 6 images.*Received: 5"):
        measured(PrecisionRecall(), images[:5], images)
    wide = np.zeros((3, 65, 65, 1), "float32")
    with pytest.raises(ValueError, match=r"at most 4096 features.*Received: 4225"):
        measured(FrechetDistance(), wide, wide)
    with pytest.raises(ValueError, match="This measure needs images"):
        measured(MultiScaleSimilarity(), images[:, 0, 0], images[:, 0, 0])
    other = keras.Sequential([keras.Input((9, 9, 1)), keras.layers.Flatten()])
    with pytest.raises(ValueError, match=r"must take the images as they are.*Received: images"):
        measured(FrechetDistance(other), images, images)
    infinite = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Rescaling(np.inf)]
    )
    with pytest.raises(ValueError, match="NaN or infinite"):
        measured(FrechetDistance(infinite), images, images)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_generated_images_may_have_any_float_type(images, others, dtype):
    # JAX has no float64 of its own.
    fakes = others.astype(dtype) if dtype == "float64" else keras.ops.cast(others, dtype)
    rounded = keras.ops.convert_to_numpy(keras.ops.cast(fakes, "float32"))
    expected = measured(SlicedWasserstein(), images, rounded)
    assert measured(SlicedWasserstein(), images, fakes) == expected
