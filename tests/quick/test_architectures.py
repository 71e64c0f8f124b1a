"""Networks after the papers' rules."""

import keras
import numpy as np
import pytest

import kgan


def kinds(network, *types):
    return [layer for layer in network.layers if isinstance(layer, types)]


def test_dcgan_follows_the_rules_of_the_paper():
    generator = kgan.networks.dcgan_generator((64, 64, 3))
    discriminator = kgan.networks.dcgan_discriminator((64, 64, 3))
    layers = keras.layers
    pooling = (layers.MaxPooling2D, layers.AveragePooling2D, layers.UpSampling2D)
    assert not kinds(generator, *pooling) and not kinds(discriminator, *pooling)
    upward = kinds(generator, layers.Conv2DTranspose)
    downward = kinds(discriminator, layers.Conv2D)
    assert [layer.filters for layer in upward] == [256, 128, 64, 3]
    assert [layer.filters for layer in downward] == [64, 128, 256, 512]
    assert all(layer.strides == (2, 2) for layer in upward + downward)
    # Batch norm on every layer but the generator's output and the discriminator's input.
    assert len(kinds(generator, layers.BatchNormalization)) == 4
    assert len(kinds(discriminator, layers.BatchNormalization)) == 3
    assert isinstance(discriminator.layers[2], layers.LeakyReLU)
    assert len(kinds(generator, layers.ReLU)) == 4
    assert generator.layers[-1].activation is keras.activations.tanh
    # One dense layer in each, none of them hidden.
    assert len(kinds(generator, layers.Dense)) == len(kinds(discriminator, layers.Dense)) == 1
    assert np.std(upward[0].get_weights()[0]) == pytest.approx(0.02, rel=0.02)


def test_width_scales_every_layer():
    narrow, wide = (kgan.networks.dcgan_discriminator((32, 32, 3), width=w) for w in (8, 16))
    filters = [[c.filters for c in kinds(n, keras.layers.Conv2D)] for n in (narrow, wide)]
    assert filters == [[8, 16, 32], [16, 32, 64]]


@pytest.mark.parametrize("make", [kgan.networks.dcgan_generator, kgan.networks.mlp_generator])
@pytest.mark.parametrize(
    ("arguments", "received"),
    [
        ({"image_shape": (28, 28)}, r"image_shape=\(28, 28\)"),
        ({"image_shape": (0, 28, 1)}, r"image_shape=\(0, 28, 1\)"),
        ({"image_shape": (28, 28.5, 1)}, r"image_shape=\(28, 28.5, 1\)"),
        ({"latent_dim": 0}, "latent_dim=0"),
        ({"width": -1}, "width=-1"),
    ],
    ids=str,
)
def test_sizes_that_make_no_network(make, arguments, received):
    with pytest.raises(ValueError, match=f"positive integer.*Received: {received}"):
        make(**arguments)
