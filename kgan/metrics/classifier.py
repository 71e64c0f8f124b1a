"""An independent classifier of small images, to recognise generated ones."""

import hashlib
import itertools
import math
import os
import warnings
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from kgan import checks
from kgan.metrics.extractors import in_float32
from kgan.metrics.hashes import structure
from kgan.utils import files, numbers

FEWEST_EPOCHS, FEWEST_STEPS = 4, 300
TRAINED = 2  # the way of training, by which kept classifiers are told from older ones


@in_float32()
def train_classifier(
    images: npt.ArrayLike,
    labels: npt.ArrayLike,
    epochs: int | None = None,
    batch_size: int = 128,
    seed: int = 0,
) -> keras.Model:
    """Trains a small convolutional classifier on real images.

    Args:
        images: float32 `(count, height, width, channels)` in [-1, 1].
        labels: integers from 0, `(count,)`.
        epochs: passes over the images. Default: 4, or more for small sets, to make 300 steps.
        batch_size: images per step. Default: 128.
        seed: seed of the weights and of the order of the images, independent of Keras's global
            seed, which stays unchanged. Default: 0.

    Returns:
        A compiled `keras.Model` to probabilities `(batch, classes)`; `evaluate(images, labels)`
        gives its loss and accuracy.

    Raises:
        ValueError: if the images are not floats in [-1, 1], the labels are not one integer for each
            image, there are fewer than two classes, or the epochs or the batch size are not
            positive integers.
    """
    images, labels = np.asarray(checks.to_numpy(images)), np.asarray(labels)
    if images.dtype.kind not in "iuf":
        raise ValueError(f"images must be floats in [-1, 1]. Received: dtype {images.dtype}")
    checks.check_images(images, images.shape[1:], "classifier")
    checks.warn_of_half_range(images)
    known = labels.size and labels.dtype.kind in "iu"
    classes = max(1, int(labels.max()) + 1) if known else 1  # else the check tells
    labels = checks.check_labels(labels, classes, len(images))
    batch_size, seed = numbers.count("batch_size", batch_size), numbers.fixed_seed(seed)
    if epochs is None:
        epochs = max(FEWEST_EPOCHS, math.ceil(FEWEST_STEPS * batch_size / len(images)))
    epochs = numbers.count("epochs", epochs)
    if len(np.unique(labels)) < 2 or images.ndim != 4 or min(images.shape[1:3]) < 4:
        raise ValueError(
            "A classifier needs images of at least 4x4 pixels, of at least two classes. "
            f"Received: images {images.shape[1:]} with labels {np.unique(labels)[:2].tolist()}"
        )
    model = _network(images, labels, seed)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(_Shuffled(images, labels, batch_size, epochs, seed), shuffle=False, verbose=0)
    return model


def _network(images, labels, seed):
    """Returns the untrained classifier for some images."""
    layers, seeds = keras.layers, itertools.count(seed)

    def weights():
        return {"kernel_initializer": keras.initializers.GlorotUniform(next(seeds))}

    return keras.Sequential(
        [
            keras.Input(images.shape[1:]),
            layers.Conv2D(32, 3, strides=2, padding="same", activation="relu", **weights()),
            layers.Conv2D(64, 3, strides=2, padding="same", activation="relu", **weights()),
            layers.Flatten(),
            layers.Dropout(0.3, seed=next(seeds)),
            layers.Dense(128, activation="relu", **weights()),
            layers.Dropout(0.3, seed=next(seeds)),
            layers.Dense(int(labels.max()) + 1, activation="softmax", **weights()),
        ],
        name="classifier",
    )


class _Shuffled(keras.utils.PyDataset):
    """All batches of all epochs in a seeded order, independent of Keras's global seed."""

    def __init__(self, images, labels, batch_size, epochs, seed):
        super().__init__()
        self.images, self.labels, self.batch_size = images, labels, batch_size
        rng = np.random.default_rng(seed)
        self.order = np.concatenate([rng.permutation(len(images)) for _ in range(epochs)])

    def __len__(self):
        return math.ceil(len(self.order) / self.batch_size)

    def __getitem__(self, index):
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return self.images[rows], self.labels[rows]


