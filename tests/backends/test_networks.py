"""Networks of any size, after the papers' rules."""

import numpy as np
import pytest

import kgan

SHAPES = [(28, 28, 1), (64, 64, 3), (8, 8, 1), (33, 20, 3), (5, 50, 4), (1, 1, 1), (3, 3, 2)]


@pytest.mark.parametrize("family", ["mlp", "dcgan", "resnet"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_any_size_trains(family, shape):
    generator = getattr(kgan.networks, f"{family}_generator")(shape, latent_dim=7, width=4)
    discriminator = getattr(kgan.networks, f"{family}_discriminator")(shape, width=4)
    assert generator.output_shape == (None, *shape)
    assert discriminator.output_shape == (None, 1)
    assert (generator.inputs[0].name, generator.output_names) == ("latent", ["image"])
    gan = kgan.GAN(generator, discriminator)
    gan.compile(run_eagerly=True)
    logs = gan.train_on_batch(np.zeros((4, *shape), "float32"), return_dict=True)
    assert np.isfinite(list(logs.values())).all()
    images = gan.generate(3, seed=0)
    assert images.shape == (3, *shape)
    assert np.abs(images).max() <= 1
