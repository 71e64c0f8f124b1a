"""Translation and export of a trained image-to-image model."""

import os
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from kgan import checks
from kgan.checks.value_range import value_range
from kgan.generation.inputs import Given, Input


class Translation:
    """Sampling and export for models that take images instead of latents."""

    # ONNX has one name space, so the output cannot have the name of the input.
    output_name = "translated_image"

    @property
    def takes(self) -> tuple[Input, ...]:
        """An image in [-1, 1], see `AdversarialModel.takes`."""
        return self.takes_of(self.generator)

    def takes_of(self, generator: keras.Model) -> tuple[Input, ...]:
        return (Given("image", generator.input_shape[1:], (-1.0, 1.0)),)

    def translate_by(
        self, generator: keras.Model, images: npt.ArrayLike, batch_size: int
    ) -> np.ndarray:
        """Returns the translations of images by one of the generators, or by its average.

        Raises:
            ValueError: if the images do not match its input.
        """
        if not (isinstance(images, (list, tuple)) or checks.is_arrays(images)):
            raise ValueError(
                "translate() takes an array of images: go through a stream batch by batch, as in "
                "[model.translate(batch) for batch in stream]. "
                f"Received: a {type(images).__name__}"
            )
        checks.check_images(images, generator.input_shape[1:], "generator")
        if value_range(generator) != (0, 1):  # else its inputs may well lie there
            checks.warn_of_half_range(np.asarray(images))
        network = self.in_use(generator, training=False)
        return self.images_of(np.asarray(images), batch_size=batch_size, network=network)

    def generate(
        self, n: Any = None, seed: Any = None, batch_size: int = 8, **given: Any
    ) -> np.ndarray:
        """Returns the translations of `image=`, as `translate` does; these models have no latents.

        Raises:
            TypeError: without images.
        """
        if given.get("image") is None:
            raise TypeError(
                f"A {type(self).__name__} makes images of images: call translate(images). "
                "Received: a call of generate()"
            )
        return self.translate(given["image"], batch_size=batch_size)

    def draw_latents(self, *args: Any, **kwargs: Any) -> np.ndarray:
        """Raises an error: these models have no latents, see `generate`."""
        return self.generate()

    def export_generator(
        self,
        generator: keras.Model,
        path: str | os.PathLike,
        formats: Sequence[str] | None,
        options: dict[str, Any],
    ) -> Any:
        """Exports one of the generators: `image` in, `translated_image` out."""
        # Instance normalisation divides by small deviations, which makes rounding larger.
        options = {"tolerance": 1e-4, **options}
        options["metadata"] = {"input_range": [-1, 1], **(options.get("metadata") or {})}
        return super().export_generator(generator, path, formats, options)
