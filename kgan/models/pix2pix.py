"""Image-to-image translation learned from pairs."""

import os
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from kgan import checks
from kgan.generation.translate import Translation
from kgan.models.gan import GAN
from kgan.utils import numbers


@keras.saving.register_keras_serializable("kgan")
class Pix2Pix(Translation, GAN):
    """A generator that translates images, and a discriminator that sees both sides of a pair.

    The generator learns to match the target, by the mean absolute difference (L1), and to fool a
    discriminator that judges input and output together.

    Dropout (the paper's noise) and jitter are active in training only. In `translate`, `predict`
    and exported files they are off and batch normalisation uses its moving statistics, so an
    image always gives the same translation. The paper leaves dropout on and takes the statistics
    of the test batch. Networks with instance normalisation, the default here, are the same in both.

    Args:
        generator: a built Keras model from images to images, such as
            `kgan.networks.unet_generator`.
        discriminator: a built Keras model from images with the channels of the input and of the
            target, in this order, to one logit or a map of logits for patches, such as
            `kgan.networks.patch_discriminator` for `(height, width, input + target channels)`.
        l1_weight: factor of the L1 term. Default: 100, as in the paper.
        jitter: a layer of random changes for training, such as `kgan.layers.jitter(image_size)`,
            applied to both images of a pair together. Default: none.
        seed: seed of what is random in the model itself. Default: a random one.
        **kwargs: `name` and `dtype`, as for `keras.Model`.

    Raises:
        ValueError: if a network is not built, the two do not match, the discriminator does not end
            in a logit, the weight is negative, or the jitter changes the size.

    Example:

    ```python
    pairs = kgan.data.image_pairs("photos_and_labels/train", image_size=(128, 128))
    gan = kgan.Pix2Pix(
        kgan.networks.unet_generator((128, 128, 3)),
        kgan.networks.patch_discriminator((128, 128, 6)),
        jitter=kgan.layers.jitter((128, 128)),
    )
    gan.compile()
    gan.fit(pairs, epochs=20)  # or gan.fit(inputs, targets, ...), arrays (n, 128, 128, 3)
    outputs = gan.translate(inputs)  # (n, 128, 128, 3), float32 in [-1, 1]
    ```

    Reference: Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, 2017
    (arXiv:1611.07004).
    """

    has_targets = True

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        l1_weight: float = 100.0,
        jitter: keras.layers.Layer | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(generator, discriminator, seed=seed, **kwargs)
        self.l1_weight = numbers.factor("l1_weight", l1_weight)
        checks.check_jitter(jitter, self.discriminator.input_shape)
        self.jitter = jitter

    def fit(self, x: Any = None, y: Any = None, **options: Any) -> keras.callbacks.History:
        """Trains on pairs of images, see `AdversarialModel.fit`.

        Args:
            x: the inputs, an array; or a stream whose batches are tuples `(inputs, targets)`, such
                as `kgan.data.image_pairs`.
            y: the targets, an array as long as `x`; None for a stream.
            **options: as in `AdversarialModel.fit`. `validation_data` is a stream or a tuple of
                both arrays. Default batch size of arrays: 1, as in the paper.

        Returns:
            A `keras.callbacks.History`.
        """
        if checks.is_arrays(x):
            options.setdefault("batch_size", 1)
        return super().fit(x, y, **options)

    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, **options: Any
    ) -> Any:
        """Returns the losses and metrics in inference mode, for pairs given as in `fit`.

        Measures given to `compile` compare the translations of the inputs with the targets, and so
        do Keras's own metrics, such as `keras.metrics.MeanAbsoluteError()`. Afterwards `scores` has
        the value of each measure with its protocol.
        """
        return super().evaluate(x, y, batch_size=batch_size, **options)

    def check_networks(self) -> None:
        checks.check_inputs("generator", self.generator, ["image"])
        checks.check_inputs("discriminator", self.discriminator, ["input and target image"])
        given, made = self.generator.input_shape, self.generator.output_shape
        checks.check_translator("generator", self.generator)
        checks.check_pair_fits(given, made, self.discriminator.input_shape)
        checks.check_logits(self.discriminator)

    def check_batch(self, batch: Any) -> None:
        inputs, targets, _ = keras.utils.unpack_x_y_sample_weight(batch)
        checks.check_pair(inputs, targets, "fit(inputs, targets)")
        checks.check_images(inputs, self.generator.input_shape[1:], "generator")
        checks.check_images(targets, self.generator.output_shape[1:], "generator", "makes")
        checks.check_lengths(inputs, targets)

    def images_to_make(self, batch: Any) -> list[tuple[keras.Model, Any]]:
        _, targets, _ = keras.utils.unpack_x_y_sample_weight(batch)
        return [(self.generator, targets)]

    def _check_data(self, x, y, batch_size, training=False):
        checks.check_paired(x)
        return super()._check_data(x, y, batch_size, training)

    def unpack(self, data: Any) -> Any:
        inputs, targets, _ = keras.utils.unpack_x_y_sample_weight(data)
        return ops.cast(inputs, "float32"), ops.cast(targets, "float32")

    def vary(self, batch: Any) -> Any:
        if self.jitter is None:
            return batch
        changed = self.jitter(ops.concatenate(batch, axis=-1), training=True)
        return tuple(ops.split(changed, [batch[0].shape[-1]], axis=-1))

    def real_in(self, batch: Any) -> Any:
        return batch[1]

    def given_in(self, batch: Any) -> dict[str, Any]:
        return {"image": batch[0]}

    def real_and_generated(
        self, data: Any, rng: np.random.Generator, domain: str = ""
    ) -> tuple[Any, Any]:
        inputs, targets = self.unpack(data)
        return targets, self.translate(checks.to_numpy(inputs))

    def play(self, batch: Any, training: bool = True) -> dict[str, Any]:
        generator = self.in_use(self.generator, training)
        return {"image": ops.cast(generator(batch[0], training=training), "float32")}

    def to_judge(self, images: Any, batch: Any, training: bool = True) -> Any:
        return self.augment(ops.concatenate([batch[0], images], axis=-1), training)

    def generator_loss(
        self, batch: Any, outputs: dict[str, Any], training: bool = True
    ) -> dict[str, Any]:
        distance = ops.mean(ops.abs(batch[1] - outputs["image"]))
        adversarial = super().generator_loss(batch, outputs, training)
        return {**adversarial, "l1": self.l1_weight * distance}

    def translate(self, images: npt.ArrayLike, batch_size: int = 8, **unknown: Any) -> np.ndarray:
        """Returns the translations of images, the same on every call.

        Args:
            images: float array `(n, height, width, channels)` in [-1, 1].
            batch_size: how many at a time. Default: 8.

        Returns:
            float32 NumPy array `(n, height, width, output channels)` in the generator's range.

        Raises:
            ValueError: if the images do not match the generator's input.
            TypeError: for an argument that does not exist, such as `direction`.
        """
        if unknown:
            raise TypeError(
                "A Pix2Pix translates one way only: call translate(images, batch_size=8). "
                f"Received: unknown arguments {', '.join(unknown)}"
            )
        return self.translate_by(self.generator, images, batch_size)

    def export(
        self, path: str | os.PathLike, formats: Sequence[str] | None = None, **options: Any
    ) -> Any:
        """Exports the generator, see `AdversarialModel.export`: `image` in, `translated_image` out.

        The file matches `translate` within an error of 1e-4.
        """
        return self.export_generator(self.generator, path, formats, options)
