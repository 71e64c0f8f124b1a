"""Checks of labels, pairs and sample weights."""

import keras
import numpy as np

from kgan.checks.forms import even, is_float
from kgan.generation.inputs import Label
from kgan.utils.advice import advice


def check_labels(labels, num_classes, count):
    """Raises a ValueError unless labels are integers of known classes, one per image.

    Args:
        labels: what was given as labels.
        num_classes: how many classes there are.
        count: how many images the labels go with.

    Returns:
        The labels, int32 `(count,)`.
    """
    if labels is None:
        raise ValueError(
            "This model is trained with labels: "
            + advice(
                "give them beside the images, as in fit(images, labels). ",
                "take data that have some. ",
            )
            + "Received: no labels"
        )
    return Label(num_classes).check(np.atleast_1d(even(labels)), count)


def check_pair(first, second, call):
    """Raises a ValueError if one of two kinds of images is missing."""
    if first is None or second is None:
        raise ValueError(
            f"Give two kinds of images: {call}, or a stream whose batches are tuples of both. "
            f"Received: {'nothing' if first is None else 'one kind'}"
        )


def check_paired(stream):
    """Raises a ValueError for a stream of two domains, whose images are not paired."""
    if getattr(stream, "unpaired", False):
        counts = " and ".join(str(len(source.items)) for source in stream.sources)
        raise ValueError(
            "Each input needs its target, but these images are not paired: read pairs with "
            "kgan.data.image_pairs, or learn from two domains with kgan.CycleGAN. "
            f"Received: a stream of two domains, {counts} images"
        )


def check_lengths(inputs, targets):
    """Raises a ValueError unless each input has its target."""
    if len(inputs) != len(targets):
        raise ValueError(
            "Each input needs its target, in the same order. "
            f"Received: {len(inputs)} inputs and {len(targets)} targets"
        )


def check_no_weights(options):
    """Raises a ValueError for sample weights, which games do not support."""
    for name in ("sample_weight", "class_weight"):
        if options.get(name) is not None:
            raise ValueError(
                "A GAN does not weigh its samples: omit the weights, or repeat samples that should "
                f"count more. Received: {name}={options[name]!r}"
            )


def check_finite(batch):
    """Raises a ValueError for arrays of floats with a value that is NaN or infinite."""
    for array in keras.tree.flatten(batch):
        array = np.asarray(array)
        if array.size and is_float(array.dtype):
            low, high = array.min(), array.max()
            if not (np.isfinite(low) and np.isfinite(high)):
                raise ValueError(
                    "Samples must be finite: remove those that are not. "
                    f"Received: range [{low}, {high}]"
                )
