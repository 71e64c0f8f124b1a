"""What measures look through: InceptionV3 and the classifier that is trained and kept."""

import urllib.request

import keras
import numpy as np
import pytest

import kgan
from kgan.metrics import FrechetDistance, KernelDistance, PrecisionRecall, features


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
    assert found.shape == (2, 2048) and found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(extractor(colour), found, rtol=1e-6)
    assert "299x299" in extractor.protocol["resize"]
    assert extractor.protocol["features_hash"] == features.digest(network)


def test_inception_says_what_to_do_without_a_network(tmp_path, monkeypatch):
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))  # no weights there
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # where nobody answers
    urllib.request.install_opener(None)  # one made before would not see it
    with pytest.raises(OSError, match=r"(?s)neither.*\"pixels\".*Received: .*http"):
        FrechetDistance("inception")
    urllib.request.install_opener(None)


def test_a_classifier_is_trained_once(tmp_path):
    images, labels = kgan.data.digits()
    make = kgan.metrics.classifier_features
    first = make(images[:200], labels[:200], epochs=1, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    written = file.stat().st_mtime_ns
    again = make(images[:200], labels[:200], epochs=1, folder=tmp_path)
    assert file.stat().st_mtime_ns == written
    assert first.output_shape == (None, 128)
    assert features.digest(first) == features.digest(again)
    found = (model.predict(images[:9], verbose=0) for model in (first, again))
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-6)
    for other in [
        {"images": images[1:201], "labels": labels[:200]},
        {"images": images[:200], "labels": labels[1:201]},
        {"images": images[:200], "labels": labels[:200], "seed": 1},
    ]:
        make(epochs=1, folder=tmp_path, **other)
    assert len(list(tmp_path.iterdir())) == 4


def test_the_cache_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    images, labels = kgan.data.digits()
    kgan.metrics.classifier_features(images[:50], labels[:50], epochs=1)
    assert [file.suffix for file in (tmp_path / "kgan").iterdir()] == [".keras"]


def test_measures_of_one_network_share_its_work(images):
    """The network counts the batches it is called on; alone, each measure would call it itself."""
    counted = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), Counting()])
    metrics = [FrechetDistance(counted), KernelDistance(counted), PrecisionRecall(counted)]
    seen = counted.layers[-1].seen
    calls = []
    for block in (False, True):
        before = int(seen.value)
        if block:
            with features.shared(metrics):
                together = update(metrics, images)
        else:
            alone = update(metrics, images)
        calls.append(int(seen.value) - before)
    assert calls == [6, 2]
    assert together == alone
    changed = images.copy()
    metric = FrechetDistance(counted)
    metric.update_state(changed, images)
    changed[:] = 0  # a buffer that is used again
    metric.update_state(changed, images)
    assert metric.result() > 1


def update(metrics, images):
    real, fake = images[:32], images[32:64]
    for metric in metrics:
        metric.reset_state()
        metric.update_state(real, fake)
    return [metric.result() for metric in metrics]


class Counting(keras.layers.Layer):
    """Gives what it gets, and counts the calls."""

    def build(self, shape):
        self.seen = self.add_weight(
            shape=(), initializer="zeros", dtype="int32", trainable=False, name="seen"
        )

    def call(self, x):
        self.seen.assign_add(1)
        return x
