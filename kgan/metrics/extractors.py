"""Feature extractors, whose outputs measures compare instead of images."""

import contextlib
import functools
import math
from collections.abc import Iterator

import keras
import numpy as np

from kgan import backend
from kgan.metrics.hashes import digest

BATCH_SIZE = 64


@contextlib.contextmanager
def in_float32() -> Iterator[None]:
    """A context in which new networks compute in float32, whatever Keras's dtype policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


class Pixels:
    """The images themselves, as vectors."""

    config = "pixels"
    network = None

    @property
    def protocol(self):
        """A JSON-able description of the features."""
        return {"features": "pixels"}

    def check(self, shape):
        """Accepts images of any shape."""

    def width(self, shape):
        """Returns how many features images of a shape without the batch have."""
        return math.prod(shape)

    def __call__(self, images):
        # Copied, since data may come in a buffer that is used again.
        return images.reshape(len(images), -1).copy()


class Network:
    """The outputs of a Keras model for images, in inference mode, as vectors.

    Args:
        model: a built Keras model with one input, float images, and one output.

    Raises:
        ValueError: if it has several inputs or outputs.
    """

    def __init__(self, model):
        if getattr(model, "inputs", None) is None:
            raise ValueError(
                "features must be a network that begins with keras.Input(shape), such as "
                "kgan.metrics.classifier_features. "
                f"Received: features=a {type(model).__name__} named {model.name!r}"
            )
        inputs, outputs = (keras.tree.flatten(side) for side in (model.inputs, model.outputs))
        if len(inputs) != 1 or len(outputs) != 1:
            raise ValueError(
                "features must be a model from images to one output, for example "
                "keras.Model(model.inputs, model.layers[-2].output). "
                f"Received: {len(inputs)} inputs and {len(outputs)} outputs"
            )
        self.model = model
        self.awaits_weights = False  # made of a configuration, which has none

    @property
    def network(self):
        """The model whose weights are to be saved beside the configuration."""
        return self.model

    @property
    def config(self):
        return keras.saving.serialize_keras_object(self.model)

    @property
    def protocol(self):
        return {
            "features": f"model {self.model.name}",
            "features_hash": digest(self.model),
            "features_dtype": self.model.compute_dtype,
        }

    def check_weights(self):
        """Raises a ValueError if the network was made of a configuration alone."""
        if self.awaits_weights:
            raise ValueError(
                "The configuration of a measure has the layers of its network, but not its "
                "weights: create the measure from the network, or load the model saved with it. "
                f"Received: {self.model.name!r} without weights"
            )

    def __call__(self, images):
        self.check_weights()
        images = self.prepare(images)
        self._check(images)
        count, share = len(images), backend.devices(self.model)
        # Each device must get as many images as the others.
        images = np.resize(images, (count + -count % share, *images.shape[1:]))
        size = BATCH_SIZE + -BATCH_SIZE % share
        with backend.kept(self.model):
            features = self.model.predict(images, batch_size=size, verbose=0)
        features = np.asarray(features[:count], "float32").reshape(count, -1)
        if not np.isfinite(features).all():
            raise ValueError(
                "The features of some images are NaN or infinite, so nothing can be measured: try "
                "the model on real images first. "
                f"Received: {self.protocol['features']}"
            )
        return features

    def check(self, shape):
        """Raises a ValueError if the model does not take images of a shape without the batch."""
        self._check(self.prepare(np.zeros((1, *shape), "float32")))

    def width(self, shape):
        """Returns the number of features for images of a shape, None if it varies."""
        sizes = self.model.output_shape[1:]
        return None if None in sizes else math.prod(sizes)

    def prepare(self, images):
        """Prepares images for the model."""
        return images

    def _check(self, images):
        wanted = self.model.inputs[0].shape[1:]
        fits = len(wanted) == images.ndim - 1 and all(
            size in (None, given) for size, given in zip(wanted, images.shape[1:], strict=True)
        )
        if not fits:
            raise ValueError(
                "The model of the features must take the images as they are: begin it with a "
                "keras.layers.Resizing, or build it for their shape. "
                f"Received: images {images.shape[1:]}, a model of {tuple(wanted)}"
            )


class Inception(Network):
    """The pooled features of Keras's InceptionV3, of images resized to 299x299.

    They come from the network in `keras.applications`, not from the older weights behind most
    published scores: compare scores of the same kind only.

    Args:
        weights: `"imagenet"`, which Keras downloads once, or the path of the same file.

    `model` is loaded on first use, and raises an OSError if the weights are neither stored locally
    nor can be downloaded.

    Reference: Szegedy et al., Rethinking the Inception Architecture for Computer Vision, 2016
    (arXiv:1512.00567).
    """

    config = "inception"
    network = None
    size = 299

    def __init__(self, weights="imagenet"):
        self.weights, self.awaits_weights = weights, False

    @functools.cached_property
    @in_float32()
    def model(self):
        """The network, loaded on first use: a saved model with this measure loads without it."""
        try:
            network = keras.applications.InceptionV3(
                include_top=False, weights=self.weights, pooling="avg"
            )
        except Exception as error:  # Keras raises a bare Exception when it cannot download
            if isinstance(error, ValueError):
                raise
            raise OSError(
                "The weights of InceptionV3 are not in Keras's model folder and cannot be "
                "downloaded: connect to the network once, copy the file of the address below to "
                '~/.keras/models, or choose other features, such as "pixels". '
                f"Received: {error}"
            ) from error
        images = keras.Input((None, None, 3))
        resize = keras.layers.Resizing(self.size, self.size, interpolation="bilinear")
        # Its range is [-1, 1], as that of our images.
        return keras.Model(images, network(resize(images)), name="inception_v3")

    @property
    def protocol(self):
        resized = f"bilinear to {self.size}x{self.size}, without antialiasing"
        return {
            "features": "InceptionV3 of keras.applications, global average of its last layer",
            "features_hash": digest(self.model),
            "resize": resized,
        }

    def prepare(self, images):
        return np.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images
