"""A channel that shows a discriminator how varied its batch is."""

from typing import Any

import keras
from keras import ops

from kgan.utils import numbers


@keras.saving.register_keras_serializable("kgan")
class MinibatchStandardDeviation(keras.layers.Layer):
    """Appends the mean standard deviation over groups of samples as one constant channel.

    A collapsed generator makes batches without variation, which this channel reveals. Put it near
    the end of a discriminator.

    Args:
        group_size: how many samples are compared with each other. A batch whose size is not a
            multiple of it is compared as a whole. Default: 4.
        epsilon: added to the variance, whose root has an infinite derivative at 0. Default: 1e-8.

    Call arguments:
        images: `(batch, height, width, channels)`; the result has one channel more.

    Raises:
        ValueError: if the group size is not a positive integer, or epsilon is not above 0.

    Reference: Karras et al., Progressive Growing of GANs, 2018 (arXiv:1710.10196), section 3.
    """

    def __init__(self, group_size: int = 4, epsilon: float = 1e-8, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.group_size = numbers.count("group_size", group_size)
        self.epsilon = numbers.positive("epsilon", epsilon)

    def call(self, images: Any) -> Any:
        batch, *shape = ops.shape(images)
        # The last batch of an epoch may be one that the groups do not divide. Where the size is
        # not known before the step runs, the choice is made by arithmetic.
        divides = batch % self.group_size == 0
        if isinstance(divides, bool):
            group = self.group_size if divides else batch
        else:
            group = ops.where(divides, self.group_size, batch)
        groups = ops.reshape(ops.cast(images, "float32"), (group, -1, *shape))
        deviation = ops.sqrt(ops.var(groups, axis=0) + self.epsilon)
        mean = ops.mean(deviation, axis=(1, 2, 3), keepdims=True)
        channel = ops.reshape(ops.tile(mean[None], (group, 1, 1, 1, 1)), (batch, 1, 1, 1))
        channel = ops.broadcast_to(channel, (batch, *shape[:-1], 1))
        return ops.concatenate([images, ops.cast(channel, images.dtype)], axis=-1)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (*input_shape[:-1], input_shape[-1] + 1)

    def get_config(self) -> dict[str, Any]:
        own = {"group_size": self.group_size, "epsilon": self.epsilon}
        return {**super().get_config(), **own}
