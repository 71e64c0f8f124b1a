"""The real images that the command measures generated ones beside."""

from pathlib import Path

import numpy as np

from kgan import checks

AT_ONCE = 64  # images read at a time
RESIZE = "bilinear with antialiasing"  # what kgan.images.resize and kgan.data.files do
CROP = "cut to its proportions"


def images(source, shape, count, seed, *, num_classes=None, **options):
    """Images of the shape that a generator gives, and labels to ask it for.

    Args:
        source: "digits", a folder, or the name of a TensorFlow Datasets set.
        shape: `(height, width, channels)`.
        count: how many to choose at most, at random.
        seed: of the choice, and of labels where the data have none.
        num_classes: of a conditional generator.
        **options: of `kgan.data.tfds`.

    Returns:
        `(images, labels, whole)`: an array or a stream of images; labels, or None if the generator
        is asked for none; and all images with their own labels, from before the choice.
    """
    from kgan import data

    rng = np.random.default_rng(seed)
    if Path(source).is_dir():
        stream = _some(data.folder(source, shape[:2], channels=shape[2]), count, rng)
        if num_classes is None:
            return stream, None, (None, None)
        real, own = np.concatenate([stream[i] for i in range(len(stream))]), None
    elif source == "digits":
        real, own = data.digits(shape[0])
    else:
        real, own = data.tfds(source, image_size=shape[:2], **options)
    if real.shape[1:] != tuple(shape):
        raise ValueError(
            "The real images must have the shape of the generated ones: name other data, or a "
            "model trained on these. "
            f"Received: {source} with {real.shape[1:]}, a generator of {tuple(shape)}"
        )
    chosen = np.sort(rng.permutation(len(real))[:count])
    labels = None
    if num_classes is not None:
        labels = rng.integers(num_classes, size=len(real)) if own is None else own
        labels = checks.check_labels(labels, num_classes, len(real))[chosen]
    return real[chosen], labels, (real, own)


def pairs(source, targets, shapes, count, seed, swap):
    """A stream of inputs and targets, of the shapes that a translator takes and gives."""
    from kgan import data

    given, made = shapes
    channels = (given[2], made[2])
    stream = data.image_pairs(source, targets, given[:2], swap=swap, channels=channels)
    return _some(stream, count, np.random.default_rng(seed))


def domains(folders, shapes, count, seed):
    """A stream of images of A and of B, as many of each as the smaller folder has."""
    from kgan import data

    channels = tuple(shape[2] for shape in shapes)
    stream = data.image_domains(*folders, shapes[0][:2], channels=channels)
    return _some(stream, count, np.random.default_rng(seed))


def split(stream, share, rng, seed):
    """Two streams: of the images that are left to train on, and of a share held out."""
    orders = [rng.permutation(len(source.items)) for source in stream.sources]
    counts = [round(len(order) * share) for order in orders]
    held, left = (
        [order[cut] for order, cut in zip(orders, cuts, strict=True)]
        for cuts in ([slice(n) for n in counts], [slice(n, None) for n in counts])
    )
    return (
        _part(stream, left, stream.batch_size, seed=seed),
        _part(stream, held, max(stream.batch_size, 8), shuffle=False),
    )


def _some(stream, count, rng):
    """A stream of some of the images, chosen at random, in a fixed order."""
    count = min(count, *(len(source.items) for source in stream.sources))
    chosen = [rng.permutation(len(source.items))[:count] for source in stream.sources]
    return _part(stream, chosen, AT_ONCE, shuffle=False)


def _part(stream, chosen, batch_size, **options):
    """A stream of chosen images of each source."""
    from kgan.data.image_stream import ImageStream, Samples

    sources = [
        Samples([source.items[i] for i in np.sort(rows)], source.read, source.corrupt)
        for source, rows in zip(stream.sources, chosen, strict=True)
    ]
    return ImageStream(sources, batch_size, **options)
