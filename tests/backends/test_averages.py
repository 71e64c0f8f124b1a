"""The average of the generator: what it follows, what it outlives, and of which networks it is."""

import warnings

import keras
import numpy as np
import pytest
from factory import cyclegan, mlp_gan
from keras import layers, ops

import kgan

IMAGES = np.tanh(np.random.default_rng(0).normal(size=(64, 8, 8, 1))).astype("float32")
LATENTS = np.random.default_rng(1).standard_normal((5, 4), np.float32)


def fast(**options):
    return mlp_gan(generator_optimizer=keras.optimizers.Adam(1e-2), **options)


def trained(**options):
    gan = fast(ema=0.9, **options)
    gan.fit(IMAGES, epochs=3, verbose=0)
    return gan


def gap(one, other):
    return np.abs(one - other).max()


def stranger():
    """A generator of other weights."""
    keras.utils.set_random_seed(7)
    return kgan.networks.mlp_generator((8, 8, 1), latent_dim=4, width=16)


def test_it_follows_the_generator_until_its_first_update(tmp_path):
    other = stranger()
    truth = other.predict(LATENTS, verbose=0)
    other.save_weights(tmp_path / "other.weights.h5")
    ways = {
        "set": lambda gan: gan.generator.set_weights(other.get_weights()),
        "load": lambda gan: gan.generator.load_weights(tmp_path / "other.weights.h5"),
    }
    for way in ways.values():
        gan = fast(ema=0.999)
        way(gan)
        assert gap(gan.images_of(LATENTS), truth) < 1e-6
        assert gap(gan.predict(LATENTS, verbose=0), truth) < 1e-6
        assert gap(gan.averaged_generator.predict(LATENTS, verbose=0), truth) < 1e-6
        gan.save(tmp_path / "gan.keras")
        assert gap(keras.saving.load_model(tmp_path / "gan.keras").images_of(LATENTS), truth) < 1e-6
    # So it does in a model that has been loaded and not trained.
    fast(ema=0.999).save(tmp_path / "fresh.keras")
    loaded = keras.saving.load_model(tmp_path / "fresh.keras")
    ways["set"](loaded)
    assert gap(loaded.images_of(LATENTS), truth) < 1e-6
    # Training starts from there as well.
    gan = fast(ema=0.9)
    gan.generator.set_weights(other.get_weights())
    start = other.get_weights()
    gan.train_on_batch(IMAGES)
    rate = 1 - 2 / 11
    for mean, first, last in zip(
        gan.averages[0].get_weights(), start, gan.generator.get_weights(), strict=True
    ):
        np.testing.assert_allclose(mean, first + rate * (last - first), atol=1e-5)


def test_weights_given_to_the_average_itself_stay():
    gan, copy = trained(), fast(ema=0.9)
    truth = gan.images_of(LATENTS)
    copy.set_weights(gan.get_weights())  # those of the average among them
    assert gap(copy.images_of(LATENTS), truth) < 1e-6
    assert gap(gan.generator.predict(LATENTS, verbose=0), truth) > 1e-3


def test_it_outlives_compile(tmp_path):
    gan = trained()
    truth, before = gan.images_of(LATENTS), gan.averages[0].get_weights()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        gan.compile(ema=0.99, generator_optimizer=keras.optimizers.Adam(1e-2))
    assert gap(gan.images_of(LATENTS), truth) < 1e-6
    # It goes on as the one that it is: its first steps, of a small decay, are over.
    updates = 6

    def follows():
        nonlocal updates, before
        updates += 1
        gan.train_on_batch(IMAGES)
        decay = min(gan.ema, (1 + updates) / (10 + updates))
        raw, mean = gan.generator.get_weights(), gan.averages[0].get_weights()
        for old, last, new in zip(before, raw, mean, strict=True):
            np.testing.assert_allclose(new, decay * old + (1 - decay) * last, atol=1e-5)
        before = mean

    follows()
    gan.save(tmp_path / "gan.keras")
    gan = keras.saving.load_model(tmp_path / "gan.keras")
    follows()


def test_its_loss_is_told(tmp_path):
    gan = trained()
    gan.save_weights(tmp_path / "gan.weights.h5")
    gan.save(tmp_path / "gan.keras")
    truth = gan.images_of(LATENTS)
    plain = fast()
    with pytest.warns(UserWarning, match=r"holds an average.*Received"):
        plain.load_weights(tmp_path / "gan.weights.h5")
    raw = gan.generator.predict(LATENTS, verbose=0)
    assert gap(plain.images_of(LATENTS), raw) < 1e-6
    with pytest.warns(UserWarning, match=r"holds an average.*Received"):
        keras.saving.load_model(tmp_path / "gan.keras", compile=False)
    with pytest.warns(UserWarning, match=r"is lost.*averaged_generator.*Received: ema=None"):
        gan.compile()
    assert gan.averaged_generator is None
    assert gap(gan.images_of(LATENTS), raw) < 1e-6
    with warnings.catch_warnings():
        warnings.simplefilter(
            "error", UserWarning
        )  # nothing is lost where there is a place, or no average
        kept = fast(ema=0.5)
        kept.load_weights(tmp_path / "gan.weights.h5")
        fast(ema=0.9).compile()
        gan.compile()
    assert gap(kept.images_of(LATENTS), truth) < 1e-6


