"""Augmentations of real and generated images before the discriminator judges them.

Pass them as a list to `compile(augmentations=[...])`. They are differentiable, so the generator
learns through them, draw new random numbers in every call, and are used in training only.
"""

from collections.abc import Sequence
from typing import Any, Self

import keras
from keras import ops

from kgan.utils import numbers

TRANSLATION = 1 / 8
CUTOUT = 1 / 2


@keras.saving.register_keras_serializable("kgan")
class DiffAugment:
    """Random colour, translation and cutout, for small data sets.

    Args:
        policy: any of `"color"`, `"translation"` and `"cutout"`, in the order of use. Default: all.

    Raises:
        ValueError: for an unknown or empty policy.

    Reference: Zhao et al., Differentiable Augmentation for Data-Efficient GAN Training, 2020
    (arXiv:2006.10738), with its strengths: brightness ±0.5, saturation 0 to 2, contrast 0.5 to
    1.5, translation by up to 1/8 of the size, a hole of half the size.
    """

    def __init__(self, policy: str | Sequence[str] = ("color", "translation", "cutout")) -> None:
        known = {"color": _color, "translation": _translation, "cutout": _cutout}
        names = [policy] if isinstance(policy, str) else policy
        self.policy = tuple(names) if isinstance(names, (list, tuple)) else ()
        if not self.policy or not all(name in tuple(known) for name in self.policy):
            raise ValueError(
                f"policy must be made of {', '.join(map(repr, known))}. Received: policy={policy!r}"
            )
        self.functions = [known[name] for name in self.policy]

    def __call__(self, images: Any, seed: Any) -> Any:
        """Returns changed images.

        Args:
            images: `(batch, height, width, channels)`, float32.
            seed: a `keras.random.SeedGenerator`.
        """
        for function in self.functions:
            images = function(images, seed)
        return images

    def get_config(self) -> dict[str, Any]:
        return {"policy": list(self.policy)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**config)


@keras.saving.register_keras_serializable("kgan")
class InstanceNoise:
    """Normal noise on real and generated samples, which makes their distributions overlap.

    Args:
        stddev: its standard deviation. Default: 0.1.

    Raises:
        ValueError: if it is negative.

    Reference: Sønderby et al., Amortised MAP Inference for Image Super-resolution, 2017, section
    3.3; Arjovsky and Bottou, Towards Principled Methods for Training GANs, 2017.
    """

    def __init__(self, stddev: float = 0.1) -> None:
        self.stddev = numbers.factor("stddev", stddev)

    def __call__(self, images: Any, seed: Any) -> Any:
        """Returns the samples with noise; arguments as for `DiffAugment`."""
        return images + keras.random.normal(ops.shape(images), stddev=self.stddev, seed=seed)

    def get_config(self) -> dict[str, Any]:
        return {"stddev": self.stddev}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**config)


def check(augmentations: Any) -> list[Any]:
    """Returns the augmentations as a list.

    Raises:
        ValueError: if one cannot be called.
    """
    if not isinstance(augmentations, (list, tuple)):
        augmentations = [augmentations]
    augmentations = list(augmentations)
    for augmentation in augmentations:
        if not callable(augmentation) or isinstance(augmentation, type):
            raise ValueError(
                "augmentations must be objects of kgan.augmentations, such as DiffAugment(). "
                f"Received: {augmentation!r}"
            )
    return augmentations


def _uniform(images, seed, low, high):
    """One number for each image."""
    return keras.random.uniform((ops.shape(images)[0], 1, 1, 1), low, high, seed=seed)


def _color(images, seed):
    images = images + _uniform(images, seed, -0.5, 0.5)
    grey = ops.mean(images, axis=3, keepdims=True)
    images = grey + _uniform(images, seed, 0.0, 2.0) * (images - grey)
    level = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    return level + _uniform(images, seed, 0.5, 1.5) * (images - level)


def _translation(images, seed):
    """Shifts each image by whole pixels and fills with 0.

    It multiplies by shift matrices, which all backends can differentiate any number of times.
    """
    _, height, width, _ = images.shape
    rows = _shift(images, seed, height)
    columns = _shift(images, seed, width)
    images = ops.einsum("bij,bjwc->biwc", rows, images)
    return ops.einsum("bij,bhjc->bhic", columns, images)


def _shift(images, seed, size):
    reach = int(size * TRANSLATION + 0.5)
    by = ops.floor(_uniform(images, seed, -reach, reach + 1))[:, :, :, 0]
    position = ops.arange(size, dtype="float32")
    return ops.cast(position[None, :, None] + by == position[None, None, :], images.dtype)


def _cutout(images, seed):
    _, height, width, _ = images.shape
    rows = _inside(images, seed, height)[:, :, None, None]
    columns = _inside(images, seed, width)[:, None, :, None]
    return images * (1 - rows * columns)


def _inside(images, seed, size):
    """1 where a hole of CUTOUT times the size lies along one axis; it may reach over the edge."""
    hole = int(size * CUTOUT + 0.5)
    centre = ops.floor(_uniform(images, seed, 0, size + (1 - hole % 2)))[:, :, 0, 0]
    offset = ops.arange(size, dtype="float32")[None] - (centre - hole // 2)
    return ops.cast(ops.logical_and(offset >= 0, offset < hole), images.dtype)
