"""A pool of generated images from past steps, for a discriminator to see again."""

from typing import Any

import keras
from keras import ops

from kgan.utils import numbers


@keras.saving.register_keras_serializable("kgan")
class ImagePool(keras.layers.Layer):
    """Keeps generated images and replaces about half of the new ones by older ones.

    A discriminator that also sees older images keeps players from going in circles. Until the
    pool is full, every new image is stored and returned. After that each new image is, with
    probability one half, swapped with a stored one, which is returned instead. The stored images
    are weights, so they are saved with the model.

    Args:
        size: how many images are stored, at least the batch size. Default: 50, as in the
            CycleGAN paper.

    Call arguments:
        images: `(batch, height, width, channels)`.
        seed: a `keras.random.SeedGenerator`.

    Raises:
        ValueError: if the size is not a positive integer, or a batch is larger.

    Reference: Shrivastava et al., Learning from Simulated and Unsupervised Images through
    Adversarial Training, 2017 (arXiv:1612.07828), section 2.3.
    """

    def __init__(self, size: int = 50, **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        self.size = numbers.count("size", size)

    def build(self, shape: Any) -> None:
        options = {"initializer": "zeros", "trainable": False, "autocast": False}
        self.images = self.add_weight(
            (self.size, *shape[1:]), dtype="float32", name="images", **options
        )
        self.count = self.add_weight((), dtype="int32", name="count", **options)

    def call(self, images: Any, seed: Any) -> Any:
        images = ops.cast(images, "float32")
        batch = ops.shape(images)[0]
        if isinstance(batch, int) and batch > self.size:
            raise ValueError(
                "A pool must hold at least a batch: make it larger or the batches smaller. "
                f"Received: a batch of {batch}, size={self.size}"
            )
        # Places that differ from each other, so that no image of a batch overwrites another.
        shuffled = ops.argsort(keras.random.uniform((self.size,), seed=seed))[:batch]
        swapped = keras.random.uniform((batch,), seed=seed) < 0.5
        next_free = self.count + ops.arange(batch, dtype="int32")
        full = self.count >= self.size
        places = ops.where(full, ops.cast(shuffled, "int32"), next_free % self.size)
        taken = ops.where(full, swapped, next_free < self.size)[:, None, None, None]
        kept = ops.take(self.images, places, axis=0)
        new = ops.where(taken, images, kept)
        self.images.assign(ops.scatter_update(self.images, places[:, None], new))
        self.count.assign(ops.minimum(self.count + batch, self.size))
        return ops.where(ops.logical_and(taken, full), kept, images)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}
