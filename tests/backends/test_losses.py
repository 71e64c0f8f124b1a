"""The games against NumPy, and the difference that the field grew from."""

import keras
import numpy as np
import pytest
from factory import mlp_gan
from keras import ops

import kgan
from kgan import backend

LOGITS = np.random.default_rng(0).normal(0, 3, (2, 16, 1)).astype("float32")


def probability(logits):
    return 1 / (1 + np.exp(-logits.astype("float64")))


def test_minimax_is_the_value_function_of_the_paper():
    real, fake = LOGITS
    r, f = map(ops.convert_to_tensor, LOGITS)
    game = kgan.losses.get("minimax")
    value = np.log(probability(real)).mean() + np.log(1 - probability(fake)).mean()
    assert float(game.discriminator(r, f)) == pytest.approx(-value, rel=1e-5)
    generator = np.log(1 - probability(fake)).mean()
    assert float(game.generator(r, f)) == pytest.approx(generator, rel=1e-5)


def test_non_saturating_changes_only_the_generator():
    _, fake = LOGITS
    r, f = map(ops.convert_to_tensor, LOGITS)
    game, minimax = kgan.losses.get("non_saturating"), kgan.losses.get("minimax")
    assert float(game.discriminator(r, f)) == float(minimax.discriminator(r, f))
    expected = -np.log(probability(fake)).mean()
    assert float(game.generator(r, f)) == pytest.approx(expected, rel=1e-5)


def relu(x):
    return np.maximum(x, 0)


# Each formula as in its paper, from real logits r and fake logits f.
PAPERS = {
    "wasserstein": (lambda r, f: f.mean() - r.mean(), lambda r, f: -f.mean()),
    "least_squares": (
        lambda r, f: ((r - 1) ** 2).mean() / 2 + (f**2).mean() / 2,
        lambda r, f: ((f - 1) ** 2).mean() / 2,
    ),
    "hinge": (lambda r, f: relu(1 - r).mean() + relu(1 + f).mean(), lambda r, f: -f.mean()),
    "relativistic": (
        lambda r, f: -np.log(probability(r - f)).mean(),
        lambda r, f: -np.log(probability(f - r)).mean(),
    ),
}


@pytest.mark.parametrize("name", sorted(PAPERS))
def test_a_game_is_the_formula_of_its_paper(name):
    real, fake = LOGITS
    r, f = map(ops.convert_to_tensor, LOGITS)
    game = kgan.losses.get(name)
    for loss, paper in zip((game.discriminator, game.generator), PAPERS[name], strict=True):
        assert float(loss(r, f)) == pytest.approx(paper(real, fake), rel=1e-5)


@pytest.mark.parametrize("name", ["minimax", "non_saturating"])
def test_label_smoothing_is_cross_entropy_with_a_smaller_target(name):
    real, fake = LOGITS
    r, f = map(ops.convert_to_tensor, LOGITS)
    game = type(kgan.losses.get(name))(label_smoothing=0.1)
    p = probability(real)
    expected = (
        -(0.9 * np.log(p) + 0.1 * np.log(1 - p)).mean() - np.log(1 - probability(fake)).mean()
    )
    assert float(game.discriminator(r, f)) == pytest.approx(expected, rel=1e-5)


def test_label_smoothing_of_least_squares_lowers_the_target():
    real, fake = LOGITS
    r, f = map(ops.convert_to_tensor, LOGITS)
    game = kgan.losses.LeastSquares(label_smoothing=0.1)
    expected = (((real - 0.9) ** 2).mean() + (fake**2).mean()) / 2
    assert float(game.discriminator(r, f)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", sorted(kgan.losses.GAMES))
def test_extreme_logits_stay_finite(name):
    game = kgan.losses.get(name)
    for real, fake in [(1e4, -1e4), (-1e4, 1e4)]:
        r, f = ops.full((4, 1), real), ops.full((4, 1), fake)
        assert np.isfinite(float(game.discriminator(r, f)))
        assert np.isfinite(float(game.generator(r, f)))


def generator_gradient(name, logit):
    """|d loss / d logit| of the generator, by each backend's own differentiation."""
    game = kgan.losses.get(name)
    fake = ops.convert_to_tensor(np.full((1, 1), logit, "float32"))
    loss, pull = backend.vjp(mlp_gan(), lambda logits: game.generator(None, logits), inputs=(fake,))
    _, (gradient,) = pull(ops.ones_like(loss))
    return abs(float(keras.ops.convert_to_numpy(gradient)[0, 0]))


def test_a_confident_discriminator_stops_the_minimax_generator_alone():
    """At D(G(z)) = sigmoid(-10) = 4.5e-5 the gradients are D(G(z)) and 1 - D(G(z))."""
    assert generator_gradient("minimax", -10.0) == pytest.approx(4.54e-5, rel=1e-2)
    assert generator_gradient("non_saturating", -10.0) == pytest.approx(1.0, rel=1e-3)
    # Where the discriminator can only guess, the two games pull equally hard.
    assert generator_gradient("minimax", 0.0) == pytest.approx(0.5)
    assert generator_gradient("non_saturating", 0.0) == pytest.approx(0.5)


def test_an_own_game_is_an_object_with_two_methods():
    class LeastSquares(kgan.losses.Game):
        def discriminator(self, real, fake):
            return ops.mean((real - 1) ** 2) + ops.mean(fake**2)

        def generator(self, real, fake):
            return ops.mean((fake - 1) ** 2)

    game = LeastSquares()
    assert kgan.losses.get(game) is game
    mlp_gan(loss=game).train_on_batch(np.zeros((4, 8, 8, 1), "float32"))


@pytest.mark.parametrize("loss", ["mse", None, 3])
def test_an_unknown_loss_lists_the_known_ones(loss):
    with pytest.raises(ValueError, match=r"'non_saturating', 'minimax'.*Received: loss="):
        mlp_gan(loss=loss)
