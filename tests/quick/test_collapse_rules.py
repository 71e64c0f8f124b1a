"""What the monitor says of made-up histories."""

import numpy as np
import pytest

import kgan
from kgan.callbacks.monitor.diversity import variety
from kgan.callbacks.monitor.rules import Diagnoses


def looks(count=8, **changed):
    """A healthy history of `count` looks; `changed` gives other values for the last ones."""
    usual = {
        "generator_loss": 0.9,
        "discriminator_loss": 1.2,
        "diversity": 0.8,
        "distinctness": 0.7,
        "discriminator_accuracy_real": 0.8,
        "discriminator_accuracy_fake": 0.8,
        "generator_gradient": 2.0,
        "discriminator_gradient": 3.0,
    }
    history = [{"epoch": epoch, **usual} for epoch in range(count)]
    for name, values in changed.items():
        for look, value in zip(history[-len(values) :], values, strict=True):
            look[name] = value
    return history


def told(history, game="non_saturating", count=3):
    """The `(epoch, rule)` of what is told as the history grows."""
    diagnoses = Diagnoses(count)
    game = kgan.losses.get(game)
    return [
        (diagnosis.epoch, diagnosis.rule)
        for i in range(2, len(history) + 1)
        for diagnosis in diagnoses(history[:i], game)
    ]


RIGHT = {f"discriminator_accuracy_{side}": [1.0] * 4 for side in ("real", "fake")}


@pytest.mark.parametrize(
    ("changed", "rules"),
    [
        ({}, []),
        ({"diversity": [0.2] * 3}, [(7, "collapse")]),
        ({"distinctness": [0.2] * 3}, [(7, "collapse")]),
        ({"diversity": [0.3] * 3}, []),  # a fall by less than two thirds
        ({"diversity": [0.2] * 2}, []),  # not for long enough
        ({"diversity": [0.2, 0.2, 0.5, 0.2, 0.2]}, []),
        ({"diversity": [0.2] * 5}, [(5, "collapse")]),  # told once
        # Never varied: a collapse, unless training has only begun.
        ({"diversity": [0.04] * 8, "updates": [2000] * 8}, [(3, "collapse")]),
        ({"diversity": [0.04] * 8, "updates": [500] * 8}, []),
        ({"diversity": [0.06] * 8, "updates": [2000] * 8}, []),
        # Untrained networks varied by noise: what is learned first has less, a collapse has none.
        ({"diversity": [0.48, *[0.08] * 4, 0.2, 0.5, 0.9]}, []),
        ({"diversity": [0.48, *[0.01] * 7]}, [(3, "collapse")]),
        # The networks were trained before.
        ({"diversity": [0.48, *[0.08] * 7], "updates": [*range(99, 107)]}, [(3, "collapse")]),
        ({"modes": [10, 4, 4, 4]}, [(7, "modes_lost")]),
        ({"modes": [10, 5, 6, 7]}, []),
        ({"modes": [3, 1, 1, 1]}, []),  # were never many
        ({"modes": [10, 4, 4, 4], "high_quality": [0.9, 0.1, 0.1, 0.1]}, []),  # too few to say
        (RIGHT, []),  # the discriminator is ahead, and the generator still learns
        ({**RIGHT, "generator_gradient": [0.1] * 3}, [(7, "discriminator_wins")]),
        ({**RIGHT, "discriminator_loss": [0.001] * 3}, [(7, "discriminator_wins")]),
        ({"discriminator_loss": [0.001] * 3}, []),
        (
            {**RIGHT, "generator_gradient": [0.001] * 3},
            [(7, "discriminator_wins"), (7, "vanishing_gradient")],
        ),
        ({"generator_gradient": [0.001] * 3}, []),  # both players at rest
        ({"generator_gradient": [2000.0, 2.0, 2.0, 2.0]}, []),  # a single spike
        ({"discriminator_gradient": [500.0] * 3}, [(7, "exploding_gradient")]),
        ({"generator_loss": [np.nan]}, [(7, "not_finite")]),
        ({"discriminator_gradient": [np.inf]}, [(7, "not_finite")]),
        ({"diversity": [np.nan]}, [(7, "not_finite")]),
    ],
)
def test_rules(changed, rules):
    assert told(looks(**changed)) == rules


def test_a_discriminator_may_win_within_the_first_epoch():
    history = looks(generator_gradient=[0.8, *[1e-3] * 5], **{k: [1.0] * 5 for k in RIGHT})
    first = history[2:]  # the first look is before training
    assert [rule for _, rule in told(first)] == ["discriminator_wins", "vanishing_gradient"]


def test_a_critic_that_tells_real_from_fake_does_not_win():
    """It compares scores, and is meant to."""
    history = looks(**RIGHT, generator_gradient=[0.1] * 3)
    for game in ("wasserstein", "relativistic"):
        assert told(history, game) == []
    for game in ("minimax", "hinge", "least_squares"):
        assert told(history, game) == [(7, "discriminator_wins")]


def test_a_symptom_that_comes_back_is_told_again():
    ill, well = [0.1] * 3, [0.8] * 3
    assert told(looks(12, diversity=[*ill, *well, *ill])) == [(5, "collapse"), (11, "collapse")]
    assert told(looks(12, diversity=[*ill, *well[:2], *ill])) == [(6, "collapse")]


def test_a_gradient_that_comes_back_does_not_explode():
    for vanished in (1e-4, 0.0):
        assert told(looks(16, generator_gradient=[vanished] * 9 + [0.5] * 3)) == []


def test_every_text_says_what_was_seen_and_what_to_do():
    diagnoses = Diagnoses(1)
    history = looks(**RIGHT, generator_gradient=[0.05])
    (first,) = diagnoses(history, kgan.losses.get("minimax"))
    assert "accuracy is 1.00 on real" in first.text and "fallen 40 times" in first.text
    assert "arXiv" in first.remedies
    assert str(first).startswith("Epoch 7: The discriminator wins")


def test_variety_is_a_ratio_of_distances():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(40, 6, 6, 1)).astype("float32")
    assert variety(real, real) == pytest.approx((1, 1))
    assert variety(0.5 * real + 3, real) == pytest.approx((0.5, 0.5), rel=1e-5)
    diversity, distinctness = variety(np.repeat(real[:4], 10, axis=0), real)
    assert diversity > 0.8 and distinctness < 1e-3  # four images again and again
    assert variety(np.zeros_like(real), real) == (0, 0)
    large = np.repeat(np.repeat(real, 11, axis=1), 11, axis=2)  # 66 pixels: averaged over 3 by 3
    noise = rng.normal(size=large.shape)
    assert variety(large, large + 0.1 * noise)[0] == pytest.approx(1, abs=0.01)
    assert np.isnan(variety(real[:1], real)).all()
    # Real images that differ in what averaging takes away alone.
    checked = np.indices((64, 64)).sum(axis=0) % 2 * 2.0 - 1
    strength = np.linspace(0.1, 1, 8)[:, None, None]
    checked = (checked * strength)[..., None]
    assert variety(checked / 2, checked) == pytest.approx((0.5, 0.5))
