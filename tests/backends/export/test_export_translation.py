"""A translator trained on this backend ships its generator: the file translates as it does."""

import keras
import numpy as np
import pytest
from factory import cyclegan, pix2pix

import kgan


def smooth(count, seed=0):
    """Colour images that a network of a few filters can tell apart."""
    rng = np.random.default_rng(seed)
    rows = np.linspace(0, 2, 8)[:, None] + np.linspace(0, 2, 8)
    phases = rng.uniform(0, 2 * np.pi, (count, 1, 1, 3))
    return np.sin(rows[..., None] + phases).astype("float32")


A, B = smooth(12), smooth(9, seed=1) / 2
GREY = A.mean(-1, keepdims=True)
QUIET = {"verbose": 0, "batch_size": 4}


# The rest once: a conversion starts TensorFlow.
TRANSLATORS = [(cyclegan, {"direction": "ba"})]
if keras.backend.backend() == "torch":
    TRANSLATORS.append((pix2pix, {}))


@pytest.mark.parametrize(("make", "options"), TRANSLATORS)
def test_the_artefact_translates_as_keras_does(make, options, tmp_path):
    gan = make()
    gan.fit(A, GREY if make is pix2pix else B, **QUIET)
    (artefact,) = gan.export(tmp_path / "generator.onnx", **options).artefacts
    assert artefact.max_abs_error <= 1e-4
    run = kgan.export.load(tmp_path / "generator.onnx")
    assert [tensor.name for tensor in run.inputs] == ["image"]
    assert [tensor.name for tensor in run.outputs] == ["translated_image"]
    np.testing.assert_allclose(run(B), gan.translate(B, **options), atol=1e-4)
    with pytest.raises(ValueError, match=r"must lie in \[-1, 1\].* Received: range \[0"):
        run(np.full_like(B, 255) * (np.arange(len(B)) > 0)[:, None, None, None])
