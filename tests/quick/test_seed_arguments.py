"""What is not a seed is refused."""

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


@pytest.mark.parametrize("seed", [-1, 1.5, "7", True, np.int64(-1)])
def test_what_is_not_a_seed(seed):
    for make in (BUILT["mlp generator"], lambda seed: kgan.layers.jitter((8, 8), seed=seed)):
        with pytest.raises(ValueError, match=r"seed must be an integer.*Received: seed="):
            make(seed)
