"""The networks of pix2pix and CycleGAN compute what they should."""

import keras
import numpy as np
import pytest
from keras import ops

import kgan
from kgan import backend


def _name(value):
    """A name without the address of a function, which would differ between pytest's processes."""
    return getattr(value, "__name__", str(value))


L, N = keras.layers, kgan.networks


def kinds(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


def norms(network):
    return kinds(network, (kgan.layers.InstanceNormalization, L.BatchNormalization))


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def call(network, x, **options):
    return ops.convert_to_numpy(network(x, **options))


@pytest.mark.parametrize(
    ("make", "shape", "channels", "options"),
    [
        (N.unet_generator, (24, 8, 3), 1, {}),
        (N.unet_generator, (8, 8, 1), None, {"normalization": "batch"}),
        (N.unet_generator, (12, 20, 2), 4, {"normalization": None, "dropout": 0}),
        (N.cyclegan_generator, (8, 8, 1), None, {"blocks": 1}),
        (N.cyclegan_generator, (12, 20, 2), 4, {"blocks": 1}),
    ],
    ids=_name,
)
def test_any_size_and_channels_train(make, shape, channels, options):
    network = make(shape, channels, width=3, **options)
    assert (network.inputs[0].name, network.output_names) == ("image", ["translated_image"])
    assert network.output_shape == (None, *shape[:2], channels or shape[2])
    x = noise(2, *shape)
    before = [np.array(weight.numpy()) for weight in network.trainable_weights]
    network.compile(keras.optimizers.SGD(1.0), "mse")
    target = np.ones((2, *network.output_shape[1:]), "float32")
    assert np.isfinite(network.train_on_batch(x, target))
    # Every weight has its part, to the innermost.
    after = [weight.numpy() for weight in network.trainable_weights]
    assert not any(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert np.abs(network.predict_on_batch(x)).max() <= 1


def test_a_bottleneck_of_one_pixel_has_its_part():
    """Were it normalised, it would be 0 whatever the image."""
    network = N.unet_generator((8, 8, 1), width=4)
    inside = keras.Model(network.input, kinds(network, L.Conv2D)[-1].output)
    a, b = call(inside, noise(2, 8, 8, 1))
    assert a.shape == (1, 1, 16)
    assert np.abs(a - b).max() > 1e-6


def test_dropout_is_noise_in_training_alone():
    network = N.unet_generator((16, 16, 1), width=4)
    for layer in kinds(network, (L.Conv2D, L.Conv2DTranspose)):
        layer.kernel.assign(10 * layer.kernel.numpy())
    x = noise(1, 16, 16, 1)
    noisy = [call(network, x, training=True) for _ in range(2)]
    assert np.abs(noisy[0] - noisy[1]).max() > 1e-3
    assert np.array_equal(call(network, x), call(network, x, training=False))
    # Without a seed the noise would come from what no model saves, and with one for all every
    # block would drop the same.
    assert [layer.seed for layer in kinds(network, L.Dropout)] == [0, 1, 2]


@pytest.mark.parametrize("field", [1, 16, 34, 70])
def test_a_logit_sees_its_patch_and_nothing_else(field):
    size = 2 * field + 16
    network = N.patch_discriminator((size, size, 1), 1, field, normalization=None)
    gan = kgan.GAN(N.mlp_generator((size, size, 1), 1, 1), network)
    gan.compile()
    middle = network.output_shape[1] // 2

    def logit(x):
        return network(x)[:, middle, middle]

    gradient = backend.input_gradient(gan, logit, ops.convert_to_tensor(noise(1, size, size, 1)))
    rows, columns = ops.convert_to_numpy(gradient)[0, :, :, 0].nonzero()
    for seen in (rows, columns):
        assert seen.max() - seen.min() + 1 == field
    assert len(rows) == field**2


@pytest.mark.parametrize(
    ("field", "normalization", "spectral", "normed"),
    [
        (1, "instance", False, 1),
        (16, "batch", True, 1),
        (34, None, False, 0),
        # Of 9 x 14 pixels one is left before the last two layers, which are not normalised.
        (142, "instance", True, 2),
        (286, "batch", False, 2),
        (None, "instance", False, 0),
        (None, None, True, 0),
    ],
)
def test_patch_discriminators_judge_any_size(field, normalization, spectral, normed):
    network = N.patch_discriminator((9, 14, 2), 2, field, normalization, spectral)
    logits = call(network, noise(3, 9, 14, 2))
    assert logits.dtype == "float32"
    assert network.inputs[0].name == "image"
    assert (logits.shape == (3, 1)) == (field is None)
    # It is one that tells images apart.
    assert np.abs(logits[0] - logits[1]).max() > 1e-3 * np.abs(logits).max()
    assert len(norms(network)) == normed
    plain = kinds(network, (L.Conv2D, L.Dense))
    wrapped = kinds(network, kgan.layers.SpectralNormalization)
    assert (not plain, bool(wrapped)) == (spectral, spectral)


def test_mixed_precision_ends_in_float32():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        networks = [
            N.unet_generator((8, 8, 1), width=2, depth=2),
            N.patch_discriminator((8, 8, 1), width=2, receptive_field=16),
            N.patch_discriminator((8, 8, 1), width=2, receptive_field=None, spectral=True),
        ]
    finally:
        keras.config.set_dtype_policy("float32")
    for network in networks:
        assert network.layers[1].compute_dtype == "float16"
        y = call(network, noise(2, 8, 8, 1))
        assert y.dtype == "float32"
        assert np.isfinite(y).all()
