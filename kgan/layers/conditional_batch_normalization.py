"""Batch normalisation with a scale and shift for each class."""

from typing import Any

import keras
from keras import ops

from kgan.utils import numbers


@keras.saving.register_keras_serializable("kgan")
class ConditionalBatchNormalization(keras.layers.Layer):
    """Normalises a batch as a whole, then scales and shifts each sample by its class.

    Args:
        num_classes: how many classes there are.
        momentum, epsilon: as in `keras.layers.BatchNormalization`. Default: 0.9 and 1e-5.
        **kwargs: `name`, `dtype` and `trainable`.

    Call arguments:
        inputs: `[x, labels]`: `(batch, ..., channels)` and integers `(batch,)`. The result has the
            shape of x.

    Raises:
        ValueError: if `num_classes` is not a positive integer, or another number is out of range.

    Reference: de Vries et al., Modulating early visual processing by language, 2017
    (arXiv:1707.00683); in GANs Miyato and Koyama, 2018 (arXiv:1802.05637), appendix.
    """

    def __init__(
        self, num_classes: int, momentum: float = 0.9, epsilon: float = 1e-5, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.num_classes = numbers.count("num_classes", num_classes)
        self.momentum = numbers.share("momentum", momentum)
        self.epsilon = numbers.positive("epsilon", epsilon)
        self.norm = keras.layers.BatchNormalization(
            momentum=momentum,
            epsilon=epsilon,
            center=False,
            scale=False,
            dtype=self.dtype_policy,
            name="norm",
        )

    def build(self, input_shape: Any) -> None:
        self.norm.build(input_shape[0])
        shape = (self.num_classes, input_shape[0][-1])
        self.gamma = self.add_weight(shape=shape, initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta")

    def call(self, inputs: Any, training: bool = False) -> Any:
        x, labels = inputs
        labels = ops.cast(labels, "int32")
        x = self.norm(x, training=training)
        axes = tuple(range(1, len(x.shape) - 1))
        gamma, beta = (
            ops.expand_dims(ops.take(weight, labels, axis=0), axes)
            for weight in (self.gamma, self.beta)
        )
        return x * ops.cast(gamma, x.dtype) + ops.cast(beta, x.dtype)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return tuple(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        own = {
            "num_classes": self.num_classes,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }
        return {**super().get_config(), **own}
