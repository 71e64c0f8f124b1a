"""What the arguments of the command stand for: models, images, runs, saved GANs."""

import dataclasses
import enum
import shutil
import zipfile
from pathlib import Path
from typing import Any

RUN = ("gan.keras", "checkpoint.keras", "export_report.json")  # in the folder of a run or bundle


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
            counts = [len(source.items) for source in self.images.sources]
        if translates:
            generator = self.model.generators[0]
            made = tuple(generator.output_shape[1:])
            shape = shape if made == tuple(shape) else f"{shape} -> {made}"
            kind = "images" if self.images.unpaired else "pairs of images"
        return f"{' and '.join(map(str, counts))} {kind} {shape}"

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


def the_only_run(out):
    """A context in which no other run can write into a folder; a ValueError if one does."""
    from kgan.utils.locks import locked

    return locked(
        out / ".run.lock",
        "Another run writes into this folder: wait for its end, or name another with --out.",
    )


def check_run(checkpoint, out, resume, overwrite):
    """Makes sure that a run goes on or starts as was asked for."""
    if resume and not checkpoint.is_file():
        raise ValueError(
            "There is no checkpoint to go on from: leave out --resume, or name the folder of the "
            f"run with --out. Received: --resume with --out {out}"
        )
    saved = [out / name for name in ("gan.keras", "best.keras")]
    if not resume and any(file.is_file() for file in (checkpoint, *saved)):
        if not overwrite:
            raise ValueError(
                f"There is a run in {out} already: add --resume to go on with it, or --overwrite "
                f"to start anew, or name another folder with --out. Received: --out {out}"
            )
        checkpoint.unlink(missing_ok=True)
        shutil.rmtree(out / "samples", ignore_errors=True)
        # Else they would be taken for those of the new run.
        for file in (*saved, out / "report.html", *out.glob("scores*.json")):
            file.unlink(missing_ok=True)


def prepare(kind, data, samples, *, network, latent_dim, width, seed, batch_size, **options):
    """A `Run` that learns to make images.

    Args:
        kind, data: the model and the first argument of `train`; the others are its options.
        samples: the folder of pictures.
        **options: see `load_images`.
    """
    import keras

    import kgan

    images, labels = load_images(data, batch_size=batch_size, **options)
    stream = isinstance(images, keras.utils.PyDataset)
    shape = (images[0] if stream else images).shape[1:]
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


def load_images(data, *, image_size, channels, batch_size, data_dir, download, **reading):
    """Images, or a stream of them, and labels if the data has any."""
    from kgan import data as sources

    if is_folder(data):
        if not image_size:
            raise ValueError(
                "A folder of images needs --image-size, since they may differ. "
                f"Received: {data} without --image-size"
            )
        options = {"channels": channels, "batch_size": batch_size, **reading}
        return sources.folder(data, image_size, **options), None
    if data == "digits":
        return sources.digits(*_side(image_size))
    return sources.tfds(data, data_dir=data_dir, download=download, image_size=image_size)


def is_folder(data):
    """Whether the first argument of a command names a folder of images, not a set or a run.

    A run is kept in a folder, too, often one named after its data: its pictures are no data.
    """
    path = Path(data)
    places = (path, path.parent) if path.name == "samples" else (path,)
    return path.exists() and not any((place / name).exists() for place in places for name in RUN)


def _side(image_size):
    if image_size and image_size[0] != image_size[1]:
        raise ValueError(
            "The digits are square: give one number. "
            f"Received: --image-size {image_size[0]}x{image_size[1]}"
        )
    return image_size[:1] if image_size else ()


def saved_in(path):
    """The saved GAN in the folder of a run, or the path itself."""
    return path / "gan.keras" if (path / "gan.keras").is_file() else path


def load_model(path):
    """A saved GAN, or a ValueError that says why it is none."""
    from kgan import AdversarialModel
    from kgan.training import serialization

    path = saved_in(path)
    if path.suffix in (".onnx", ".tflite") and path.is_file():
        raise ValueError(
            "An exported file is for kgan translate, kgan evaluate and kgan verify: name the saved "
            "GAN here, such as run/gan.keras. "
            f"Received: {path}"
        )
    if not path.is_file():
        raise ValueError(f"There is no saved GAN here. Received: {path}")
    if not zipfile.is_zipfile(path):
        raise ValueError(
            "This file is damaged, or not a model saved by Keras: train anew, or name another. "
            f"Received: {path}"
        )
    try:
        model = serialization.load(path)
    except ValueError as error:
        raise ValueError(
            "This file cannot be loaded as a GAN. The command knows the classes "
            "of kgan alone: a model of your own class is for a program that defines it. "
            f"Received: {path} ({error})"
        ) from error
    if not isinstance(model, AdversarialModel):
        raise ValueError(
            "This file holds another kind of model: name a GAN, such as run/gan.keras. "
            f"Received: {path} with a {type(model).__name__}"
        )
    return model


def load_sampler(path):
    """A saved GAN that makes images of latents."""
    model = load_model(path)
    if hasattr(model, "translate"):
        raise ValueError(
            f"This model makes images of images: use kgan translate or kgan grid. Received: {path} "
            f"with a {type(model).__name__}"
        )
    return model


def load_translator(path):
    """A saved model that makes images of images."""
    model = load_model(path)
    if not hasattr(model, "translate"):
        raise ValueError(
            "This model makes images of latents: use kgan sample. "
            f"Received: {path} with a {type(model).__name__}"
        )
    return model
