"""Paths, arithmetic and directions in latent space, against formulas and known generators."""

import keras
import numpy as np

import kgan
import kgan.export
from kgan import latent

RNG = np.random.default_rng(0)


def test_a_score_rises_along_its_direction_in_a_generator_that_is_not_linear():
    generator = kgan.networks.mlp_generator((8, 8, 1), 16, 32)

    def score(images):
        return images[:, :4].mean(axis=(1, 2, 3))

    direction = latent.supervised(lambda z: generator.predict(z, verbose=0), score, 16)
    start = RNG.normal(size=(50, 16)).astype("float32")
    scores = [
        score(generator.predict(start + k * direction, verbose=0)).mean() for k in range(-2, 3)
    ]
    assert (np.diff(scores) > 0).all()


def test_sefa_finds_what_moves_the_first_layer_most():
    generator = kgan.networks.mlp_generator((8, 8, 1), 16, 32, num_classes=3)
    directions = latent.sefa(generator, 16)
    np.testing.assert_allclose(directions @ directions.T, np.eye(16), atol=1e-5)
    dense = next(layer for layer in generator.layers if isinstance(layer, keras.layers.Dense))
    kernel = np.array(dense.kernel.numpy())[:16]
    _, values, _ = np.linalg.svd(kernel)
    np.testing.assert_allclose(np.linalg.norm(directions @ kernel, axis=1), values, rtol=1e-4)
