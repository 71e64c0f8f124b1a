"""Messages say what to do where one is: about frozen networks, optimizers, labels, dictionaries."""

import pathlib

import keras
import numpy as np
import pytest
from factory import conditional, mlp_gan

import kgan
from kgan.utils import advice


def test_one_optimizer_within_two_loss_scales():
    adam = keras.optimizers.Adam()
    scaled = [keras.optimizers.LossScaleOptimizer(adam) for _ in range(2)]
    with pytest.raises(ValueError, match=r"Create one for each\. Received: "):
        mlp_gan(generator_optimizer=scaled[0], discriminator_optimizer=scaled[1])


def test_one_learning_rate_for_both():
    with pytest.raises(AttributeError, match=r"gan\.optimizer\.generator.*Received: .* = 0.001"):
        mlp_gan().optimizer.learning_rate = 0.001


def test_an_angle_is_not_told_to_become_an_integer(images):
    angles = np.linspace(0, 1, 16, endpoint=False)
    with pytest.raises(ValueError, match=r"have fractions.*digitize.*Received: .*from 0.0") as told:
        conditional().fit(images[:16], angles)
    assert "astype" not in str(told.value)
    with pytest.raises(ValueError, match=r"astype\('int32'\).*Received: dtype float64"):
        conditional().fit(images[:16], np.zeros(16))


def test_one_network_for_both_players():
    layers = [keras.Input((1,)), keras.layers.Dense(1)]
    network = keras.Sequential(layers)
    with pytest.raises(ValueError, match=r"Received: the same network as generator and disc"):
        kgan.GAN(network, network)


@pytest.mark.parametrize("names", [["a", "a", "b"], "abc", ["a", "b", None], [1, 2], {"a": 1}])
def test_names_of_classes(names):
    gan = conditional()
    with pytest.raises(ValueError, match=r"class_names must name each.*Received: class_names="):
        kgan.ConditionalGAN(gan.generator, gan.discriminator, 3, class_names=names)


def test_images_that_teach_nothing_are_told_of(images):
    with pytest.warns(UserWarning, match=r"of one value.*Received: 32 images of 0\.5"):
        mlp_gan().fit(np.full((32, 8, 8, 1), 0.5, "float32"), verbose=0)
    with pytest.warns(UserWarning, match=r"images \* 2 - 1"):
        mlp_gan().fit(images[:4] / 4 + 0.5, verbose=0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: kgan.losses.get("wgan"),
        lambda: conditional().fit(np.zeros((4, 8, 8, 1), "float32"), np.full(4, 0.5)),
        lambda: conditional().fit(np.zeros((4, 8, 8, 1), "float32"), np.zeros(4)),
        lambda: conditional().fit(np.zeros((4, 8, 8, 1), "float32"), np.zeros((4, 3))),
        lambda: conditional().fit(np.zeros((4, 8, 8, 1), "float32"), np.eye(3, dtype=int)[[0] * 4]),
        lambda: mlp_gan().fit(np.zeros((4, 9, 9, 1), "float32")),
        lambda: mlp_gan().fit(np.zeros((4, 8, 8, 1), "uint8")),
        lambda: mlp_gan().fit(np.full((4, 8, 8, 1), np.nan, "float32")),
        lambda: mlp_gan().fit(np.full((4, 8, 8, 1), 9.0, "float32")),
        lambda: kgan.data.files.the_size({(n, n): [pathlib.Path("a.png")] for n in (8, 9)}),
    ],
    ids=["loss", "angle", "floats", "rows", "one-hot", "size", "pixels", "nan", "range", "sizes"],
)
def test_a_shell_is_not_advised_python(call):
    code = ("numpy", ".astype", "argmax", "np.", "kgan.", "127.5", "fit(", "=(", "map(")
    with pytest.raises(ValueError, match="Received: ") as in_python:
        call()
    assert any(word in str(in_python.value) for word in code)
    with advice.speaking_shell(), pytest.raises(ValueError, match="Received: ") as in_shell:
        call()
    said = str(in_shell.value)
    assert not any(word in said for word in code), said
