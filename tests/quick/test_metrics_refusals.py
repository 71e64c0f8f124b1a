"""Metrics that could not be measured are refused before training."""

import keras
import numpy as np
import pytest
from factory import mlp_gan, pix2pix

import kgan
from kgan.metrics import (
    FrechetDistance,
    KernelDistance,
    ModeCoverage,
    PrecisionRecall,
)

# Small sets, of which the Fréchet distance warns; tests/test_metrics_degeneracy.py looks at that.
pytestmark = pytest.mark.filterwarnings("ignore:This score says little")


def small_network(seed=1):
    """Features of images 8x8, whose weights follow from a seed."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(
                5, "tanh", kernel_initializer=keras.initializers.RandomNormal(0, 0.3, seed)
            ),
        ],
        name="small",
    )


def test_what_is_gone_after_one_pass_is_refused(images):
    gan = mlp_gan(metrics=[FrechetDistance()])
    with pytest.raises(ValueError, match=r"a second time.*Received: a generator"):
        gan.evaluate((batch,) for batch in [images[:32]])
    with pytest.raises(ValueError, match=r"a second time.*Received: a generator"):
        gan.fit(images, validation_data=((batch,) for batch in [images[:32]]), verbose=0)


@pytest.mark.parametrize(
    ("metric", "held", "message"),
    [
        (lambda: PrecisionRecall(k=3), 3, r"needs at least 6.*validation_data=. Received: 3"),
        (lambda: FrechetDistance(small_network()), 9, r"takes? the images.*Received: images"),
        (lambda: FrechetDistance(wide_network()), 9, r"at most 4096 features.*Received: 4100"),
        (lambda: ModeCoverage(kgan.data.ring()), 9, r"shape \(batch, 2\).*Received: samples"),
        (
            lambda: FrechetDistance(name="generator_loss"),
            9,
            r"a name of its own.*Received: generator_loss twice",
        ),
    ],
)
def test_what_could_not_be_measured_is_said_before_training(metric, held, message):
    images = np.random.default_rng(0).uniform(-1, 1, (20, 4, 4, 1)).astype("float32")
    gan = kgan.GAN(
        kgan.networks.mlp_generator((4, 4, 1), 4, 8), kgan.networks.mlp_discriminator((4, 4, 1), 8)
    )
    gan.compile(metrics=metric())  # one alone needs no list
    for given in ({"validation_data": images[:held]}, {"validation_split": held / len(images)}):
        with pytest.raises(ValueError, match=message):
            gan.fit(images, **given, verbose=0)
    assert int(gan.optimizer.iterations) == 0


def wide_network():
    flat = keras.layers.Flatten()
    return keras.Sequential([keras.Input((4, 4, 1)), flat, keras.layers.Dense(4100)])


def test_points_have_no_similarity():
    gan = kgan.GAN(
        kgan.networks.mlp_generator((2,), 4, 8), kgan.networks.mlp_discriminator((2,), 8)
    )
    gan.compile(metrics=[kgan.metrics.MultiScaleSimilarity()])
    points, _ = kgan.data.ring().sample(64, seed=0)
    with pytest.raises(ValueError, match=r"This measure needs images.*Received: samples"):
        gan.fit(points, validation_data=points, verbose=0)
    assert int(gan.optimizer.iterations) == 0


def test_bad_metrics_are_refused():
    for wrong in (["fid"], "fid"):
        with pytest.raises(ValueError, match=r"must be objects such as.*Received: 'fid'"):
            mlp_gan(metrics=wrong)
    for stock in (keras.metrics.Mean(), keras.metrics.MeanSquaredError()):
        with pytest.raises(ValueError, match=r"only two sets of images.*Received: a Mean"):
            mlp_gan(metrics=[stock])
    with pytest.raises(ValueError, match=r"only two sets.*Received: a Mean"):
        pix2pix(compiled={"metrics": [keras.metrics.Mean()]})
    with pytest.raises(ValueError, match=r"features must be.*Received: features=a ndarray"):
        FrechetDistance(np.zeros((4, 8, 8, 1), "float32"))
    with pytest.raises(ValueError, match=r"a name of its own.*Received: frechet_distance twice"):
        mlp_gan(metrics=[FrechetDistance(), FrechetDistance(small_network())])
    with pytest.raises(ValueError, match="Received: kernel_distance_error twice"):
        mlp_gan(metrics=[KernelDistance(), FrechetDistance(name="kernel_distance_error")])
    with pytest.raises(ValueError, match=r"not inside a compiled step.*Received"):
        FrechetDistance().update_state(keras.Input((8, 8, 1)))
