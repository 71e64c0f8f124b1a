"""The networks of pix2pix and CycleGAN: any size they can do, after the papers."""

import keras
import numpy as np
import pytest
from keras import ops

import kgan
from kgan import backend

L, N = keras.layers, kgan.networks


def kinds(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


def norms(network):
    return kinds(network, (kgan.layers.InstanceNormalization, L.BatchNormalization))


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def call(network, x, **options):
    return ops.convert_to_numpy(network(x, **options))


GENERATORS = {
    "unet": (N.unet_generator, {"width": 3}),
    "unet, batch norm": (N.unet_generator, {"width": 3, "normalization": "batch"}),
    "unet, no norm": (N.unet_generator, {"width": 3, "normalization": None, "dropout": 0}),
    "cyclegan": (N.cyclegan_generator, {"width": 3, "blocks": 1}),
}


@pytest.mark.parametrize("family", GENERATORS)
@pytest.mark.parametrize(
    ("shape", "channels"), [((8, 8, 1), None), ((24, 8, 3), 1), ((12, 20, 2), 4)], ids=str
)
def test_any_size_and_channels_train(family, shape, channels):
    make, options = GENERATORS[family]
    network = make(shape, channels, **options)
    assert (network.inputs[0].name, network.output_names) == ("image", ["translated_image"])
    assert network.output_shape == (None, *shape[:2], channels or shape[2])
    x = noise(2, *shape)
    y = call(network, x)
    assert np.abs(y).max() < 1
    before = [np.array(weight.numpy()) for weight in network.trainable_weights]
    network.compile(keras.optimizers.SGD(1.0), "mse", run_eagerly=True)
    assert np.isfinite(network.train_on_batch(x, np.ones_like(y)))
    # Every weight has its part, to the innermost.
    after = [weight.numpy() for weight in network.trainable_weights]
    assert not any(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_unet_follows_the_paper():
    network = N.unet_generator(width=2)
    down, up = kinds(network, L.Conv2D), kinds(network, L.Conv2DTranspose)
    assert [layer.filters for layer in down] == [2, 4, 8, 16, 16, 16, 16, 16]
    assert [layer.filters for layer in up] == [16, 16, 16, 16, 8, 4, 2, 3]
    assert all(each.kernel_size == (4, 4) and each.strides == (2, 2) for each in down + up)
    assert down[-1].output.shape == (None, 1, 1, 16)
    # None in the first layer and the innermost, where an instance norm would leave nothing.
    assert [layer for layer in down if layer.use_bias] == [down[0], down[-1]]
    assert [layer for layer in up if layer.use_bias] == [up[-1]]
    assert len(norms(network)) == 6 + 7
    assert [layer.input.shape[1] for layer in kinds(network, L.Dropout)] == [2, 4, 8]
    assert [layer.output.shape[3] for layer in kinds(network, L.Concatenate)] == [
        *[2 * 16] * 4,
        *[2 * 8, 2 * 4, 2 * 2],
    ]
    assert all(layer.negative_slope == 0.2 for layer in kinds(network, L.LeakyReLU))
    assert np.std(up[1].kernel.numpy()) == pytest.approx(0.02, rel=0.1)


def unet_parameters(width, channels=3, depth=8):
    """Counted by hand from the paper: kernels of 4 x 4, two weights a normalised channel."""
    filters = [width * min(2**step, 8) for step in range(depth)]
    down = sum(16 * a * b for a, b in zip([channels, *filters], filters, strict=False))
    # The map below comes with its skip, except from the innermost.
    below = [filters[-1], *(2 * each for each in reversed(filters[:-1]))]
    above = [*reversed(filters[:-1]), channels]
    up = sum(16 * a * b for a, b in zip(below, above, strict=True))
    biases = filters[0] + filters[-1] + channels
    return down + up + biases + 2 * sum(filters[1:-1]) + 2 * sum(filters[:-1])


def test_parameters_are_those_of_the_papers():
    """The authors' PyTorch code counts 54.414, 11.378 and 2.769 million.

    It leaves out 576 biases of layers without norm in the U-Net, and has a bias where here are a
    scale and a shift in CycleGAN's 5,248 normalised channels.
    """
    assert N.unet_generator(width=4).count_params() == unet_parameters(4)
    assert unet_parameters(64) == 54_413_955 + 576
    assert N.cyclegan_generator().count_params() == 11_378_179 + 5_248
    assert N.patch_discriminator((256, 256, 6)).count_params() == 2_768_705


def test_a_bottleneck_of_one_pixel_has_its_part():
    """Were it normalised, it would be 0 whatever the image."""
    network = N.unet_generator((16, 16, 1), width=4)
    inside = keras.Model(network.input, kinds(network, L.Conv2D)[-1].output)
    a, b = call(inside, noise(2, 16, 16, 1))
    assert a.shape == (1, 1, 32)
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


@pytest.mark.parametrize(
    ("make", "shape", "options", "nearest"),
    [
        (N.unet_generator, (33, 20, 1), {}, (34, 20)),
        (N.unet_generator, (100, 90, 3), {"depth": 5}, (96, 96)),
        (N.unet_generator, (8, 8, 3), {"depth": 4}, (16, 16)),
        (N.cyclegan_generator, (30, 101, 3), {"blocks": 1}, (32, 100)),
        (N.cyclegan_generator, (4, 12, 3), {"blocks": 1}, (8, 12)),
    ],
    ids=str,
)
def test_a_size_it_cannot_do_names_the_nearest_it_can(make, shape, options, nearest):
    message = rf"nearest size is \({nearest[0]}, {nearest[1]}\).*Received: image_shape=\({shape[0]}"
    with pytest.raises(ValueError, match=message):
        make(shape, width=2, **options)
    network = make((*nearest, shape[2]), width=2, **options)
    assert np.isfinite(call(network, noise(1, *nearest, shape[2]))).all()


@pytest.mark.parametrize(
    ("shape", "depth"), [((128, 96, 1), 5), ((512, 512, 1), 8), ((64, 128, 1), 6), ((6, 9, 1), 1)]
)
def test_a_unet_halves_as_often_as_the_size_allows(shape, depth):
    even = tuple(size - size % 2 for size in shape[:2])
    assert len(kinds(N.unet_generator((*even, 1), width=1), L.Conv2D)) == depth


def test_cyclegan_follows_the_paper():
    network = N.cyclegan_generator((16, 16, 3), width=2)
    convolutions = kinds(network, (L.Conv2D, L.Conv2DTranspose))
    assert [layer.filters for layer in convolutions] == [2, 4, 8, *[8] * 12, 4, 2, 3]
    assert [layer.kernel_size[0] for layer in convolutions] == [7, *[3] * 16, 7]
    assert [layer.strides[0] for layer in convolutions] == [1, 2, 2, *[1] * 12, 2, 2, 1]
    mirrored = [each.padding[0] for each in kinds(network, kgan.layers.ReflectionPadding2D)]
    assert mirrored == [3, *[1] * 12, 3]
    assert [layer for layer in convolutions if layer.use_bias] == [convolutions[-1]]
    assert len(norms(network)) == 17
    assert len(kinds(network, L.ReLU)) == 11


@pytest.mark.parametrize(
    ("shape", "blocks"), [((128, 128, 1), 6), ((64, 132, 1), 9), ((256, 256, 1), 9)]
)
def test_cyclegan_has_more_blocks_for_larger_images(shape, blocks):
    assert len(kinds(N.cyclegan_generator(shape, width=1), L.Add)) == blocks


FIELDS = [1, 16, 34, 70, 142, 286]


@pytest.mark.parametrize("field", FIELDS)
def test_the_receptive_field_follows_from_the_layers(field):
    network = N.patch_discriminator((40, 24, 2), width=2, receptive_field=field)
    seen = 1
    for layer in reversed(kinds(network, L.Conv2D)):
        seen = (seen - 1) * layer.strides[0] + layer.kernel_size[0]
    assert seen == field
    stride = max(1, (field + 2) // 9)  # 70: 8, 34: 4, 16: 2
    assert network.output_shape == (None, -(-40 // stride), -(-24 // stride), 1)


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


@pytest.mark.parametrize("normalization", ["instance", "batch", None])
@pytest.mark.parametrize("spectral", [False, True])
@pytest.mark.parametrize("field", [*FIELDS[::2], None])
def test_patch_discriminators_judge_any_size(field, normalization, spectral):
    network = N.patch_discriminator((9, 14, 2), 2, field, normalization, spectral)
    x = noise(3, 9, 14, 2)
    logits = call(network, x)
    assert logits.dtype == "float32"
    assert network.inputs[0].name == "image"
    if field is None:
        assert logits.shape == (3, 1)
    # It is one that tells images apart.
    assert np.abs(logits[0] - logits[1]).max() > 1e-9
    expected = 0 if normalization is None else {1: 1, 34: 2, 142: 2, None: 0}[field]
    assert len(norms(network)) == expected
    plain = kinds(network, (L.Conv2D, L.Dense))
    wrapped = kinds(network, kgan.layers.SpectralNormalization)
    assert (not plain, bool(wrapped)) == (spectral, spectral)


def test_mixed_precision_ends_in_float32():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        networks = [
            N.unet_generator((8, 8, 1), width=2),
            N.cyclegan_generator((8, 8, 1), width=2, blocks=1),
            N.patch_discriminator((8, 8, 1), width=2),
            N.patch_discriminator((8, 8, 1), width=2, receptive_field=None, spectral=True),
        ]
    finally:
        keras.config.set_dtype_policy("float32")
    for network in networks:
        assert network.layers[1].compute_dtype == "float16"
        y = call(network, noise(2, 8, 8, 1))
        assert y.dtype == "float32"
        assert np.isfinite(y).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: N.unet_generator((8, 8)), r"Received: image_shape=\(8, 8\)"),
        (lambda: N.unet_generator((8, 8, 1), output_channels=0), "Received: output_channels=0"),
        (lambda: N.unet_generator((8, 8, 1), depth=0), "Received: depth=0"),
        (lambda: N.unet_generator((8, 8, 1), dropout=1), "Received: dropout=1"),
        (lambda: N.unet_generator((8, 8, 1), normalization="layer"), "normalization='layer'"),
        (lambda: N.cyclegan_generator((8, 8, 1), blocks=-1), "Received: blocks=-1"),
        (lambda: N.patch_discriminator((8, 8, 1), normalization=True), "normalization=True"),
        (
            lambda: N.patch_discriminator((8, 8, 1), receptive_field=64),
            "1, 16, 34, 70, 142, 286 .*Received: receptive_field=64",
        ),
    ],
)
def test_what_makes_no_network(make, message):
    with pytest.raises(ValueError, match=message):
        make()
