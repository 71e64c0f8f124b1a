"""The networks of pix2pix and CycleGAN: any size they can do, after the papers."""

import keras
import numpy as np
import pytest

import kgan


def _name(value):
    """A name without the address of a function, which would differ between pytest's processes."""
    return getattr(value, "__name__", str(value))


L, N = keras.layers, kgan.networks


def kinds(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


def norms(network):
    return kinds(network, (kgan.layers.InstanceNormalization, L.BatchNormalization))


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


def cyclegan_parameters(width, blocks, channels=3):
    """The same for CycleGAN's generator."""
    outer = 2 * 49 * channels * width + channels
    half = 2 * 9 * (2 * width**2 + 8 * width**2)
    residual = 2 * blocks * 9 * (4 * width) ** 2
    return outer + half + residual + 2 * cyclegan_norms(width, blocks)


def cyclegan_norms(width, blocks):
    """How many channels are normalised."""
    return 2 * (width + 2 * width) + 4 * width + 2 * blocks * 4 * width


def test_parameters_are_those_of_the_papers():
    """The authors' PyTorch code counts 54.414, 11.378 and 2.769 million.

    It leaves out 576 biases of layers without norm in the U-Net, and has a bias where here are a
    scale and a shift in CycleGAN's 5,248 normalised channels.
    """
    shallow = N.unet_generator((32, 32, 3), width=2)
    assert shallow.count_params() == unet_parameters(2, depth=5)
    assert unet_parameters(64) == 54_413_955 + 576
    small = N.cyclegan_generator((8, 8, 3), width=2, blocks=2)
    assert small.count_params() == cyclegan_parameters(2, 2)
    assert cyclegan_parameters(64, 9) == 11_378_179 + cyclegan_norms(64, 9) == 11_383_427
    assert N.patch_discriminator((256, 256, 6)).count_params() == 2_768_705


@pytest.mark.parametrize(
    ("make", "shape", "options", "nearest"),
    [
        (N.unet_generator, (13, 20, 1), {}, (14, 20)),
        (N.unet_generator, (100, 90, 3), {"depth": 5}, (96, 96)),
        (N.unet_generator, (6, 8, 3), {"depth": 4}, (16, 16)),
        (N.cyclegan_generator, (30, 101, 3), {"blocks": 1}, (32, 100)),
        (N.cyclegan_generator, (4, 12, 3), {"blocks": 1}, (8, 12)),
    ],
    ids=_name,
)
def test_a_size_it_cannot_do_names_the_nearest_it_can(make, shape, options, nearest):
    message = rf"nearest size is \({nearest[0]}, {nearest[1]}\).*Received: image_shape=\({shape[0]}"
    with pytest.raises(ValueError, match=message):
        make(shape, width=2, **options)
    assert make((*nearest, shape[2]), width=2, **options).output_shape[1:3] == nearest


@pytest.mark.parametrize(
    ("shape", "depth"), [((128, 96, 1), 5), ((512, 512, 1), 8), ((6, 22, 1), 1)]
)
def test_a_unet_halves_as_often_as_the_size_allows(shape, depth):
    assert len(kinds(N.unet_generator(shape, width=1), L.Conv2D)) == depth


@pytest.mark.parametrize(
    ("shape", "nearest"),
    [((66, 66, 1), (64, 64)), ((50, 100, 3), (48, 104)), ((34, 20, 2), (36, 20))],
)
def test_a_shallow_unet_is_told_of_with_the_nearest_size_that_makes_a_deep_one(shape, nearest):
    with pytest.warns(UserWarning, match=rf"only.*to \({nearest[0]}, {nearest[1]}\).*Received"):
        shallow = N.unet_generator(shape, width=1)
    assert N.unet_generator(shape, width=1, depth=1).layers  # it is meant
    deep = N.unet_generator((*nearest, shape[2]), width=1)
    assert len(kinds(deep, L.Conv2D)) > len(kinds(shallow, L.Conv2D))


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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: N.unet_generator((8, 8)), r"Received: image_shape=\(8, 8\)"),
        (lambda: N.unet_generator((8, 8, 1), output_channels=0), "Received: output_channels=0"),
        (lambda: N.unet_generator((8, 8, 1), depth=0), "Received: depth=0"),
        (lambda: N.unet_generator((64, 96, 1), depth=8), "multiples of 256.*or take depth=5"),
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
