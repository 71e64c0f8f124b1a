"""The recipe of a run: filled by the options of `kgan train`, kept in `settings.json`.

A new option is one field here, and the place where it is used.
"""

import contextlib
import dataclasses
import math
import typing
from pathlib import Path
from typing import Annotated

from kgan.cli import measures, reading
from kgan.cli.console import Seed, typer
from kgan.cli.kinds import BY_KIND, Kind, Network

# Marks of options: of those that say nothing of what comes out, and of those with which a run may
# go on otherwise than it began.
NOT_KEPT, MAY_CHANGE = "not kept", "may change"


@dataclasses.dataclass
class Recipe:
    """What a run is asked for, by the names of the options.

    Of a run whose settings say nothing of an option, the field is None.
    """

    data: Annotated[
        str,
        typer.Argument(
            help="**digits** (with scikit-learn), a folder of images, or the name of a TensorFlow "
            "Datasets set such as mnist. For pix2pix a folder of pairs side by side, or of inputs; "
            "for cyclegan one that holds trainA and trainB, or domain A, or a set such as "
            "cycle_gan/horse2zebra."
        ),
        MAY_CHANGE,
    ]
    targets: Annotated[
        Path | None,
        typer.Option(help="The folder of pix2pix's targets, or of cyclegan's B."),
        MAY_CHANGE,
    ] = None
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for gan.keras, samples/, log.csv, warnings.jsonl, settings.json, "
            "checkpoint.keras and, with --metrics, best.keras."
        ),
        NOT_KEPT,
    ] = Path("runs/gan")
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data."), MAY_CHANGE] = 20
    batch_size: Annotated[
        int | None,
        typer.Option(min=1, help="Images a step. Default: 64, or 1 for pix2pix and cyclegan."),
    ] = None
    model: Annotated[
        Kind,
        typer.Option(
            help="conditional and acgan learn to make the class they are asked for; pix2pix "
            "learns to translate images from pairs, cyclegan between two folders without pairs."
        ),
    ] = Kind.gan
    network: Annotated[
        Network | None,
        typer.Option(
            help="Family of the networks; pix2pix and cyclegan have their own. Default: dcgan."
        ),
    ] = None
    width: Annotated[int, typer.Option(min=1, help="Filters or units of the networks.")] = 64
    latent_dim: Annotated[
        int | None, typer.Option(min=1, help="Length of the latent. Default: 64.")
    ] = None
    loss: Annotated[
        str | None, typer.Option(help="The game: see kgan.losses. Default: the model's own.")
    ] = None
    learning_rate: Annotated[float, typer.Option(help="Of Adam, for both players.")] = 2e-4
    decay: Annotated[
        bool, typer.Option("--decay", help="Let the rate fall to zero in the second half.")
    ] = False
    image_size: Annotated[
        str | None,
        typer.Option(help="Resize to this height and width, as in 64 or 96x128."),
        reading.size,
    ] = None
    channels: Annotated[
        str,
        typer.Option(help="Of images in folders: 3, 1 (grey), or of both kinds as in 3,1."),
        reading.channels,
    ] = "3"
    background: reading.Background = "white"
    interpolation: reading.Interpolation = "bilinear"
    swap: Annotated[
        bool, typer.Option("--swap", help="Of pix2pix: the right image, or target, is the input.")
    ] = False
    jitter: Annotated[
        bool, typer.Option(help="Of pix2pix and cyclegan: random crops and mirroring.")
    ] = True
    data_dir: Annotated[
        Path | None, typer.Option(help="Where TensorFlow Datasets keeps its sets."), NOT_KEPT
    ] = None
    download: Annotated[bool, typer.Option(help="Whether to download a missing set."), NOT_KEPT] = (
        True
    )
    metrics: Annotated[
        str | None,
        typer.Option(
            help="Measure after each epoch, on a tenth of the images that is held out, and keep "
            "the best weights in best.keras by the first measure, which is frechet_distance, "
            "kernel_distance or sliced_wasserstein; more as in kgan evaluate, by commas."
        ),
    ] = None
    features: Annotated[str, typer.Option(help=measures.FEATURES)] = "pixels"
    seed: Seed = 0
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on with the run in --out, killed or finished."),
        NOT_KEPT,
    ] = False
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Start anew where --out holds a run already."),
        NOT_KEPT,
    ] = False

    def completed(self):
        """Returns the recipe with the defaults of its kind, sizes and channels as numbers.

        Raises:
            ValueError: for options that mean nothing, alone or together.
        """
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(
                "A rate of 0 learns nothing, and others than positive numbers spoil a run: take "
                f"one such as 2e-4. Received: --learning-rate {self.learning_rate}"
            )
        if self.metrics is None and self.features != "pixels":
            raise ValueError(
                "--features is for measures: add --metrics, such as frechet_distance. "
                f"Received: --features {self.features} without --metrics"
            )
        if self.resume and self.overwrite:
            raise ValueError(
                "A run goes on or starts anew: take one of the two. Received: --resume --overwrite"
            )
        own = self.model.defaults
        others = {name: getattr(self, name) for name in BY_KIND if name not in own}
        others.pop("jitter", None)  # which is on if nobody asks for it
        self.model.refuse_others(**others)
        defaults = {name: value for name, value in own.items() if getattr(self, name) is None}
        completed = dataclasses.replace(
            self,
            **dict.fromkeys(BY_KIND - own.keys()),
            **defaults,
            image_size=reading.size(self.image_size),
            channels=reading.channels(self.channels),
            features=self.metrics and self.features,
        )
        completed.image_options()
        return completed

    @classmethod
    def read(cls, content):
        """Returns the recipe in the content of a `settings.json`, of this version or an earlier.

        Earlier ones wrote all as text, and none knew the options of later ones. What is absent,
        or means nothing, is None.
        """
        return cls(**{name: _meant(name, content.get(name)) for name in _kept()})

    def kept(self):
        """The content of `settings.json`: what was asked for, without what was left out."""
        values = {name: getattr(self, name) for name in _kept()}
        return {
            name: str(value) if isinstance(value, Path) else value
            for name, value in values.items()
            if value is not None and value is not False
        }

    def changes(self, before):
        """How this recipe differs from that of a run, in what a run must have begun with.

        Returns:
            A list of texts, such as `"--width 16 (32)"`.
        """
        found = []
        for name in _kept():
            if MAY_CHANGE in _marks(name) and not (name == "epochs" and before.decay):
                continue
            now, then = getattr(self, name), getattr(before, name)
            chosen = [value is not None and value is not False for value in (now, then)]
            if all(chosen) and now != then:
                found.append(f"{_option(name)} {_text(name, now)} ({_text(name, then)})")
            elif any(chosen) and not all(chosen) and _absence_tells(name):
                found.append(f"{'with' if chosen[0] else 'without'} {_option(name)}")
        return found

    def image_options(self):
        """How the images are read: arguments of `kgan.data`, the defaults where none are known.

        Raises:
            ValueError: if the options mean nothing.
        """
        return reading.options(
            self.background or Recipe.background,
            self.interpolation or Recipe.interpolation,
            both=self.model is None or self.model.translates,
        )


