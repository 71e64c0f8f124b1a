"""What layers add to the loss by themselves, as users of Keras know it."""

import keras
import numpy as np
import pytest
from factory import FedGAN
from keras import ops

import kgan


@keras.saving.register_keras_serializable("kgan_tests")
class Shrink(keras.layers.Layer):
    """Adds what an activity regularizer L2(0.1) would, a sum of squares a sample."""

    def call(self, x):
        self.add_loss(squares(x))
        return x


def squares(x):
    return 0.1 * ops.sum(x**2) / ops.cast(ops.shape(x)[0], "float32")


class Explicit(FedGAN):
    """Has in its losses what the layers of the other add by themselves."""

    def discriminator_loss(self, batch, outputs, training=True):
        terms = super().discriminator_loss(batch, outputs, training)
        logits = [self.judge(x, batch, training) for x in (batch[0], outputs["image"])]
        return terms | {"own": sum(map(squares, logits))}

    def generator_loss(self, batch, outputs, training=True):
        terms = super().generator_loss(batch, outputs, training)
        return terms | {"own": squares(outputs["image"])}


def fed_gan(kind, how, **options):
    """A GAN with layers that add losses, nested, where `how` says so."""
    keras.utils.set_random_seed(0)
    added = how == "add_loss"
    regularizer = keras.regularizers.L2(0.1) if how == "activity" else None
    head = [
        keras.Input((16,)),
        keras.layers.Dense(64, activation="tanh", activity_regularizer=regularizer),
        *([Shrink()] if added else []),
    ]
    generator = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(16, activation="relu"),
            keras.Sequential(head),
            keras.layers.Reshape((8, 8, 1)),
        ]
    )
    image = keras.Input((8, 8, 1))
    x = keras.layers.Dense(16, activation="softplus")(keras.layers.Flatten()(image))
    x = keras.layers.Dense(1, activity_regularizer=regularizer)(x)
    discriminator = keras.Model(image, Shrink()(x) if added else x)
    gan = kind(generator, discriminator, seed=0)
    rates = {
        f"{player}_optimizer": keras.optimizers.SGD(1e-3)
        for player in ("generator", "discriminator")
    }
    gan.compile(**rates, **options)
    return gan


@pytest.fixture
def latents():
    return np.random.default_rng(0).normal(size=(96, 4)).astype("float32")


@pytest.mark.parametrize("how", ["activity", "add_loss"])
def test_what_layers_add_trains_like_a_term_of_ones_own(images, latents, how):
    # R1 takes its gradient in calls of its own, which must not count.
    options = {"penalties": [kgan.penalties.R1(0.1)]}
    logs = {}
    gans = [fed_gan(FedGAN, how, **options), fed_gan(Explicit, None, **options)]
    for gan in gans:
        gan.fit(images, latents, batch_size=24, verbose=0)
        logs[gan] = gan.evaluate(images, latents, batch_size=48, verbose=0, return_dict=True)
    for weights in zip(*(gan.get_weights() for gan in gans), strict=True):
        np.testing.assert_allclose(*weights, atol=1e-5)
    added, own = logs.values()
    for player in ("generator", "discriminator"):
        assert added[f"{player}_regularization"] == pytest.approx(own[f"{player}_own"], rel=1e-3)
        assert added[f"{player}_loss"] == pytest.approx(own[f"{player}_loss"], rel=1e-3)
    assert own["generator_own"] > 0.01


def test_the_average_shows_what_its_own_layers_add(images, latents):
    gan = fed_gan(FedGAN, "activity", ema=0.9)
    gan.fit(images, latents, epochs=2, verbose=0)
    logs = gan.evaluate(images, latents, batch_size=96, verbose=0, return_dict=True)
    expected = 0.1 * (gan.images_of(latents) ** 2).sum() / len(latents)
    assert logs["generator_regularization"] == pytest.approx(expected, rel=1e-3)


def test_layers_are_left_as_they_were(images, latents):
    gan = fed_gan(FedGAN, "add_loss")
    gan.fit(images, latents, verbose=0)
    (layer,) = [each for each in gan.discriminator.layers if isinstance(each, Shrink)]
    assert "add_loss" not in vars(layer)
    logits = gan.discriminator(images)
    (value,) = gan.discriminator.losses
    value, expected = map(ops.convert_to_numpy, (value, squares(logits)))
    assert value == pytest.approx(expected, rel=1e-4)


def test_a_model_of_two_players_has_no_loss_to_add_to():
    with pytest.raises(ValueError, match=r"generator_loss.*Received: add_loss"):
        fed_gan(FedGAN, None).add_loss(ops.ones(()))