def classifier_features(
    images: npt.ArrayLike,
    labels: npt.ArrayLike,
    epochs: int | None = None,
    seed: int = 0,
    folder: str | os.PathLike | None = None,
) -> keras.Model:
    """Returns features for small images: the last hidden layer of a classifier.

    Use them for images such as digits, which have no standard network as photos have InceptionV3.
    The classifier is trained once by `train_classifier` and then cached in a file, whose name
    follows from the images, labels, epochs and seed. Scores can be compared only if they use the
    same classifier, that is, have the same `features_hash`.

    Args:
        images: float32 `(count, height, width, channels)` in [-1, 1], at least 4x4.
        labels: integers from 0, `(count,)`.
        epochs, seed: as for `train_classifier`.
        folder: where to cache it. Default: `kgan` in the cache folder, `$XDG_CACHE_HOME` or
            `~/.cache`.

    Returns:
        A Keras model from images to features `(batch, 128)`, for the argument `features` of
        measures such as `kgan.metrics.FrechetDistance`.

    Example:

    ```python
    images, labels = kgan.data.tfds("mnist")
    features = kgan.metrics.classifier_features(images, labels)
    gan.compile(metrics=[kgan.metrics.FrechetDistance(features)])
    ```
    """
    return features_of(kept_classifier(images, labels, epochs, seed, folder))


def features_of(classifier):
    """Returns the model up to the last hidden layer of a classifier."""
    # Not compiled: the training settings of the classifier do not belong to the features.
    return keras.Model(classifier.inputs, classifier.layers[-2].output, name="classifier_features")


def kept_classifier(images, labels, epochs=None, seed=0, folder=None):
    """Returns the classifier of `classifier_features`, trained or read from the cache."""
    images, labels = np.asarray(checks.to_numpy(images)), np.asarray(labels)
    if folder is not None:
        folder = checks.check_path("folder", folder)
    else:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kgan"
    file = Path(folder) / file_name(images, labels, epochs, seed)
    if file.exists():
        try:
            return _kept(file, images, labels, seed)
        except ValueError as error:
            warnings.warn(
                "A cached classifier cannot be used, and is trained anew. "
                f"Received: {file} ({error})",
                stacklevel=2,
            )
    classifier = train_classifier(images, labels, epochs=epochs, seed=seed)
    with files.atomic(file) as unfinished:
        classifier.save(unfinished)
    return classifier


@in_float32()
def _kept(file, images, labels, seed):
    """Reads a classifier. Raises a ValueError if the file is damaged or holds another network."""
    from kgan.training import serialization

    classifier = serialization.load(file)
    if structure(classifier) != structure(_network(np.asarray(images), np.asarray(labels), seed)):
        raise ValueError("it holds another network")
    return classifier


def file_name(images, labels, epochs, seed):
    """Returns the file name of the cached classifier for these data."""
    images, labels = np.ascontiguousarray(images), np.ascontiguousarray(labels)
    asked = f"{TRAINED} {images.shape} {images.dtype} {labels.dtype} {epochs} {seed}"
    sha = hashlib.sha256(asked.encode())
    sha.update(images)
    sha.update(labels)
    return f"classifier_{sha.hexdigest()[:16]}.keras"


def stacked_classifier(classifier: keras.Model, channels: int = 3) -> keras.Model:
    """Returns a classifier of stacked images, built from a classifier of grey ones.

    Args:
        classifier: a Keras model from `(batch, height, width, 1)` to probabilities.
        channels: how many images are stacked. Default: 3.

    Returns:
        A Keras model from `(batch, height, width, channels)` to the probabilities of all
        combinations, in the order of the labels of `kgan.data.stack`.
    """
    checks.check_built(classifier=classifier)
    channels = numbers.count("channels", channels)
    stacked = keras.Input((*classifier.input_shape[1:-1], channels))
    first, *rest = [classifier(stacked[..., i : i + 1]) for i in range(channels)]
    probabilities = first
    for other in rest:
        products = probabilities[:, :, None] * other[:, None, :]
        probabilities = ops.reshape(products, (-1, products.shape[1] * products.shape[2]))
    return keras.Model(stacked, probabilities)
