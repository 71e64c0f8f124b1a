"""Features by name: pixels, Inception or a custom network, computed once for several measures."""

import contextlib
import functools

import keras

from kgan.metrics.extractors import Inception, Network, Pixels


def get(features):
    """Returns an extractor of features: a function from images to float32 `(batch, features)`.

    Args:
        features: `"pixels"`, `"inception"`, a Keras model from images, or a configuration that
            `Network.config` made.

    Raises:
        ValueError: if it is none of these.
        OSError: if the weights of `"inception"` are neither stored locally nor can be downloaded.
    """
    if isinstance(features, Network):
        return features
    if isinstance(features, dict) and "class_name" in features:
        network = Network(keras.saving.deserialize_keras_object(features))
        network.awaits_weights = True
        return network
    if isinstance(features, keras.Model):
        return Network(features)
    if isinstance(features, str) and features == "pixels":
        return _PIXELS
    if isinstance(features, str) and features == "inception":
        _inception().model  # noqa: B018, which raises now what it must
        return _inception()
    received = repr(features) if isinstance(features, str) else f"a {type(features).__name__}"
    raise ValueError(
        'features must be "pixels", "inception", or a Keras model from images to features. '
        f"Received: features={received}"
    )


def of_config(features):
    """Returns an argument for `get` from a saved configuration, without downloading weights."""
    return _inception() if features == "inception" else features


_PIXELS = Pixels()  # one for all measures, which then share its work


@contextlib.contextmanager
def shared(metrics):
    """A context in which measures with the same network run each batch through it once.

    Its weights are hashed once, too.

    Args:
        metrics: objects whose attribute `features` is an extractor, or that have none.
    """
    own = [(metric, metric.features) for metric in metrics if hasattr(metric, "features")]
    known = {}
    for metric, features in own:
        key = id(getattr(features, "model", features))
        metric.features = known.setdefault(key, _Remembered(features))
    try:
        yield
    finally:
        for metric, features in own:
            metric.features = features


class _Remembered:
    """An extractor that caches the last two batches: a real and a generated one."""

    def __init__(self, features):
        self.features, self.known = features, []

    @functools.cached_property
    def protocol(self):
        return self.features.protocol

    def __call__(self, images):
        for known, features in self.known:
            if known is images:
                return features
        features = self.features(images)
        self.known = [*self.known[-1:], (images, features)]
        return features


@functools.cache
def _inception():
    return Inception()
