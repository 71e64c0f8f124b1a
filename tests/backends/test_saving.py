"""A saved GAN goes on as if it had never stopped."""

import keras
import numpy as np
import pytest
from factory import dcgan, dropout_gan, mlp_gan
from keras import ops

import kgan


def flat(history):
    return np.array([value for values in history.values() for value in values])


def test_training_goes_on_bit_for_bit(images, tmp_path):
    """Weights, both optimizers' moments, and the seeds of latents, noise and dropout."""
    gan = dropout_gan()
    gan.fit(images, batch_size=32, epochs=2, shuffle=False, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert type(loaded) is kgan.GAN
    np.testing.assert_array_equal(loaded.generate(4, seed=0), gan.generate(4, seed=0))

    options = {"batch_size": 32, "epochs": 2, "shuffle": False, "verbose": 0}
    went_on = flat(gan.fit(images, **options).history)
    np.testing.assert_array_equal(flat(loaded.fit(images, **options).history), went_on)
    for a, b in zip(gan.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_compile_settings_come_back(tmp_path):
    gan = mlp_gan(
        loss="minimax",
        generator_optimizer=keras.optimizers.RMSprop(1e-3),
        discriminator_optimizer=keras.optimizers.SGD(
            keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5), momentum=0.9
        ),
        run_eagerly=True,
    )
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert isinstance(loaded.game, kgan.losses.Minimax)
    assert not isinstance(loaded.game, kgan.losses.NonSaturating)
    assert isinstance(loaded.optimizer.generator, keras.optimizers.RMSprop)
    assert float(loaded.optimizer.generator.learning_rate) == pytest.approx(1e-3)
    assert loaded.optimizer.discriminator.get_config() == gan.optimizer.discriminator.get_config()
    assert loaded.run_eagerly


def test_an_uncompiled_gan_saves_too(tmp_path):
    gan = kgan.GAN(
        kgan.networks.mlp_generator((8, 8, 1), 4, 8),
        kgan.networks.mlp_discriminator((8, 8, 1), 8),
        seed=5,
        name="mine",
    )
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert not loaded.compiled
    assert (loaded.name, loaded.seed) == ("mine", 5)
    np.testing.assert_array_equal(loaded.generate(2, seed=0), gan.generate(2, seed=0))


@keras.saving.register_keras_serializable("kgan_tests")
class Weighted(kgan.GAN):
    def __init__(self, generator, discriminator, weight=1.0, seed=None, **kwargs):
        super().__init__(generator, discriminator, seed=seed, **kwargs)
        self.weight = weight

    def generator_loss(self, batch, outputs, training=True):
        terms = super().generator_loss(batch, outputs, training)
        return {**terms, "brightness": self.weight * ops.mean(outputs["image"])}


def test_a_users_own_gan_is_saved_by_its_arguments(images, tmp_path):
    gan = mlp_gan(kind=Weighted)
    gan.weight = 3.0
    gan.fit(images, verbose=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert type(loaded) is Weighted
    assert loaded.weight == 3.0
    a, b = (model.fit(images, shuffle=False, verbose=0).history for model in (gan, loaded))
    np.testing.assert_array_equal(flat(a), flat(b))


def test_weights_alone(images, tmp_path):
    gan, other = dcgan(), dcgan()
    gan.fit(images, verbose=0)
    gan.save_weights(tmp_path / "gan.weights.h5")
    assert not np.array_equal(gan.generate(2, seed=0), other.generate(2, seed=0))
    other.load_weights(tmp_path / "gan.weights.h5")
    np.testing.assert_array_equal(gan.generate(2, seed=0), other.generate(2, seed=0))


def test_nothing_saved_names_a_backend(tmp_path):
    """So that a GAN of one backend goes on training on another."""
    import zipfile

    mlp_gan().save(tmp_path / "gan.keras")
    config = zipfile.ZipFile(tmp_path / "gan.keras").read("config.json").decode()
    assert "Adam" in config
    assert "backend" not in config
