"""A conditional GAN trained on this backend ships its generator, for every label."""

import json

import keras
import numpy as np
import onnxruntime
import pytest
from factory import acgan, conditional

IMAGES = np.tanh(np.random.default_rng(0).normal(size=(48, 8, 8, 1))).astype("float32")
LABELS = np.arange(48) % 3
FIT = {"batch_size": 16, "verbose": 0}


# The rest once: a conversion starts TensorFlow.
NAMES = ["conditional batch norm"]
if keras.backend.backend() == "torch":
    NAMES += ["plane", "acgan"]


@pytest.mark.parametrize("name", NAMES)
def test_the_artefact_equals_keras_for_every_label(name, tmp_path, capsys):
    options = {"generator_optimizer": keras.optimizers.Adam(1e-2), "ema": 0.5}
    gan = acgan(**options) if name == "acgan" else conditional(name, **options)
    gan.fit(IMAGES, LABELS, epochs=5, **FIT)
    (artefact,) = gan.export(tmp_path / "generator.onnx").artefacts
    assert 0 < artefact.max_abs_error <= 1e-5
    with capsys.disabled():
        print(f"\n{name}: largest difference from Keras {artefact.max_abs_error:.1e}")
    with np.load(tmp_path / "generator.onnx.samples.npz") as samples:
        tried = np.concatenate([samples[k] for k in samples.files if k.endswith("inputs.label")])
    assert set(tried.tolist()) == {0, 1, 2}

    session = onnxruntime.InferenceSession(tmp_path / "generator.onnx")
    assert [x.name for x in session.get_inputs()] == ["latent", "label"]
    properties = session.get_modelmeta().custom_metadata_map
    assert json.loads(properties["num_classes"]) == 3
    if gan.class_names:
        assert json.loads(properties["class_names"]) == gan.class_names
    latents, labels = gan.draw_latents(5, seed=3), np.arange(3, dtype="int32")
    images = [
        session.run(["image"], {"latent": latents, "label": np.repeat(label, 5)})[0]
        for label in labels
    ]
    expected = [gan.generate(5, label, seed=3) for label in labels]
    np.testing.assert_allclose(images, expected, rtol=0, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 1e-3  # a file that ignored the label would fail
