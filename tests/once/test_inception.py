"""InceptionV3 as features of measures: the same network on every backend."""

import urllib.request

import keras
import numpy as np
import pytest

from kgan.metrics import FrechetDistance, features


def test_inception_sees_what_keras_makes_of_the_resized_image(tmp_path):
    """With random weights in a file, read as the real ones are."""
    keras.utils.set_random_seed(0)
    network = keras.applications.InceptionV3(include_top=False, weights=None, pooling="avg")
    file = tmp_path / "random.weights.h5"
    network.save_weights(file)
    extractor = features.Inception(weights=file)
    images = np.random.default_rng(0).uniform(-1, 1, (2, 20, 20, 1)).astype("float32")
    colour = np.repeat(images, 3, axis=-1)
    resized = keras.ops.image.resize(colour, (299, 299), interpolation="bilinear")
    expected = keras.ops.convert_to_numpy(network(resized, training=False))
    found = extractor(images)
    assert found.shape == (2, 2048) and found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(extractor(colour), found, rtol=1e-6)
    assert "299x299" in extractor.protocol["resize"]
    again = features.Inception(weights=file)  # whose layers Keras calls otherwise
    assert again.protocol["features_hash"] == extractor.protocol["features_hash"]


def test_inception_says_what_to_do_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))  # no weights there
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # where nobody answers
    urllib.request.install_opener(None)  # one made before would not see it
    with pytest.raises(OSError, match=r"(?s)cannot be downloaded.*Received: .*http"):
        FrechetDistance("inception")
    urllib.request.install_opener(None)
