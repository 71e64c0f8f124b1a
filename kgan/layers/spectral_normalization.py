"""Division of a layer's kernel by its largest singular value."""

from typing import Any

import keras
from keras import ops

from kgan.utils import numbers


@keras.saving.register_keras_serializable("kgan")
class SpectralNormalization(keras.layers.Wrapper):
    """Calls a layer with its kernel divided by an estimate of the kernel's spectral norm.

    The raw kernel stays the trained weight. The layer also stores one vector, which power iteration
    turns towards the first singular vector. The division happens in the call, so several calls in
    one loss use the same kernel and gradients pass through the norm. (Keras's own layer
    of this name overwrites the kernel in every call.)

    In a `kgan.AdversarialModel` the vector is updated once per step, however often the
    discriminator is called; in any other model in every call with `training=True`.

    Args:
        layer: a layer with a `kernel`: `Dense`, `Conv2D`, `Conv2DTranspose`, ...
        power_iterations: iterations per update of the vector. Default: 1, as in the paper.
        **kwargs: `name`, `dtype` and `trainable`.

    Raises:
        ValueError: if `power_iterations` is not a positive integer, or the layer has no kernel.

    Example: `SpectralNormalization(keras.layers.Conv2D(64, 4, 2, "same"))`.

    Reference: Miyato et al., Spectral Normalization for GANs, 2018 (arXiv:1802.05957), algorithm 1.
    """

    def __init__(self, layer: keras.layers.Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        if not isinstance(layer, keras.layers.Layer):
            raise ValueError(
                "SpectralNormalization needs a layer with a kernel, such as Dense or Conv2D. "
                f"Received: layer={numbers.shown(layer)}"
            )
        super().__init__(layer, **kwargs)
        self.power_iterations = numbers.count("power_iterations", power_iterations)
        self.moved_by_model = False

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        if not hasattr(self.layer, "kernel"):
            raise ValueError(
                "SpectralNormalization needs a layer with a kernel, such as Dense or Conv2D. "
                f"Received: layer={self.layer!r}"
            )
        self.vector = self.add_weight(
            shape=(1, self._outputs()),
            initializer=keras.initializers.RandomNormal(),
            name="vector",
            trainable=False,
            dtype="float32",
            autocast=False,
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        if training and not self.moved_by_model:
            self.move()
        normalised = ops.cast(self.layer.kernel, "float32") / self.norm()
        values = [
            normalised if variable is self.layer.kernel else variable.value
            for variable in self.layer.trainable_variables
        ]
        outputs, _ = self.layer.stateless_call(
            values, [variable.value for variable in self.layer.non_trainable_variables], inputs
        )
        return outputs

    def move(self) -> None:
        """Updates the vector by power iteration, towards the first singular vector."""
        matrix = ops.stop_gradient(self._matrix())
        vector = self.vector.value
        for _ in range(self.power_iterations):
            left = _unit(ops.matmul(vector, ops.transpose(matrix)))
            vector = _unit(ops.matmul(left, matrix))
        self.vector.assign(vector)

    def norm(self) -> Any:
        """Returns the estimate of the largest singular value, a differentiable float32 scalar."""
        matrix = self._matrix()
        right = ops.stop_gradient(_unit(self.vector.value))
        left = ops.stop_gradient(_unit(ops.matmul(right, ops.transpose(matrix))))
        return ops.sum(ops.matmul(left, matrix) * right)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return self.layer.compute_output_shape(input_shape)

    def _matrix(self):
        """Returns the kernel as a matrix with one column per output channel."""
        kernel = ops.cast(self.layer.kernel, "float32")
        if self._transposed():
            kernel = ops.swapaxes(kernel, -1, -2)
        return ops.reshape(kernel, (-1, self._outputs()))

    def _outputs(self):
        return self.layer.kernel.shape[-2 if self._transposed() else -1]

    def _transposed(self):
        """Whether the output channels are the second to last axis of the kernel."""
        kinds = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose)
        return isinstance(self.layer, (*kinds, keras.layers.Conv3DTranspose))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "power_iterations": self.power_iterations}


def _unit(vector):
    return vector / ops.maximum(ops.norm(vector), 1e-12)
