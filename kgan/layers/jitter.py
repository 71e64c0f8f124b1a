"""The random jitter of the image translation papers, built from Keras layers."""

from collections.abc import Sequence

import keras

from kgan.utils import numbers


def jitter(
    image_size: Sequence[int],
    enlarged: Sequence[int] | None = None,
    flip: bool = True,
    seed: int | None = None,
) -> keras.Sequential:
    """Returns a layer that enlarges images, crops them randomly and may flip them.

    Give it to `kgan.Pix2Pix` or `kgan.CycleGAN` as `jitter=`. The images of a pair are
    concatenated along the channels so that both change alike; all images of a batch are cropped
    at the same place.

    Args:
        image_size: `(height, width)` of the images.
        enlarged: the size before the crop. Default: 286/256 of the image size, as in the papers.
        flip: whether to mirror a random half of the images left to right. Default: True.
        seed: seed of its random numbers. Default: a random one.

    Returns:
        A `keras.Sequential` of `Resizing`, `RandomCrop` and `RandomFlip`.

    Raises:
        ValueError: if a size is not two positive integers, or the enlarged one is smaller.

    Reference: Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, 2017
    (arXiv:1611.07004), section 6.2.
    """
    form = ("height", "width")
    image_size = height, width = numbers.counts("image_size", image_size, form)
    if enlarged is None:
        enlarged = [round(size * 286 / 256) for size in image_size]
    enlarged, seed = numbers.counts("enlarged", enlarged, form), numbers.seed(seed)
    if enlarged[0] < height or enlarged[1] < width:
        raise ValueError(
            "enlarged must be at least the size of the images. "
            f"Received: enlarged={enlarged}, image_size={image_size}"
        )
    parts = [
        keras.layers.Resizing(*enlarged, dtype="float32"),
        keras.layers.RandomCrop(height, width, seed=seed, dtype="float32"),
    ]
    if numbers.flag("flip", flip):
        parts.append(keras.layers.RandomFlip("horizontal", seed=seed, dtype="float32"))
    return keras.Sequential(parts, name="jitter")
