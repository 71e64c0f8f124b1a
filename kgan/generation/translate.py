"""What a trained translator gives: images of images, and files that give the same."""

import numpy as np

from kgan import checks
from kgan.checks.value_range import value_range
from kgan.generation.inputs import Given


class Translation:
    """Images in, images out, for people and for export: in place of latents in."""

    # ONNX has one name space, so the output cannot have the name of the input.
    output_name = "translated_image"

    @property
    def takes(self):
        """An image in [-1, 1], see `AdversarialModel.takes`."""
        return self.takes_of(self.generator)

    def takes_of(self, generator):
        return (Given("image", generator.input_shape[1:], (-1.0, 1.0)),)

    def translate_by(self, generator, images, batch_size):
        """Returns what one of the generators (or its average) makes of images.

        Raises:
            ValueError: if the images do not fit it.
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

    def generate(self, n=None, seed=None, batch_size: int = 8, **given):
        """The translations of `image=`, as `translate` gives them; there are no latents here.

        Raises:
            TypeError: without images.
        """
        if given.get("image") is None:
            raise TypeError(
                f"A {type(self).__name__} makes images of images: call translate(images). "
                "Received: a call of generate()"
            )
        return self.translate(given["image"], batch_size=batch_size)

    def draw_latents(self, *args, **kwargs):
        """There are no latents here, see `generate`."""
        return self.generate()

    def export_generator(self, generator, path, formats, options):
        """Exports one of the generators: `image` in, `translated_image` out."""
        # Instance normalisation divides by small deviations, which makes rounding larger.
        options = {"tolerance": 1e-4, **options}
        options["metadata"] = {"input_range": [-1, 1], **(options.get("metadata") or {})}
        return super().export_generator(generator, path, formats, options)
