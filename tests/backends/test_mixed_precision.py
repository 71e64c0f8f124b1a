"""Half precision: a loss scale for each player, losses in float32, skipped updates shown."""

import keras
import numpy as np
import pytest
from factory import dcgan, mlp_gan

import kgan
from kgan.penalties import R1, R2, GradientPenalty


@pytest.fixture(params=["mixed_float16", "mixed_bfloat16"])
def policy(request):
    keras.mixed_precision.set_global_policy(request.param)
    yield request.param
    keras.mixed_precision.set_global_policy("float32")


@pytest.fixture
def float16():
    keras.mixed_precision.set_global_policy("mixed_float16")
    yield
    keras.mixed_precision.set_global_policy("float32")


@pytest.mark.parametrize("loss", sorted(kgan.losses.GAMES))
def test_every_game_and_penalty_trains_in_half_precision(loss, policy, images):
    penalties = [GradientPenalty(1.0), R1(1.0), R2(1.0, interval=2)]
    gan = mlp_gan(loss=loss, penalties=penalties, ema=0.99)
    before = [np.array(weight) for weight in gan.get_weights()]
    history = gan.fit(images, batch_size=48, epochs=2, verbose=0).history
    assert np.isfinite(list(history.values())).all()
    assert all(variable.dtype == "float32" for variable in gan.trainable_variables)
    assert not all(np.array_equal(a, b) for a, b in zip(before, gan.get_weights(), strict=True))
    assert gan.generate(2).dtype == "float32"


def test_float16_has_a_loss_scale_for_each_player_and_bfloat16_none(policy):
    gan = dcgan()
    scaled = [
        type(optimizer) is keras.optimizers.LossScaleOptimizer
        for optimizer in gan.optimizer.optimizers
    ]
    assert scaled == [policy == "mixed_float16"] * 2
    assert len({id(optimizer) for optimizer in gan.optimizer.optimizers}) == 2


def test_half_precision_stays_near_float32(float16, images):
    """The same weights and data: the losses of the first steps differ by rounding alone."""
    half = mlp_gan().fit(images, shuffle=False, verbose=0).history
    keras.mixed_precision.set_global_policy("float32")
    full = mlp_gan().fit(images, shuffle=False, verbose=0).history
    for name, values in full.items():
        assert half[name] == pytest.approx(values, rel=0.01), name


def test_a_skipped_update_shows_and_halves_the_scale(float16, images):
    gan = mlp_gan(
        generator_optimizer=keras.optimizers.LossScaleOptimizer(
            keras.optimizers.Adam(1e-3), initial_scale=2.0**40
        )
    )
    before = [np.array(weight) for weight in gan.generator.get_weights()]
    logs = gan.train_on_batch(images, return_dict=True)
    assert logs["generator_skipped_updates"] == 1
    assert logs["discriminator_skipped_updates"] == 0
    for a, b in zip(before, gan.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert float(gan.optimizer.generator.dynamic_scale) == 2.0**39
    assert float(gan.optimizer.discriminator.dynamic_scale) == 2.0**15
    history = gan.fit(images, epochs=30, verbose=0).history["generator_skipped_updates"]
    assert history[0] == 1
    assert history[-1] == 0
    assert not np.array_equal(before[0], gan.generator.get_weights()[0])


def test_the_scale_does_not_change_the_update(float16, images):
    def weights(scale):
        gan = mlp_gan(
            generator_optimizer=keras.optimizers.LossScaleOptimizer(
                keras.optimizers.SGD(0.1), initial_scale=scale
            )
        )
        gan.train_on_batch(images)
        return np.concatenate([weight.ravel() for weight in gan.generator.get_weights()])

    np.testing.assert_allclose(weights(2.0**4), weights(2.0**12), atol=1e-4)


def test_training_goes_on_with_its_loss_scales(float16, images, tmp_path):
    gan = mlp_gan(loss="wasserstein", penalties=[GradientPenalty()])
    gan.fit(images, verbose=0)
    gan.optimizer.discriminator.dynamic_scale.assign(2.0**9)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert float(loaded.optimizer.discriminator.dynamic_scale) == 2.0**9
    a, b = (g.fit(images, shuffle=False, verbose=0).history for g in (gan, loaded))
    assert a == b
