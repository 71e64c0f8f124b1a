"""An exported file is steered in latent space as the network is."""

import numpy as np

import kgan
import kgan.export
from kgan import latent


def test_an_exported_file_is_steered_as_the_network_is(tmp_path):
    """What needs outputs alone takes a function of NumPy arrays: no framework, no network."""
    gan = kgan.ConditionalGAN(
        kgan.networks.mlp_generator((8, 8, 1), 8, 16, num_classes=3),
        kgan.networks.mlp_discriminator((8, 8, 1), 8, num_classes=3),
        num_classes=3,
    )
    gan.export(tmp_path / "generator.onnx")
    runtime = kgan.export.load(tmp_path / "generator.onnx")

    def exported(latents):
        return runtime(latents, np.full(len(latents), 2, "int32"))

    def trained(latents):
        return gan.images_of(latents, np.full(len(latents), 2, "int32"))

    def score(images):
        return images[:, :4].mean(axis=(1, 2, 3))

    np.testing.assert_allclose(
        latent.supervised(exported, score, 8, count=300),
        latent.supervised(trained, score, 8, count=300),
        atol=1e-5,
    )
    components = (latent.principal(f, 8, 3, samples=300) for f in (exported, trained))
    np.testing.assert_allclose(*components, atol=1e-4)
    way = latent.walk(gan.draw_latents(3, seed=0), steps=4, closed=True)
    np.testing.assert_allclose(exported(way), trained(way), atol=1e-5)
