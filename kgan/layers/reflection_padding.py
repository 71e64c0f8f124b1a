"""Reflection padding."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kgan.utils import numbers


@keras.saving.register_keras_serializable("kgan")
class ReflectionPadding2D(keras.layers.Layer):
    """Pads an image with its reflection at the outermost rows and columns.

    The outermost pixels are not repeated: 1 2 3 padded by 2 is 3 2 1 2 3 2 1. Zero padding makes
    networks draw frames along the border; this does not.

    Args:
        padding: pixels on each side, an int or `(rows, columns)`. Default: 1.
        **kwargs: `name`, `dtype` and `trainable`.

    Call arguments:
        inputs: `(batch, height, width, channels)`; the result has `2 * padding` more rows and
            columns.

    Raises:
        ValueError: if the padding is negative or not an integer, or not smaller than the image.
    """

    def __init__(self, padding: int | Sequence[int] = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        one = numbers.is_integer(padding) and padding >= 0  # type: ignore[operator]
        pair = (padding, padding) if one else padding
        self.padding = numbers.counts("padding", pair, ("rows", "columns"), least=0)

    def call(self, inputs: Any) -> Any:
        self._check(inputs.shape)
        rows, columns = self.padding
        if not rows and not columns:  # Keras on PyTorch raises an error for zeros
            return inputs
        return ops.pad(inputs, ((0, 0), (rows, rows), (columns, columns), (0, 0)), "reflect")

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        self._check(input_shape)
        batch, *sizes, channels = input_shape
        padded = (
            None if size is None else size + 2 * padding
            for size, padding in zip(sizes, self.padding, strict=True)
        )
        return (batch, *padded, channels)

    def _check(self, shape):
        # Unknown sizes are left to the backend, which says so in its own words.
        if len(shape) != 4 or any(
            size is not None and padding >= size
            for size, padding in zip(shape[1:3], self.padding, strict=True)
        ):
            raise ValueError(
                "ReflectionPadding2D takes (batch, height, width, channels), and a mirror shows no "
                "more than the image: the padding must be smaller than height and width. "
                f"Received: padding={self.padding}, input shape {tuple(shape)}"
            )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding}
