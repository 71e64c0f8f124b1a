"""One seed for networks and model makes a run that can be repeated bit for bit."""

import random

import keras
import numpy as np
import pytest

import kgan
from kgan import networks

SHAPE = (8, 8, 1)
BUILT = {
    "mlp generator": lambda seed: networks.mlp_generator(SHAPE, 4, 8, seed=seed),
    "mlp discriminator": lambda seed: networks.mlp_discriminator(SHAPE, 8, seed=seed),
    "dcgan generator": lambda seed: networks.dcgan_generator(SHAPE, 4, 4, seed=seed),
    "dcgan discriminator": lambda seed: networks.dcgan_discriminator(SHAPE, 4, seed=seed),
    "resnet generator": lambda seed: networks.resnet_generator(SHAPE, 4, 4, 3, seed=seed),
    "resnet discriminator": lambda seed: networks.resnet_discriminator(
        SHAPE, 4, num_classes=3, seed=seed
    ),
    "told of classes": lambda seed: networks.dcgan_discriminator(
        SHAPE, 4, num_classes=3, seed=seed
    ),
    "unet": lambda seed: networks.unet_generator(SHAPE, width=4, seed=seed),
    "cyclegan": lambda seed: networks.cyclegan_generator(SHAPE, 1, 4, 1, seed=seed),
    "patches": lambda seed: networks.patch_discriminator(SHAPE, 4, 16, spectral=True, seed=seed),
}


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("name", BUILT)
def test_weights_follow_from_the_seed_alone(name):
    keras.utils.set_random_seed(1)
    before = random.getstate()
    first = BUILT[name](7).get_weights()
    assert random.getstate() == before  # what others draw is not disturbed
    keras.utils.set_random_seed(2)
    assert same(first, BUILT[name](7).get_weights())
    assert not same(first, BUILT[name](8).get_weights())
    assert not same(first, BUILT[name](None).get_weights())


@pytest.mark.parametrize("name", BUILT)
def test_without_a_seed_the_global_one_decides(name):
    keras.utils.set_random_seed(1)
    first = BUILT[name](None).get_weights()
    assert not same(first, BUILT[name](None).get_weights())
    keras.utils.set_random_seed(1)
    assert same(first, BUILT[name](None).get_weights())


def test_a_generator_and_a_discriminator_of_one_seed_share_no_numbers():
    kernels = [
        BUILT[name](7).get_weights()[0].ravel() for name in ("mlp generator", "mlp discriminator")
    ]
    shared = np.intersect1d(*(np.round(kernel / kernel.std(), 4) for kernel in kernels))
    assert len(shared) < min(map(len, kernels)) / 2


def gan(seed):
    model = kgan.GAN(
        networks.dcgan_generator(SHAPE, 4, 4, seed=seed),
        networks.dcgan_discriminator(SHAPE, 4, batch_norm=False, seed=seed),
        seed=seed,
    )
    model.compile(
        penalties=[kgan.penalties.GradientPenalty()],
        augmentations=[kgan.augmentations.DiffAugment(), kgan.augmentations.InstanceNoise()],
        run_eagerly=True,
    )
    return model


def pix2pix(seed):
    model = kgan.Pix2Pix(
        networks.unet_generator(SHAPE, width=4, seed=seed),
        networks.patch_discriminator((8, 8, 2), 4, 16, seed=seed),
        jitter=kgan.layers.jitter((8, 8), seed=seed),
        seed=seed,
    )
    model.compile(run_eagerly=True)  # no compiler: it takes longer than these steps
    return model


def cyclegan(seed):
    model = kgan.CycleGAN(
        *(networks.cyclegan_generator(SHAPE, 1, 4, 1, seed=seed + i) for i in range(2)),
        *(networks.patch_discriminator(SHAPE, 4, 16, seed=seed + i) for i in range(2)),
        pool_size=4,
        jitter=kgan.layers.jitter((8, 8), seed=seed),
        seed=seed,
    )
    model.compile(run_eagerly=True)  # no compiler: it takes longer than these steps
    return model


@pytest.mark.parametrize("make", [gan, pix2pix, cyclegan])
def test_a_run_follows_from_its_seed(make, images):
    data = (images[:8],) if make is gan else (images[:8], images[8:16])

    def run(seed, world):
        keras.utils.set_random_seed(world)
        model = make(seed)
        model.fit(*data, batch_size=4, verbose=0)
        return [weight for each in model.generators for weight in each.get_weights()]

    first = run(7, world=1)
    assert same(first, run(7, world=2))
    if make is gan:
        assert not same(first, run(8, world=1))
