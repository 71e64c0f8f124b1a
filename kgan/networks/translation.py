"""Shared by the image-to-image networks: normalisations by name, and the initializer."""

import keras
from keras import layers

from kgan.layers import InstanceNormalization
from kgan.utils import numbers


def normalization_maker(name):
    """Returns a function that makes the normalisation of a name, or None for no normalisation.

    Args:
        name: `"instance"`, `"batch"` or None.

    Raises:
        ValueError: if the name is unknown.
    """
    makers = {"instance": InstanceNormalization, "batch": _batch_normalization, None: None}
    return makers[numbers.choice("normalization", name, makers)]


def normal():
    """Weights drawn from a normal of deviation 0.02, as both papers do."""
    return keras.initializers.RandomNormal(stddev=0.02)


def _batch_normalization():
    # Keras's defaults (0.99, 1e-3) follow a GAN's moving target too slowly for the statistics
    # used at inference.
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
