"""The command that measures a GAN, saved or exported, beside real images."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Annotated, Any

from kgan import cli_arguments as arguments
from kgan import cli_reference as reference
from kgan import cli_translation as translation
from kgan.cli_shared import Seed, console, typer
from kgan.optional import require

MEASURES = {
    "frechet_distance": "FrechetDistance",
    "kernel_distance": "KernelDistance",
    "precision_recall": "PrecisionRecall",
    "sliced_wasserstein": "SlicedWasserstein",
    "multi_scale_similarity": "MultiScaleSimilarity",
    "duplicate_rate": "DuplicateRate",
}


def evaluate(
    model: Annotated[
        Path, typer.Argument(help="A GAN saved by kgan, or an exported .onnx or .tflite file.")
    ],
    data: Annotated[
        str,
        typer.Argument(
            help="The real images: **digits**, a folder, or the name of a TensorFlow Datasets set. "
            "Of a translator a folder of pairs side by side, of inputs, or of domain A."
        ),
    ],
    targets: Annotated[
        Path | None, typer.Option(help="The folder of a translator's targets, or of domain B.")
    ] = None,
    metrics: Annotated[
        str, typer.Option(help=f"Separated by commas, of {', '.join(MEASURES)}; or all.")
    ] = "frechet_distance,kernel_distance,precision_recall",
    features: Annotated[
        str,
        typer.Option(
            help="What the measures look at: pixels, inception, classifier (trained on the labels "
            "of the data, and kept for the next time), or a Keras model in a .keras file."
        ),
    ] = "pixels",
    count: Annotated[
        int, typer.Option(min=2, help="Images of each kind; all real ones if they are fewer.")
    ] = 10_000,
    split: Annotated[str, typer.Option(help="Of TensorFlow Datasets.")] = "train",
    swap: Annotated[
        bool | None,
        typer.Option(
            "--swap/--no-swap",
            help="Of pix2pix: whether the right image, or target, is the input. Default: as in "
            "training.",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where TensorFlow Datasets keeps its sets.")
    ] = None,
    download: Annotated[bool, typer.Option(help="Whether to download a missing set.")] = True,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(help="A file for the scores with their protocols, as JSON.")
    ] = None,
):
    """Measure generated images beside as many real ones.

    For example: **kgan evaluate run/gan.keras mnist --features classifier**, or
    **kgan evaluate bundle/generator.onnx photos/ --features inception --out scores.json**.
    A score says something beside another with the same protocol alone, so both stand in the file.
    """
    from kgan import scores
    from kgan.metrics import protocol

    model = arguments.saved_in(model)
    subject = _subject(model)
    context = {"model": model.name, "model_hash": _hash(model), "reference": data}
    labels, whole = None, (None, None)
    if subject.given is None:
        arguments.refuse_for_gans(targets=targets, swap=swap)
        classes = {"num_classes": subject.num_classes}
        options = {"split": split, "data_dir": data_dir, "download": download}
        real, labels, whole = reference.images(
            data, subject.made, count, seed, **classes, **options
        )
        if not (Path(data).is_dir() or data == "digits"):
            context["split"] = split
        if labels is not None and whole[1] is None:
            context["labels"] = "uniformly random"
    elif subject.domains:
        folders = translation.two_domains(data, targets, ("test", "train"))
        real = reference.domains(folders, subject.domains, count, seed)
    else:
        swap = translation.swapped(model, swap)
        real = reference.pairs(data, targets, (subject.given, subject.made), count, seed, swap)
    chosen = _metrics(metrics, _features(features, *whole))
    count = real.length if hasattr(real, "length") else len(real)
    progress = require("rich.progress", "cli", "The kgan command").Progress(
        console=console, transient=True
    )
    with progress:
        total = count * len(subject.measured.scored_domains)
        task = progress.add_task("Measuring", total=total)
        found = scores.measure(
            subject.measured,
            chosen,
            real,
            labels,
            seed=seed,
            tell=lambda images: progress.advance(task, images),
            **context,
        )
    _show(found)
    if out is not None:
        protocol.write(found, out)
        console.print(f"Wrote the scores with their protocols: {out}")


@dataclasses.dataclass
class _Subject:
    """What is measured: a saved GAN or an exported file.

    Attributes:
        measured: what `kgan.scores.measure` asks for images.
        made: the shape of its images.
        given: that of the images it translates, or None.
        num_classes: how many classes it can be asked for, or None.
        domains: the shapes of A and B, if it translates between two without pairs, or None.
    """

    measured: Any
    made: tuple
    given: tuple | None = None
    num_classes: int | None = None
    domains: tuple | None = None


def _subject(path):
    if path.suffix != ".keras":
        return _exported(path)
    model = arguments.load_model(path)
    generator = model.generators[0]
    made = tuple(generator.output_shape[1:])
    if not hasattr(model, "translate"):
        return _Subject(model, made, num_classes=getattr(model, "num_classes", None))
    given = tuple(generator.input_shape[1:])
    domains = (given, made) if len(model.scored_domains) == 2 else None
    return _Subject(model, made, given, domains=domains)


def _exported(path):
    from kgan.exported import Exported

    file = Exported(path)
    given, made = (None if shape is None else tuple(shape) for shape in (file.given, file.made))
    domains = {"ab": (given, made), "ba": (made, given)}.get(file.direction)
    return _Subject(file, made, given, file.num_classes, domains)


def _metrics(text, features):
    from kgan import metrics

    names = list(MEASURES) if text == "all" else [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in MEASURES]
    if unknown:
        raise ValueError(
            f"--metrics takes {', '.join(MEASURES)}, separated by commas, or all. "
            f"Received: {', '.join(unknown)}"
        )
    chosen = []
    for name in dict.fromkeys(names):
        measure = getattr(metrics, MEASURES[name])
        sees = name != "multi_scale_similarity"  # which is of images alone
        chosen.append(measure(features) if sees else measure())
    return chosen


def _features(text, images, labels):
    import keras

    from kgan.metrics import classifier_features

    if text in ("pixels", "inception"):
        return text
    if text == "classifier":
        if labels is None:
            raise ValueError(
                "A classifier learns from labels, which these data do not have: choose pixels, "
                "inception or a model with --features. Received: --features classifier"
            )
        with console.status("Training the classifier, or reading it where it was kept"):
            return classifier_features(images, labels)
    if not Path(text).is_file():
        raise ValueError(
            "--features takes pixels, inception, classifier, or the path of a Keras model. "
            f"Received: --features {text}"
        )
    return keras.saving.load_model(text, compile=False)


def _hash(path):
    """The first 12 digits of the SHA-256 of a file; None of a folder."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if path.is_file() else None


def _show(found):
    """Prints the scores, what is peculiar to the protocol of each, and what is common to all."""
    table = require("rich.table", "cli", "The kgan command").Table()
    for title, side in (("score", "left"), ("value", "right"), ("protocol", "left")):
        table.add_column(title, justify=side)
    protocols = [score["protocol"] for score in found.values()]
    common = {
        name: value
        for name, value in protocols[0].items()
        if all(each.get(name) == value for each in protocols) and len(protocols) > 1
    }
    for name, score in found.items():
        own = {key: value for key, value in score["protocol"].items() if key not in common}
        own.pop("measure", None)  # the name of the score says it
        table.add_row(name, f"{score['value']:.5g}", _listed(own))
    console.print(table)
    if common:
        console.print(f"All: {_listed(common)}")


def _listed(protocol):
    return ", ".join(f"{name} {value}" for name, value in protocol.items())
