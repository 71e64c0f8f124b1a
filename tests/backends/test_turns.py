"""Several turns of the discriminator, and the average of the generator."""

import keras
import numpy as np
import pytest
from factory import FedGAN, dcgan, mlp_gan
from keras import ops

import kgan


def test_each_turn_sees_fresh_images_and_fresh_latents(images):
    turns = []

    class Watched(kgan.GAN):
        def discriminator_loss(self, batch, outputs, training=True):
            turns.append((batch, outputs["image"]))
            return super().discriminator_loss(batch, outputs, training)

    gan = mlp_gan(kind=Watched, discriminator_steps=3, run_eagerly=True)
    gan.fit(images[:12], batch_size=4, shuffle=False, verbose=0)
    turns = turns[-3:]
    real = np.concatenate([ops.convert_to_numpy(batch) for batch, _ in turns])
    np.testing.assert_array_equal(real, np.concatenate([images[i:12:3] for i in range(3)]))
    if keras.backend.backend() != "jax":  # whose recorded turns hold tracers
        fakes = [ops.convert_to_numpy(fake) for _, fake in turns]
        assert not any(np.array_equal(fakes[0], other) for other in fakes[1:])
    assert int(gan.optimizer.discriminator.iterations) == 3
    assert int(gan.optimizer.generator.iterations) == 1


def test_several_turns_equal_several_batches_with_a_generator_that_rests(images):
    latents = np.random.default_rng(0).normal(size=(96, 4)).astype("float32")
    # The turns are dealt every third sample of their 24; in this order they come as batches of 8.
    dealt = np.arange(96).reshape(4, 8, 3).swapaxes(1, 2).ravel()
    trained = []
    for turns, order in [(1, dealt), (3, np.arange(96))]:
        still = keras.optimizers.SGD(0.0)
        gan = mlp_gan(kind=FedGAN, discriminator_steps=turns, generator_optimizer=still)
        gan.fit(images[order], latents[order], batch_size=8, shuffle=False, verbose=0)
        trained.append(flat(gan.discriminator))
    np.testing.assert_allclose(*trained, atol=1e-6)


def test_the_last_samples_are_left_out_if_they_are_too_few(images):
    gan = mlp_gan(discriminator_steps=4)
    options = {"batch_size": 16, "verbose": 0}
    # 64, and a rest of 3: not one for each turn
    with pytest.warns(UserWarning, match=r"left out.*Received: a last batch of 3"):
        history = gan.fit(images[:67], shuffle=False, **options).history
    assert np.isfinite(list(history.values())).all()
    assert int(gan.optimizer.generator.iterations) == 1
    gan.fit(images[:70], shuffle=False, **options)  # 64, and a rest of 6
    assert int(gan.optimizer.generator.iterations) == 3
    gan.fit(images[:70], **options)  # shuffled: whole batches alone
    assert int(gan.optimizer.generator.iterations) == 4


def test_a_batch_of_a_stream_must_be_divisible(images):
    def batches():
        while True:
            yield (images[:32],)

    with pytest.raises(ValueError, match=r"multiple of.*Received: a batch of 32 with .*=5"):
        mlp_gan(discriminator_steps=5).fit(batches(), steps_per_epoch=1)
    gan = mlp_gan(discriminator_steps=4)
    gan.fit(batches(), steps_per_epoch=2, verbose=0)
    assert int(gan.optimizer.discriminator.iterations) == 8


def flat(network):
    return np.concatenate([np.ravel(weight) for weight in network.get_weights()])


def test_the_average_follows_its_formula(images):
    gan = mlp_gan(ema=0.5, generator_optimizer=keras.optimizers.SGD(1.0))
    mean = flat(gan.generator)
    np.testing.assert_array_equal(flat(gan.averages[0]), mean)
    for step in range(1, 9):
        gan.train_on_batch(images)
        decay = min(0.5, (1 + step) / (10 + step))
        mean = decay * mean + (1 - decay) * flat(gan.generator)
        np.testing.assert_allclose(flat(gan.averages[0]), mean, atol=1e-5)
    assert not np.allclose(flat(gan.generator), mean, atol=1e-3)


