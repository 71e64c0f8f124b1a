"""A GAN trained on this backend ships its generator: the file gives the same images."""

import json

import keras
import numpy as np
import onnxruntime
import pytest
from factory import dcgan, mlp_gan

import kgan.export


@pytest.mark.parametrize("make", [mlp_gan, dcgan])
def test_a_trained_generator_equals_its_onnx_file(make, images, tmp_path, capsys):
    gan = make(generator_optimizer=keras.optimizers.Adam(1e-2))
    gan.fit(images, batch_size=16, epochs=5, verbose=0)
    report = gan.export(tmp_path / "generator.onnx")
    (artefact,) = report.artefacts
    assert artefact.verdict == "passed"
    assert 0 < artefact.max_abs_error <= 1e-5
    with capsys.disabled():
        print(f"\n{make.__name__}: largest difference from Keras {artefact.max_abs_error:.1e}")

    session = onnxruntime.InferenceSession(tmp_path / "generator.onnx")
    (latent,), (image,) = session.get_inputs(), session.get_outputs()
    assert (latent.name, latent.shape) == ("latent", ["batch", 4])
    assert (image.name, image.shape) == ("image", ["batch", 8, 8, 1])
    latents = np.random.default_rng(9).standard_normal((33, 4)).astype("float32")
    (exported,) = session.run(None, {"latent": latents})
    np.testing.assert_allclose(exported, gan.predict(latents, verbose=0), atol=1e-5)

    # The README's way to the images of `generate`, without kgan.
    latents = np.random.default_rng(0).standard_normal((16, 4), dtype="float32")
    (exported,) = session.run(["image"], {"latent": latents})
    np.testing.assert_allclose(exported, gan.generate(16, seed=0), atol=1e-5)

    written = json.loads((tmp_path / "export_report.json").read_text())
    assert written["artefacts"][0]["training_backend"] == keras.backend.backend()
    assert kgan.export.verify(tmp_path / "generator.onnx").passed


def test_export_by_a_name_that_no_format_has(tmp_path):
    with pytest.raises(ValueError, match=r"\.onnx.*Received: path="):
        mlp_gan().export(tmp_path / "generator.pkl")
    assert not list(tmp_path.iterdir())
