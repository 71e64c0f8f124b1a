"""Layers that feed a label into a network: as an image channel, or in the logit."""

from typing import Any

import keras
from keras import ops

from kgan.layers.spectral_normalization import SpectralNormalization
from kgan.utils import numbers


@keras.saving.register_keras_serializable("kgan")
class LabelPlane(keras.layers.Layer):
    """Appends a channel to an image, with learned values for each class.

    Args:
        num_classes: how many classes there are.
        **kwargs: `name`, `dtype` and `trainable`.

    Call arguments:
        inputs: `[images, labels]`: `(batch, height, width, channels)` with a known size, and
            integers `(batch,)`. The result has one channel more.

    Raises:
        ValueError: if `num_classes` is not a positive integer, or the size is not known.

    Reference: Mirza and Osindero, Conditional Generative Adversarial Nets, 2014
    (arXiv:1411.1784), for the concatenation of an embedding of the label.
    """

    def __init__(self, num_classes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_classes = numbers.count("num_classes", num_classes)

    def build(self, input_shape: Any) -> None:
        (_, height, width, _), _ = input_shape
        if height is None or width is None:
            raise ValueError(
                "LabelPlane learns a plane of the image's size, which must be known. "
                f"Received: input shape {tuple(input_shape[0])}"
            )
        self.planes = self.add_weight(
            shape=(self.num_classes, height, width, 1), initializer="uniform", name="planes"
        )

    def call(self, inputs: Any) -> Any:
        images, labels = inputs
        planes = ops.take(self.planes, ops.cast(labels, "int32"), axis=0)
        return ops.concatenate([images, ops.cast(planes, images.dtype)], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        *shape, channels = input_shape[0]
        return (*shape, channels + 1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes}


@keras.saving.register_keras_serializable("kgan")
class ProjectionLogit(keras.layers.Layer):
    r"""The logit of a projection discriminator: $w \cdot \phi + b + e_y \cdot \phi$.

    Args:
        num_classes: how many classes there are.
        spectral: whether to divide w and the matrix of all e by their spectral norms, as in the
            paper. Default: False.
        **kwargs: `name`, `dtype` and `trainable`.

    Call arguments:
        inputs: `[features, labels]`: `(batch, features)` and integers `(batch,)`. The result is a
            logit `(batch, 1)`.

    Raises:
        ValueError: if `num_classes` is not a positive integer.

    Reference: Miyato and Koyama, cGANs with Projection Discriminator, 2018 (arXiv:1802.05637),
    equation 4.
    """

    def __init__(self, num_classes: int, spectral: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_classes = numbers.count("num_classes", num_classes)
        self.spectral = numbers.flag("spectral", spectral)
        self.linear = keras.layers.Dense(1, dtype=self.dtype_policy, name="linear")
        # One column a class: all inner products at once, of which the label chooses one. So the
        # matrix is the kernel of a layer, which spectral normalisation can divide.
        self.classes = keras.layers.Dense(
            num_classes, use_bias=False, dtype=self.dtype_policy, name="classes"
        )
        if spectral:
            self.linear = SpectralNormalization(self.linear, dtype=self.dtype_policy)
            self.classes = SpectralNormalization(self.classes, dtype=self.dtype_policy)

    def build(self, input_shape: Any) -> None:
        self.linear.build(input_shape[0])
        self.classes.build(input_shape[0])

    def call(self, inputs: Any, training: bool = False) -> Any:
        features, labels = inputs
        options = {"training": training} if self.spectral else {}
        products = self.classes(features, **options)
        chosen = ops.one_hot(ops.cast(labels, "int32"), self.num_classes, dtype=products.dtype)
        return self.linear(features, **options) + ops.sum(products * chosen, axis=-1, keepdims=True)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (input_shape[0][0], 1)

    def get_config(self) -> dict[str, Any]:
        own = {"num_classes": self.num_classes, "spectral": self.spectral}
        return {**super().get_config(), **own}
