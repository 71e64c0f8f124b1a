"""PatchGAN: a discriminator with a logit for each patch of an image.

Reference: Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, 2017
(arXiv:1611.07004), sections 3.2.2 and 6.1.2.
"""

from collections.abc import Sequence

import keras
from keras import layers

from kgan.layers import SpectralNormalization
from kgan.networks.arguments import check_arguments, halvings
from kgan.networks.repeatable import repeatable
from kgan.networks.translation import normal, normalization_maker
from kgan.utils import numbers

# Layers of stride 2 by the side of the patch that a logit sees; 1 pixel has layers of its own.
STRIDED = {1: 0, 16: 1, 34: 2, 70: 3, 142: 4, 286: 5}


@repeatable
def patch_discriminator(
    image_shape: Sequence[int] = (256, 256, 3),
    width: int = 64,
    receptive_field: int | None = 70,
    normalization: str | None = "instance",
    spectral: bool = False,
    seed: int | None = None,
) -> keras.Model:
    """A PatchGAN discriminator, which judges patches or the whole image.

    `kgan.Pix2Pix` gives it input and output concatenated along the channels: build it for the sum,
    `(height, width, input_channels + output_channels)`. In `kgan.CycleGAN` it sees the images of
    one domain.

    Args:
        image_shape: `(height, width, channels)`, any positive sizes.
        width: filters of the first layer; each after it has twice as many, up to eight times.
            Default: 64, as in the paper.
        receptive_field: side in pixels of the patch that a logit sees: 1, 16, 34, 70 (default),
            142 or 286; or None for one logit for the whole image. With instance norm every logit
            also depends on the mean and variance of the whole image.
        normalization: `"instance"` (default), `"batch"` or None, in every layer except the first
            and the last, and those whose map is a single pixel. With a gradient penalty use
            `"instance"` or None, since it needs the gradient of each sample by itself.
        spectral: whether every layer is divided by its spectral norm. Default: False.
        seed: seed of the initial weights: an int gives the same ones on every call, on one backend.
            Default: None, Keras's global seed decides.

    Returns:
        A `keras.Model` from `image` `(batch, *image_shape)` to logits, float32:
        `(batch, rows, columns, 1)`, with one row for each 8 of the image at the default field; or
        `(batch, 1)` for the whole image.

    Raises:
        ValueError: if a size is not a positive integer, or the receptive field or normalisation
            is unknown.
    """
    shape = check_arguments(image_shape, width=width)
    spectral = numbers.flag("spectral", spectral)
    known = numbers.is_integer(receptive_field) and receptive_field in STRIDED
    if receptive_field is not None and not known:
        raise ValueError(
            f"receptive_field must be one of {', '.join(map(str, STRIDED))} pixels, or None for "
            f"the whole image. Received: receptive_field={receptive_field!r}"
        )
    norm = normalization_maker(normalization)

    def wrap(layer, **options):
        return SpectralNormalization(layer, **options) if spectral else layer

    image = keras.Input(shape, name="image")
    x = image
    hidden = _hidden(shape, receptive_field)
    for step, (size, stride) in enumerate(hidden):
        # An instance norm would make a map of one pixel 0.
        normed = norm is not None and step > 0 and max(x.shape[1:3]) > stride
        filters = width * 2 ** min(step, 3)
        options = {"use_bias": not normed, "kernel_initializer": normal()}
        x = wrap(layers.Conv2D(filters, size, stride, "same", **options))(x)
        x = layers.LeakyReLU(0.2)(norm()(x) if normed else x)
    options = {"kernel_initializer": normal(), "dtype": "float32", "name": "logit"}
    if receptive_field is None:
        x = layers.Flatten()(x)
        last = layers.Dense(1, **options)
    else:
        last = layers.Conv2D(1, hidden[-1][0], padding="same", **options)
    return keras.Model(image, wrap(last, dtype="float32", name="logit")(x), name="discriminator")


def _hidden(shape, receptive_field):
    """The kernel size and stride of each layer before the last."""
    if receptive_field is None:
        return [(4, 2)] * max(halvings(shape), 1)
    if receptive_field == 1:
        return [(1, 1), (1, 1)]
    return [(4, 2)] * STRIDED[receptive_field] + [(4, 1)]