def test_the_average_is_what_inference_uses(images, tmp_path):
    gan = dcgan(ema=0.9, generator_optimizer=keras.optimizers.Adam(1e-2))
    gan.fit(images, batch_size=16, epochs=3, verbose=0)
    latents = np.random.default_rng(0).standard_normal((5, 4), np.float32)
    raw = gan.generator.predict(latents, verbose=0)
    average = gan.averages[0].predict(latents, verbose=0)
    assert not np.allclose(raw, average, atol=1e-3)
    np.testing.assert_allclose(gan.predict(latents, verbose=0), average, atol=1e-6)
    np.testing.assert_allclose(gan.generate(5, seed=0), average, atol=1e-6)
    fakes = gan.test_on_batch(images, return_dict=True)["fake_probability"]
    gan.averages[0].set_weights(gan.generator.get_weights())
    assert fakes != gan.test_on_batch(images, return_dict=True)["fake_probability"]


def test_batch_statistics_of_the_average_are_its_own(images):
    """Inference with them is nearer to the average's true statistics than with the last ones."""
    gan = dcgan(ema=0.98, generator_optimizer=keras.optimizers.Adam(2e-3, beta_1=0.5))
    gan.fit(images, batch_size=16, epochs=40, verbose=0)
    average = gan.averages[0]
    latents = np.random.default_rng(0).standard_normal((1000, 4), np.float32)
    norms = [x for x in average.layers if isinstance(x, keras.layers.BatchNormalization)]
    own = average.predict(latents, verbose=0)
    raw_norms = [x for x in gan.generator.layers if isinstance(x, keras.layers.BatchNormalization)]
    for mine, last in zip(norms, raw_norms, strict=True):
        mine.moving_mean.assign(last.moving_mean)
        mine.moving_variance.assign(last.moving_variance)
    copied = average.predict(latents, verbose=0)
    average.trainable = True
    for norm in norms:
        norm.momentum = 0.0
    average(latents, training=True)
    average.trainable = False
    exact = average.predict(latents, verbose=0)
    assert np.abs(own - exact).mean() < 0.1 * exact.std()
    assert np.abs(own - exact).mean() < np.abs(copied - exact).mean()


def test_an_average_costs_the_optimizers_nothing(images):
    gan = mlp_gan(ema=0.9)
    assert len(gan.trainable_variables) == len(mlp_gan().trainable_variables)
    before = flat(gan.averages[0])
    gan.evaluate(images, verbose=0)
    np.testing.assert_array_equal(flat(gan.averages[0]), before)


def test_a_schedule_lasts_as_long_for_both_players(images, tmp_path):
    keras.config.set_dtype_policy(
        "mixed_float16"
    )  # float16 puts a loss scale around the optimizers

    def adam():
        return keras.optimizers.Adam(kgan.schedules.LinearDecay(1e-3, 8, 0))

    def rates(gan):
        players = gan.optimizer.generator, gan.optimizer.discriminator
        return [float(ops.convert_to_numpy(player.learning_rate)) for player in players]

    gan = mlp_gan(discriminator_steps=3, generator_optimizer=adam(), discriminator_optimizer=adam())
    gan.fit(images, batch_size=8, verbose=0)
    np.testing.assert_allclose(rates(gan), [5e-4, 5e-4], rtol=1e-5)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    np.testing.assert_allclose(rates(loaded), [5e-4, 5e-4], rtol=1e-5)
    assert loaded.settings()["compile_config"] == gan.settings()["compile_config"]


def test_settings_name_a_schedule_as_it_was_given():
    settings = []
    for steps in (1, 2):
        rate = keras.optimizers.schedules.ExponentialDecay(1e-3, 10, 0.5)
        gan = mlp_gan(
            discriminator_steps=steps, discriminator_optimizer=keras.optimizers.Adam(rate)
        )
        settings.append(gan.settings()["compile_config"]["discriminator_optimizer"])
    assert settings[0] == settings[1]


def test_a_schedule_counts_anew_when_compiled_again(images):
    optimizer = keras.optimizers.SGD(kgan.schedules.LinearDecay(1.0, 10, 0))
    gan = mlp_gan()
    for turns in (4, 2, 1):
        gan.compile(discriminator_steps=turns, discriminator_optimizer=optimizer)
    gan.train_on_batch(images)
    assert float(ops.convert_to_numpy(optimizer.learning_rate)) == pytest.approx(0.9)
