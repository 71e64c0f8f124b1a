"""Scores of features that cannot tell images apart: they say so, and never look perfect."""

import math

import keras
import numpy as np
import pytest

import kgan.metrics.evaluation
from kgan.metrics import (
    DuplicateRate,
    FrechetDistance,
    KernelDistance,
    MultiScaleSimilarity,
    PrecisionRecall,
    SlicedWasserstein,
)
from kgan.metrics.degeneracy import Spread, judge

COMPARING = [FrechetDistance, KernelDistance, PrecisionRecall, SlicedWasserstein, DuplicateRate]


def features(scale, shift=0.0, width=6):
    """A network whose features are few numbers of the image, made small around a constant."""
    image = keras.Input((8, 8, 1))
    some = keras.layers.Flatten()(image)[:, :width]
    return keras.Model(image, some * scale + shift)


def measured(metric, real, fake):
    for start in range(0, len(real), 20):
        metric.update_state(real[start : start + 20], fake[start : start + 20])
    return kgan.metrics.report([metric])


@pytest.fixture
def noise():
    return np.random.default_rng(0).uniform(-1, 1, (2, 96, 8, 8, 1)).astype("float32")


@pytest.mark.parametrize("make", COMPARING)
@pytest.mark.parametrize("constant", [(0.0, 0.0), (0.0, 3.0), (1e-7, 5.0)], ids=str)
def test_what_is_the_same_for_all_images_is_not_a_score(make, constant, noise):
    metric = make(features(*constant))
    with pytest.warns(UserWarning, match=rf"says nothing.*other features.*Received: {metric.name}"):
        scores = measured(metric, *noise)
    assert scores and all(math.isnan(score["value"]) for score in scores.values())
    assert all("constant" in score["protocol"]["note"] for score in scores.values())
    metric.reset_state()
    measured(metric, *noise)  # said once
    for store in (metric.real, metric.fake):
        assert store.count == len(noise[0])


@pytest.mark.parametrize("make", COMPARING)
@pytest.mark.parametrize("faint", [(1e-5, 0.0), (1e-4, 1.0)], ids=str)
def test_what_hardly_differs_is_doubted(make, faint, noise):
    with pytest.warns(UserWarning, match=r"says little.*6 features of 96 real images deviate by"):
        scores = measured(make(features(*faint)), *noise)
    assert all(math.isfinite(score["value"]) for score in scores.values())


def test_many_features_of_one_number_are_doubted(noise):
    image = keras.Input((8, 8, 1))
    one = keras.layers.Flatten()(image)[:, :1]
    network = keras.Model(image, keras.layers.Concatenate()([one, 3 * one, -one, one + 1]))
    with pytest.warns(UserWarning, match="4 features of 96 real images all follow from one number"):
        measured(PrecisionRecall(network), *noise)


@pytest.mark.parametrize("make", [*COMPARING, MultiScaleSimilarity])
def test_what_tells_images_apart_is_not_doubted(make, noise):
    """Nor is a collapsed generator taken for a blind measure; a warning would be an error here."""
    given = () if make is MultiScaleSimilarity else (features(1.0),)
    same = np.repeat(noise[1, :1], 96, axis=0)
    for fake in (noise[1], same):
        scores = measured(make(*given), noise[0], fake)
        for score in scores.values():
            assert math.isfinite(score["value"]) and "note" not in score["protocol"]


def test_a_spread_is_that_of_numpy_whatever_the_pieces():
    rng = np.random.default_rng(0)
    rows = (rng.standard_normal((300, 7)) * rng.uniform(0, 5, 7) + 40).astype("float32")
    spread, other = Spread(), Spread()
    for part in np.split(rows, [1, 4, 90]):
        spread.add(part)
    other.add(rows[:50] - 80)
    assert spread.count == 300 and spread.width == 7
    assert spread.deviation == pytest.approx(np.sqrt(rows.var(axis=0).mean()), rel=1e-5)
    assert spread.magnitude == pytest.approx(np.sqrt(np.mean(rows.astype("float64") ** 2)))
    both = spread.together(other)
    expected = np.concatenate([rows, rows[:50] - 80]).var(axis=0).mean() ** 0.5
    assert both.count == 350 and both.deviation == pytest.approx(expected, rel=1e-5)
    assert not judge(spread, other)