def test_weights_of_a_run_without_one_start_it(tmp_path):
    plain = fast()
    plain.fit(IMAGES, verbose=0)
    plain.save_weights(tmp_path / "plain.weights.h5")
    gan = fast(ema=0.9)
    gan.load_weights(tmp_path / "plain.weights.h5")
    truth = plain.images_of(LATENTS)
    assert gap(gan.images_of(LATENTS), truth) < 1e-6
    gan.fit(IMAGES, verbose=0)
    assert gap(gan.images_of(LATENTS), gan.generator.predict(LATENTS, verbose=0)) > 0


def test_another_generator_has_another_average():
    gan = trained()
    gan.generator = stranger()
    count = len(gan.weights)
    with pytest.warns(UserWarning, match="the generator is another one"):
        gan.compile(ema=0.9)
    assert len(gan.weights) == count  # of the old ones nothing is left behind
    assert gap(gan.images_of(LATENTS), gan.generator.predict(LATENTS, verbose=0)) < 1e-6


def test_it_is_a_model_like_any_other(tmp_path):
    gan = trained()
    truth = gan.images_of(LATENTS)
    average = gan.averaged_generator
    assert isinstance(average, keras.Model) and not average.trainable_variables
    assert gap(average.predict(LATENTS, verbose=0), truth) < 1e-6
    average.save(tmp_path / "generator.keras")
    loaded = keras.saving.load_model(tmp_path / "generator.keras")
    assert gap(loaded.predict(LATENTS, verbose=0), truth) < 1e-6
    gan.generator.set_weights(average.get_weights())  # as the warning of a loss advises
    assert gap(gan.generator.predict(LATENTS, verbose=0), truth) < 1e-6
    assert fast().averaged_generator is None
    with pytest.raises(ValueError, match=r"an average of its own.*Received: 2"):
        _ = cyclegan(compiled={"ema": 0.9}).averaged_generator


class Scale(layers.Layer):
    """An own layer: not registered, with an argument that no configuration can hold."""

    def __init__(self, function, **options):
        super().__init__(**options)
        self.function = function
        self.dense = layers.Dense(16)
        self.norm = layers.BatchNormalization()
        self.dropout = layers.Dropout(0.5)

    def build(self, shape):
        self.dense.build(shape)
        self.norm.build((*shape[:-1], 16))
        self.factor = self.add_weight((16,), "ones", name="factor")

    def call(self, x, training=False):
        x = self.norm(self.function(self.dense(x)), training=training)
        return self.dropout(x, training=training) * self.factor


class Unregistered(layers.Layer):
    """An own layer that only its class can make again."""

    def __init__(self, units=8, **options):
        super().__init__(**options)
        self.units = units

    def build(self, shape):
        self.kernel = self.add_weight((shape[-1], self.units), "glorot_uniform")

    def call(self, x):
        return ops.matmul(x, self.kernel)


def own_gan(policy="float32"):
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(policy)
    factor = 0.5
    latent = keras.Input((4,))
    x = Scale(ops.relu)(latent)
    x = layers.Lambda(lambda x: x * factor)(x)
    x = keras.Sequential([keras.Input((16,)), Unregistered(32), Scale(ops.tanh)])(x)
    x = ops.tanh(layers.Dense(64, dtype="float32")(x))
    generator = keras.Model(latent, layers.Reshape((8, 8, 1), dtype="float32")(x))
    gan = kgan.GAN(generator, kgan.networks.mlp_discriminator((8, 8, 1), width=16), seed=0)
    gan.compile(ema=0.5, generator_optimizer=keras.optimizers.Adam(1e-2))
    return gan


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_own_layers_need_no_configuration(policy, tmp_path):
    """The images of the average are those of the generator with averaged weights."""
    gan = own_gan(policy)
    atol = 1e-6 if policy == "float32" else 2e-2
    raw = gan.generator.predict(LATENTS, verbose=0)
    np.testing.assert_allclose(gan.images_of(LATENTS), raw, atol=atol)
    count = len(gan.trainable_variables)
    gan.fit(IMAGES, epochs=3, verbose=0, validation_data=IMAGES)
    images, average = gan.images_of(LATENTS), gan.averaged_generator
    weights = average.get_weights()
    assert len(gan.trainable_variables) == count
    gan.save_weights(tmp_path / "gan.weights.h5")
    keep = gan.generator.get_weights()
    assert gap(gan.generator.predict(LATENTS, verbose=0), images) > atol
    gan.generator.set_weights(weights)
    np.testing.assert_allclose(gan.generator.predict(LATENTS, verbose=0), images, atol=atol)
    np.testing.assert_allclose(average.predict(LATENTS, verbose=0), images, atol=atol)
    gan.generator.set_weights(keep)
    again = own_gan(policy)
    again.load_weights(tmp_path / "gan.weights.h5")
    np.testing.assert_array_equal(again.images_of(LATENTS), images)
