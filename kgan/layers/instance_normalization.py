"""Instance normalisation."""

from typing import Any

import keras
from keras import ops

from kgan.utils import numbers


@keras.saving.register_keras_serializable("kgan")
class InstanceNormalization(keras.layers.Layer):
    """Normalises each channel of each sample to mean 0 and variance 1, then scales and shifts it.

    It works the same in training and inference, without moving statistics. It computes what
    `keras.layers.GroupNormalization(groups=-1)` computes, in plain means that converters
    recognise, so an exported graph needs no transposes for it. In mixed precision the statistics
    are float32.

    A map of one pixel has zero variance, so the output is the shift only: omit the layer there.

    Args:
        epsilon: added to the variance. Default: 1e-5.
        center: whether a shift is learned for each channel. Default: True.
        scale: whether a factor is learned for each channel. Default: True.
        **kwargs: `name`, `dtype` and `trainable`.

    Call arguments:
        inputs: `(batch, ..., channels)` with at least one axis in between; the result has the
            same shape.

    Raises:
        ValueError: if epsilon is not positive, or there is no axis to take the mean over.

    Reference: Ulyanov et al., Instance Normalization: The Missing Ingredient for Fast
    Stylization, 2016 (arXiv:1607.08022).
    """

    def __init__(
        self, epsilon: float = 1e-5, center: bool = True, scale: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.epsilon = numbers.positive("epsilon", epsilon)
        self.center = numbers.flag("center", center)
        self.scale = numbers.flag("scale", scale)

    def build(self, input_shape: Any) -> None:
        if len(input_shape) < 3:
            raise ValueError(
                "InstanceNormalization takes the mean over the axes between batch and channels, "
                "so it needs inputs such as (batch, height, width, channels). "
                f"Received: input shape {tuple(input_shape)}"
            )
        shape = (input_shape[-1],)
        # Not cast in mixed precision: all is float32 until the result.
        self.gamma = (
            self.add_weight(shape=shape, initializer="ones", autocast=False, name="gamma")
            if self.scale
            else None
        )
        self.beta = (
            self.add_weight(shape=shape, initializer="zeros", autocast=False, name="beta")
            if self.center
            else None
        )

    def call(self, inputs: Any) -> Any:
        x = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        centred = x - _mean(x)
        # Not `ops.moments`: TensorFlow stops a gradient in it that a penalty's second derivative
        # needs.
        variance = _mean(ops.square(centred))
        factor = ops.rsqrt(variance + self.epsilon)
        if self.scale:
            factor = factor * self.gamma
        y = centred * factor
        if self.center:
            y = y + self.beta
        return ops.cast(y, inputs.dtype)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        own = {"epsilon": self.epsilon, "center": self.center, "scale": self.scale}
        return {**super().get_config(), **own}


def _mean(x):
    # Axis by axis: a float32 sum over all pixels in one go loses the many small squares of an
    # image that is mostly of one colour, in TensorFlow and in onnxruntime.
    for axis in range(1, len(x.shape) - 1):
        x = ops.mean(x, axis, keepdims=True)
    return x
