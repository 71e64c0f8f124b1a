"""What the options of the command stand for: models, sizes, what `train` fits."""

import dataclasses
import enum
from typing import Any

from kgan.cli import sources


class Network(enum.StrEnum):
    """Families in `kgan.networks`."""

    dcgan = "dcgan"
    mlp = "mlp"
    resnet = "resnet"


class Kind(enum.StrEnum):
    """Models that `train` can make; conditional and acgan learn from labels."""

    gan = "gan"
    conditional = "conditional"
    acgan = "acgan"
    pix2pix = "pix2pix"
    cyclegan = "cyclegan"


@dataclasses.dataclass
class Run:
    """What `train` fits: a model on images, drawn by a callback."""

    model: Any
    images: Any  # arrays or a stream
    picture: Any  # a callback
    shape: tuple
    batch_size: int | None = None  # of arrays
    labels: Any = None  # that the model learns from
    known: Any = None  # those of the data, from which a classifier for measures can learn

    def monitor(self, log, coverage=None):
        """The callback that says what goes wrong, also in a file, and may count modes."""
        from kgan.callbacks import CollapseMonitor

        # A translator is shown large images, one after the other: fewer will do.
        count = 16 if hasattr(self.model, "translate") else 64
        return CollapseMonitor(count, coverage=coverage, log=log)

    def __str__(self):
        """What is learned from, and how much of it."""
        translates = hasattr(self.model, "translate")
        kind, shape = "images", self.shape
        counts = [len(self.images)]
        if hasattr(self.images, "sources"):
            counts = [len(s.items) - len(s.unreadable) for s in self.images.sources]
        if translates:
            generator = self.model.generators[0]
            made = tuple(generator.output_shape[1:])
            shape = shape if made == tuple(shape) else f"{shape} -> {made}"
            kind = "images" if self.images.unpaired else "pairs of images"
        return f"{' and '.join(map(str, counts))} {kind} {shape}"

    def left_out(self, validation=None):
        """How many images could not be read, of which the run learned nothing; and of how many.

        Args:
            validation: a stream of those held out, or None.
        """
        streams = self.images, validation
        sources = [source for stream in streams for source in getattr(stream, "sources", ())]
        return sum(len(s.unreadable) for s in sources), sum(len(s.items) for s in sources)

    def rate(self, rate, epochs, decay):
        """The learning rate of `--learning-rate` and `--decay`."""
        if not decay:
            return rate
        from kgan.schedules import LinearDecay

        batches = len(self.images) // (self.batch_size or 1)
        return LinearDecay(rate, epochs * max(batches, 1))


def size(text):
    """The `(height, width)` that "64" or "96x128" means, None for none."""
    if text is None:
        return None
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() and int(side) for side in sides):
        raise ValueError(
            "--image-size is one number for squares, or height and width as in 96x128. "
            f"Received: --image-size {text}"
        )
    return int(sides[0]), int(sides[-1])


def channels(text):
    """The number that "3" means, or the two of "3,1"."""
    parts = text.split(",")
    if len(parts) > 2 or not all(part in ("1", "3") for part in parts):
        raise ValueError(
            "--channels is 1 or 3, or two of these as in 3,1 for inputs and targets. "
            f"Received: --channels {text}"
        )
    return int(parts[0]) if len(parts) == 1 else tuple(map(int, parts))


def refuse_for_gans(**options):
    """Raises a ValueError for an option that only translators know."""
    for name, value in options.items():
        if value:
            raise ValueError(
                f"Only a translator, as of --model pix2pix, takes --{name}: leave it out. "
                f"Received: --{name}{'' if value is True else f' {value}'}"
            )


def refuse_for_translators(**options):
    """Raises a ValueError for an option that only GANs of latents know."""
    for name, value in options.items():
        if value is not None:
            raise ValueError(
                "Translators have networks of their own, without latents: leave it out. "
                f"Received: --{name.replace('_', '-')} {value}"
            )


def prepare(kind, data, samples, *, network, latent_dim, width, seed, batch_size, **options):
    """A `Run` that learns to make images.

    Args:
        kind, data: the model and the first argument of `train`; the others are its options.
        samples: the folder of pictures.
        **options: see `sources.load_images`.
    """
    import keras

    import kgan

    images, labels = sources.load_images(data, batch_size=batch_size, seed=seed, **options)
    stream = isinstance(images, keras.utils.PyDataset)
    shape = (images[0] if stream else images).shape[1:]
    if stream:
        images.sources[0].tell()  # of what is broken among these, before it is counted
    return Run(
        make_model(kind, network, shape, latent_dim, width, labels, seed),
        images,
        kgan.callbacks.SampleGrid(samples, seed=seed, film=True),
        shape,
        None if stream else batch_size,
        None if kind is Kind.gan else labels,
        labels,
    )


def make_model(kind, network, shape, latent_dim, width, labels, seed):
    """A model of a kind with networks of a family."""
    import kgan

    generator = getattr(kgan.networks, f"{network}_generator")
    discriminator = getattr(kgan.networks, f"{network}_discriminator")
    if kind is Kind.gan:
        return kgan.GAN(generator(shape, latent_dim, width), discriminator(shape, width), seed=seed)
    if labels is None:
        raise ValueError(
            f"This data has no labels to learn from: train a plain GAN. Received: --model {kind}"
        )
    classes = {"num_classes": int(labels.max()) + 1}
    if kind is Kind.conditional:
        judge, model = discriminator(shape, width, **classes), kgan.ConditionalGAN
    else:
        judge = discriminator(shape, width, conditioning="auxiliary", **classes)
        model = kgan.ACGAN
    return model(generator(shape, latent_dim, width, **classes), judge, **classes, seed=seed)


def labels_for(model, label):
    """The arguments of `generate` for `--label`."""
    if label is None:
        return {}
    if not hasattr(model, "draw_labels"):
        raise ValueError(
            "This GAN knows no classes: leave out --label. "
            f"Received: --label {label} for a {type(model).__name__}"
        )
    return {"labels": label}
