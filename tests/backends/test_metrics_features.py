"""What measures look through: a classifier that is trained and kept, networks that are shared."""

import keras
import numpy as np
import pytest

import kgan
from kgan.metrics import (
    FrechetDistance,
    KernelDistance,
    PrecisionRecall,
    classifier_features,
    features,
    train_classifier,
)
from kgan.metrics.classifier import file_name
from kgan.metrics.hashes import digest


def test_a_classifier_is_trained_once(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    images, labels = kgan.data.digits()
    first = classifier_features(images[:50], labels[:50], epochs=1)
    (file,) = (tmp_path / "kgan").iterdir()
    written = file.stat().st_mtime_ns
    again = classifier_features(images[:50], labels[:50], epochs=1, folder=tmp_path / "kgan")
    assert file.stat().st_mtime_ns == written
    assert first.output_shape == (None, 128)
    assert digest(first) == digest(again)
    found = (model.predict(images[:9], verbose=0) for model in (first, again))
    np.testing.assert_allclose(*found, rtol=1e-5, atol=1e-6)


def test_training_a_classifier_leaves_random_numbers_alone():
    images, labels = kgan.data.digits()
    drawn, digests = [], []
    for seed in (1, 2):
        for train in (False, True):
            keras.utils.set_random_seed(seed)
            if train:
                digests.append(digest(train_classifier(images[:50], labels[:50], epochs=2)))
            layer = keras.layers.Dense(3)
            layer.build((1, 2))
            noise = keras.ops.convert_to_numpy(keras.random.normal((2,)))
            drawn.append([*layer.get_weights()[0].ravel(), *noise, np.random.rand()])
    np.testing.assert_array_equal(drawn[0], drawn[1])
    np.testing.assert_array_equal(drawn[2], drawn[3])
    assert digests[0] == digests[1]


def test_a_classifier_is_not_trained_on_nonsense():
    images, labels = kgan.data.digits()
    for arguments, message in [
        ((images[:0], labels[:0]), "There are no images. Received"),
        ((images, labels[:0]), "one label for each.*Received"),
        ((images, labels, 0), "epochs must be.*Received: epochs=0"),
    ]:
        with pytest.raises(ValueError, match=message):
            train_classifier(*arguments)


def test_each_data_set_and_seed_has_a_file_of_its_own():
    images, labels = np.zeros((2, 4, 4, 1), "float32"), np.zeros(2, "int32")
    names = {
        file_name(*arguments)
        for arguments in [
            (images, labels, 1, 0),
            (images + 1, labels, 1, 0),
            (images, labels + 1, 1, 0),
            (images, labels, 2, 0),
            (images, labels, 1, 1),
            (images.reshape(2, 2, 8, 1), labels, 1, 0),
        ]
    }
    assert len(names) == 6
    assert file_name(images.copy(), labels, 1, 0) in names


def test_other_layers_with_the_same_weights_have_another_hash(tmp_path):
    layers = keras.layers

    def network(*own):
        return keras.Sequential([keras.Input((8, 8, 1)), *own, layers.Flatten()], name="mine")

    def branched(first):
        images = keras.Input((8, 8, 1))
        return keras.Model(images, layers.Flatten()(first(images) * 2 + images), name="mine")

    models = [
        network(layers.AveragePooling2D(2)),
        network(layers.AveragePooling2D(4)),
        network(layers.MaxPooling2D(2)),
        network(layers.Dense(4, "relu", kernel_initializer="ones")),
        network(layers.Dense(4, "tanh", kernel_initializer="ones")),
        branched(layers.Activation("relu")),
        branched(layers.Activation("tanh")),
    ]
    hashes = [digest(model) for model in models]
    assert len({*hashes}) == len(models)
    # Names, seeds and what made the weights are no part of it.
    again = network(layers.Dense(4, "relu", kernel_initializer=keras.initializers.Constant(1)))
    assert digest(again) == hashes[3]
    for model, known in zip(models, hashes, strict=True):
        model.save(tmp_path / "model.keras")
        assert digest(keras.saving.load_model(tmp_path / "model.keras")) == known


def test_a_network_that_cannot_be_written_down_has_a_hash():
    class Scaled(keras.layers.Layer):
        def __init__(self, scale):
            super().__init__()
            self.scale = scale

        def call(self, x):
            return x * self.scale

    hashes = {
        digest(keras.Sequential([keras.Input((4, 4, 1)), *layers]))
        for layers in ([Scaled(2)], [Scaled(2), keras.layers.Flatten()])
    }
    assert len(hashes) == 2


@pytest.mark.filterwarnings("ignore:This score says little")
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
