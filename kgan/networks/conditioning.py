"""How the networks are told the class, or name it."""

import keras
from keras import layers

from kgan.layers import ConditionalBatchNormalization, LabelPlane, ProjectionLogit
from kgan.utils import numbers

LABEL_LENGTH = 32  # of the embedding beside the latent


class Conditioned:
    """The label of a network and where it enters.

    Args:
        num_classes: how many classes there are, or None for a network without labels.
        way: one of `ways`.
        ways: those that the network knows.

    Raises:
        ValueError: if the way is unknown or the number of classes is no positive integer.
    """

    def __init__(self, num_classes, way, ways=("concatenation", "projection", "auxiliary")):
        numbers.choice("conditioning", way, ways)
        self.num_classes = (
            None if num_classes is None else numbers.count("num_classes", num_classes)
        )
        self.way = way if num_classes is not None else None
        told = self.way not in (None, "auxiliary")
        self.label = keras.Input((), dtype="int32", name="label") if told else None

    def inputs(self, first):
        """The inputs of the network, of which the label is the second."""
        return first if self.label is None else [first, self.label]

    def norm(self, x, batch_norm):
        """Normalises by batch, for each class in its own way if that is how it is told."""
        if self.way == "conditional_batch_norm":
            return ConditionalBatchNormalization(self.num_classes)([x, self.label])
        return batch_norm()(x)

    def plane(self, image):
        """The image, with a plane of the class beside it if that is how it is told."""
        if self.way == "concatenation":
            return LabelPlane(self.num_classes)([image, self.label])
        return image


def embed(x, condition):
    """Vectors, with an embedding of the class beside them if that is how it is told."""
    if condition.way != "concatenation":
        return x
    label = layers.Embedding(condition.num_classes, LABEL_LENGTH)(condition.label)
    return layers.Concatenate()([x, label])


def code(features, latent_dim):
    """The mean and the log-variance of a latent, from features `(batch, features)`, float32."""
    return [
        layers.Dense(latent_dim, dtype="float32", name=name)(features)
        for name in ("mean", "log_variance")
    ]


def head(features, condition, spectral=None, **options):
    """The logits of a discriminator from its features, `(batch, features)`.

    Args:
        condition: a `Conditioned`.
        spectral: what wraps the last layers. Default: nothing.
        **options: of the last layers.
    """
    if condition.way == "projection":
        return ProjectionLogit(
            condition.num_classes, spectral=spectral is not None, dtype="float32", name="logit"
        )([features, condition.label])

    def dense(units, name):
        layer = layers.Dense(units, dtype="float32", name=name, **options)
        return layer if spectral is None else spectral(layer, dtype="float32", name=name)

    logit = dense(1, "logit")(features)
    if condition.way != "auxiliary":
        return logit
    return [logit, dense(condition.num_classes, "class_logits")(features)]
