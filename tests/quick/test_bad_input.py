"""What cannot be trained on is refused before training, with what was received and the fix."""

import keras
import numpy as np
import pytest
from factory import mlp_gan

import kgan

GOOD = np.zeros((8, 8, 8, 1), "float32")
NAN = np.where(np.arange(8).reshape(8, 1, 1, 1) == 5, np.nan, GOOD)
BAD_IMAGES = {
    "uint8": (
        GOOD.astype("uint8"),
        r"images.astype\('float32'\) / 127.5 - 1.*Received: dtype uint8",
    ),
    "pixels as floats": (GOOD + 255, r"images / 127.5 - 1.*Received: range \[255.0, 255.0\]"),
    "NaN": (NAN, r"must be finite.*Received: range \[nan"),
    "infinite": (GOOD + np.inf, r"must be finite.*Received: range \[inf"),
    "no channels": (GOOD[..., 0], r"images\[\.\.\., None\].*Received: shape \(8, 8, 8\)"),
    "one image": (GOOD[0], r"images\[None\].*Received: shape \(8, 8, 1\)"),
    "other size": (
        np.zeros((8, 9, 8, 1)),
        r"\(batch, 8, 8, 1\).*resize\(images, \(8, 8\)\), or build the networks with "
        r"image_shape=\(9, 8, 1\). Received: shape \(8, 9, 8, 1\)",
    ),
    "other channels": (
        np.zeros((8, 8, 8, 3)),
        r"Give them 1 channel, or .*image_shape=\(8, 8, 3\). Received: shape \(8, 8, 8, 3\)",
    ),
    "channels first": (np.zeros((8, 1, 8, 8)), r"transpose.*Received: shape \(8, 1, 8, 8\)"),
    "empty": (GOOD[:0], r"no images.*Received: shape \(0, 8, 8, 1\)"),
    "nothing": (None, r"no images.*Received: x=None"),
}


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
@pytest.mark.parametrize("case", BAD_IMAGES)
def test_images_that_do_not_fit(method, case):
    images, message = BAD_IMAGES[case]
    with pytest.raises(ValueError, match=f"(?s){message}"):
        getattr(mlp_gan(), method)(images)


@pytest.mark.parametrize("size", [0, -1, 2.5, "32"])
def test_batch_size(size):
    with pytest.raises(ValueError, match=f"positive integer.*Received: batch_size={size!r}"):
        mlp_gan().fit(GOOD, batch_size=size)


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_before_compile(method):
    gan = kgan.GAN(
        kgan.networks.mlp_generator((8, 8, 1), 4, 8), kgan.networks.mlp_discriminator((8, 8, 1), 8)
    )
    with pytest.raises(ValueError, match=rf"Call compile\(\) before {method}\(\).*Received:"):
        getattr(gan, method)(GOOD)


def test_networks_that_do_not_fit_each_other():
    generator = kgan.networks.mlp_generator((8, 8, 3), 4, 8)
    with pytest.raises(ValueError, match=r"Received: generator output \(None, 8, 8, 3\)"):
        kgan.GAN(generator, kgan.networks.mlp_discriminator((8, 8, 1), 8))


def test_networks_that_are_not_built():
    discriminator = kgan.networks.mlp_discriminator((8, 8, 1), 8)
    for generator in (keras.Sequential([keras.layers.Dense(64)]), "generator", None):
        with pytest.raises(ValueError, match=r"must be a built Keras model.*Received: generator="):
            kgan.GAN(generator, discriminator)


def test_one_optimizer_for_both_players():
    adam = keras.optimizers.Adam()
    with pytest.raises(ValueError, match=r"Create one for each\. Received: the same Adam object"):
        mlp_gan(generator_optimizer=adam, discriminator_optimizer=adam)


@pytest.mark.parametrize("n", [0, -3, 1.5, None])
def test_how_many_to_generate(n):
    with pytest.raises(ValueError, match=f"Received: n={n}"):
        mlp_gan().generate(n)


def test_a_discriminator_that_ends_in_a_sigmoid():
    generator = kgan.networks.mlp_generator((8, 8, 1), 4, 8)
    for last in (keras.layers.Dense(1, activation="sigmoid"), keras.layers.Activation("sigmoid")):
        layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1), last]
        with pytest.raises(ValueError, match=r"Dense\(1\) without activation.*'sigmoid'"):
            kgan.GAN(generator, keras.Sequential(layers))


def test_a_discriminator_of_several_outputs():
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    with pytest.raises(ValueError, match=r"must be 1. Received: output shape \(None, 10\)"):
        kgan.GAN(kgan.networks.mlp_generator((8, 8, 1), 4, 8), keras.Sequential(layers))


def test_arguments_of_other_keras_models():
    with pytest.raises(TypeError, match=r"generator_optimizer= and .*Received: .* optimizer"):
        mlp_gan(optimizer="adam")


def test_data_that_is_no_array():
    with pytest.raises(ValueError, match=r"numpy.stack.*Received: a list of 2 list"):
        mlp_gan().fit([[0.0], [1.0]])
    with pytest.raises(ValueError, match="Received: the string 'digits'"):
        mlp_gan().fit("digits")


def test_a_learning_rate_belongs_to_a_player():
    with pytest.raises(AttributeError, match=r"gan\.optimizer\.generator\.learning_rate"):
        _ = mlp_gan().optimizer.learning_rate
