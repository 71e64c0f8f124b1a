"""What says nothing of images is told in training, and ends none."""

import keras
import numpy as np
import pytest
from factory import mlp_gan

import kgan.metrics.evaluation
from kgan.metrics import (
    FrechetDistance,
    PrecisionRecall,
    SlicedWasserstein,
)


def features(scale, shift=0.0, width=6):
    """A network whose features are few numbers of the image, made small around a constant."""
    image = keras.Input((8, 8, 1))
    some = keras.layers.Flatten()(image)[:, :width]
    return keras.Model(image, some * scale + shift)


def measured(metric, real, fake):
    for start in range(0, len(real), 20):
        metric.update_state(real[start : start + 20], fake[start : start + 20])
    return kgan.metrics.report([metric])


def test_few_images_against_many_features_are_told_before_training(images):
    """Once, whether their number is known beforehand or not."""

    class Stream(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return images[16 * index : 16 * index + 16]

    known = FrechetDistance()
    with pytest.warns(UserWarning, match="32 images have a covariance of rank 31"):
        kgan.metrics.evaluation.check([known], [(8, 8, 1)], 32, "give more")
    measured(known, images[:32], images[:32])  # said once
    gan = mlp_gan(metrics=[FrechetDistance()])
    with pytest.warns(UserWarning, match="32 images have a covariance of rank 31") as told:
        gan.fit(images, epochs=2, verbose=0, validation_data=Stream())
    assert sum("This score" in str(warning.message) for warning in told) == 1
    assert "rank 31" in gan.scores["frechet_distance"]["protocol"]["note"]


def test_metrics_that_nothing_is_measured_with_are_told(images):
    gan = mlp_gan(metrics=[SlicedWasserstein(), PrecisionRecall(name="near")])
    match = r"validation_data.*Received: metrics \['sliced_wasserstein', 'near'\] without"
    with pytest.warns(UserWarning, match=match):
        gan.fit(images, verbose=0)
    gan.fit(images, verbose=0, validation_data=images[:48])


def test_a_score_that_says_nothing_ends_no_training(images):
    gan = mlp_gan(metrics=[FrechetDistance(features(0.0))])
    slower = keras.callbacks.ReduceLROnPlateau(monitor="val_frechet_distance", mode="min")
    with pytest.warns(UserWarning, match="says nothing"):
        history = gan.fit(
            images, epochs=2, verbose=0, validation_data=images[:64], callbacks=[slower]
        ).history
    assert np.isnan(history["val_frechet_distance"]).all()
    assert np.isfinite(history["generator_loss"]).all()