def _kept():
    """The names of the options that `settings.json` holds."""
    names = [field.name for field in dataclasses.fields(Recipe)]
    return [name for name in names if NOT_KEPT not in _marks(name)]


def _absence_tells(name):
    """Whether a run without the option is one without it, and not one of an earlier version."""
    left_out = getattr(Recipe, name, "")
    return _type_of(name) is bool or (left_out is None and name not in BY_KIND)


def _marks(name):
    """What stands beside the type of a field: its option, its marks, what reads it."""
    return typing.get_args(Recipe.__annotations__[name])[1:]


def _type_of(name):
    """The type of a field that has a value."""
    kind = typing.get_args(Recipe.__annotations__[name])[0]
    return next((each for each in typing.get_args(kind) if each is not type(None)), kind)


def _meant(name, value):
    """What a value of `settings.json` stands for, None for nothing."""
    kind = _type_of(name)
    if kind is bool:
        return str(value) == "True"
    parse = next((each for each in _marks(name) if callable(each)), None)
    with contextlib.suppress(ValueError, TypeError, ArithmeticError):
        if parse is not None:
            return parse(value)
        if kind is not str or isinstance(value, str):
            return kind(value)
    return None


def _option(name):
    return f"--{name.replace('_', '-')}"


def _text(name, value):
    """A value as one gives it: `64x64` for a size, `3,1` for channels of two kinds."""
    if isinstance(value, tuple):
        return ("x" if name == "image_size" else ",").join(map(str, value))
    return str(value)
