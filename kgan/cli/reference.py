"""The real images that the command measures generated ones beside."""

import dataclasses
from typing import Any

import numpy as np

from kgan.cli.sources import is_folder, looked_up

AT_ONCE = 64  # images read at a time
HELD_OUT = 0.1  # of the images, by kgan train --metrics
RESIZE = "bilinear with antialiasing"  # what kgan.images.resize and kgan.data do
CROP = "cut to its proportions"


@dataclasses.dataclass
class Reference:
    """Real images.

    Attributes:
        chosen: an array or a stream of those that generated ones stand beside.
        labels: what the generator is asked for, None if it is asked for none.
        others: batches of those that were not chosen.
        left: how many these are.
        known: all images with their own labels, where there are any.
    """

    chosen: Any
    labels: Any = None
    others: Any = ()
    left: int = 0
    known: tuple = (None, None)

    def __len__(self):
        """How many were chosen, of two domains of each."""
        if hasattr(self.chosen, "sources"):
            return min(len(source.items) for source in self.chosen.sources)
        return len(self.chosen)


def images(
    source,
    shape,
    count,
    seed,
    *,
    held=None,
    num_classes=None,
    teach=False,
    split="train",
    reading=None,
    **options,
):
    """Images of the shape that a generator gives, and labels to ask it for: a `Reference`.

    Args:
        source: "digits", a folder, or the name of a TensorFlow Datasets set.
        shape: `(height, width, channels)`.
        count: how many to choose at most, at random.
        seed: of the choice, and of labels where the data have none.
        held: the seed of a run, for the images that it held out alone; None for all.
        num_classes: of a conditional generator.
        teach: whether a classifier is to learn from the images that are known: of a set those of
            its training split, whatever is measured on, so that scores have the same features.
        split: of a set.
        reading: how files are read, arguments of `kgan.data.folder`.
        **options: of `kgan.data.tfds`.
    """
    from kgan import checks, data
    from kgan.generation.inputs import Label

    rng = np.random.default_rng(seed)
    if is_folder(source):
        stream = data.folder(source, shape[:2], channels=shape[2], **reading or {})
        stream = stream if held is None else without_held_out(stream, held)[1]
        order = rng.permutation(len(stream.sources[0].items))
        chosen, rest = order[:count], order[count:]
        read = part(stream, [chosen], AT_ONCE, shuffle=False)
        others = part(stream, [rest], AT_ONCE, shuffle=False).once(AT_ONCE) if len(rest) else ()
        if num_classes is None:
            return Reference(read, None, others, len(rest))
        read = np.concatenate([*read.once(AT_ONCE)])
        return Reference(read, Label(num_classes).draw(len(read), rng), others, len(rest))
    if source == "digits":
        real, own = data.digits(shape[0])
    else:
        options["image_size"] = shape[:2]
        with looked_up(source):
            real, own = data.tfds(source, split=split, **options)
    if real.shape[1:] != tuple(shape):
        raise ValueError(
            "The real images must have the shape of the generated ones: name other data, or a "
            "model trained on these. "
            f"Received: {source} with {real.shape[1:]}, a generator of {tuple(shape)}"
        )
    known = real, own
    if teach and split != "train" and source != "digits":
        known = data.tfds(source, split="train", **options)
    if held is not None:
        ((rows, _),) = held_out([len(real)], held)
        real, own = real[rows], None if own is None else own[rows]
    chosen = np.sort(rng.permutation(len(real))[:count])
    labels = None
    if num_classes is not None:
        labels = Label(num_classes).draw(len(real), rng) if own is None else own
        labels = checks.check_labels(labels, num_classes, len(real))[chosen]
    rest = np.setdiff1d(np.arange(len(real)), chosen)
    others = (real[rest[i : i + AT_ONCE]] for i in range(0, len(rest), AT_ONCE))
    return Reference(real[chosen], labels, others, len(rest), known)


def pairs(source, targets, shapes, count, seed, held, swap, **reading):
    """Inputs and targets, of the shapes that a translator takes and gives: a `Reference`."""
    from kgan import data

    given, made = shapes
    reading |= {"channels": (given[2], made[2]), "swap": swap}
    stream = data.image_pairs(source, targets, given[:2], **reading)
    return _some(stream, count, seed, held)


def domains(folders, shapes, count, seed, held, **reading):
    """Images of A and of B, as many of each as the smaller folder has: a `Reference`."""
    from kgan import data

    reading["channels"] = tuple(shape[2] for shape in shapes)
    stream = data.image_domains(*folders, shapes[0][:2], **reading)
    return _some(stream, count, seed, held)


def resize(interpolation):
    """What the protocol says of an argument `interpolation` of `kgan.data`."""
    if isinstance(interpolation, tuple):
        return " and ".join(map(resize, interpolation))
    return RESIZE if interpolation == "bilinear" else interpolation


def held_out(counts, seed):
    """What `kgan train --metrics` holds out, and what it trains on.

    Args:
        counts: how many images there are of each kind.
        seed: of the run.

    Returns:
        For each kind the places of those held out and of the others, in order.
    """
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(count) for count in counts]
    cuts = [round(count * HELD_OUT) for count in counts]
    return [
        (np.sort(order[:cut]), np.sort(order[cut:]))
        for order, cut in zip(orders, cuts, strict=True)
    ]


def without_held_out(stream, seed):
    """Two streams: of the images that are left to train on, and of those held out."""
    parts = held_out([len(source.items) for source in stream.sources], seed)
    held, left = zip(*parts, strict=True)
    return (
        part(stream, left, stream.batch_size, seed=seed),
        part(stream, held, max(stream.batch_size, 8), shuffle=False),
    )


def _some(stream, count, seed, held):
    """A `Reference` of some of the images, chosen at random, in a fixed order."""
    stream, rng = (
        stream if held is None else without_held_out(stream, held)[1],
        np.random.default_rng(seed),
    )
    if held is not None and count >= stream.length:
        return Reference(stream)  # as training had it, so that the scores are the same
    count = min(count, *(len(source.items) for source in stream.sources))
    chosen = [rng.permutation(len(source.items))[:count] for source in stream.sources]
    return Reference(part(stream, chosen, AT_ONCE, shuffle=False))


def part(stream, chosen, batch_size, **options):
    """A stream of chosen images of each source, of None all."""
    from kgan.data.image_stream import ImageStream

    chosen = chosen or [range(len(source.items)) for source in stream.sources]
    sources = [
        source.part(np.sort(rows)) for source, rows in zip(stream.sources, chosen, strict=True)
    ]
    return ImageStream(sources, batch_size, **options)
