"""The command that measures a GAN, saved or exported, beside real images."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

from kgan import cli_arguments as arguments
from kgan import cli_metrics
from kgan import cli_reference as reference
from kgan import cli_translation as translation
from kgan.cli_shared import Seed, console, typer
from kgan.optional import require


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
        str,
        typer.Option(
            help=f"By commas, of {', '.join(cli_metrics.MEASURES)}; or all. mode_coverage needs "
            "labels of the data; it is one of all with --features classifier."
        ),
    ] = "frechet_distance,kernel_distance,precision_recall",
    features: Annotated[str, typer.Option(help=cli_metrics.FEATURES)] = "pixels",
    count: Annotated[
        int,
        typer.Option(
            min=2,
            help="Images of each kind; all real ones if they are fewer. duplicate_rate looks for "
            "copies of all real ones of a GAN's data.",
        ),
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
    chosen = cli_metrics.names(metrics, features)
    cli_metrics.check_size(chosen, features, subject.made)
    context = {"model": model.name, "model_hash": protocol.file_hash(model), **subject.context}
    context |= {"reference": data, "reference_resize": f"{reference.RESIZE} where of another size"}
    if subject.given is None:
        arguments.refuse_for_gans(targets=targets, swap=swap)
        classes = {"num_classes": subject.num_classes}
        options = {"split": split, "data_dir": data_dir, "download": download}
        real = reference.images(data, subject.made, count, seed, **classes, **options)
        if arguments.is_folder(data):
            context["reference_resize"] = f"{reference.CROP}, {context['reference_resize']}"
        elif data != "digits":
            context["split"] = split
        if real.labels is not None and real.known[1] is None:
            context["labels"] = "uniformly random"
    elif subject.domains:
        folders = translation.two_domains(data, targets, ("test", "train"))
        real = reference.domains(folders, subject.domains, count, seed)
        context["reference"] = ", ".join(map(str, folders))
    else:
        if targets is not None:
            context["reference"] = f"{data}, {targets}"
        swap = translation.swapped(model, swap)
        if swap:
            context["reference"] += ", swapped"
        real = reference.pairs(data, targets, (subject.given, subject.made), count, seed, swap)
    measures = cli_metrics.metrics(chosen, features, *real.known)
    progress = require("rich.progress", "cli", "The kgan command").Progress(
        console=console, transient=True
    )
    with progress:
        total = len(real) * len(subject.measured.scored_domains)
        if "duplicate_rate" in chosen:
            total += real.left
        task = progress.add_task("Measuring", total=total)

        def tell(images):
            progress.advance(task, images)
            if progress.finished:  # comparing all with all takes its time, too
                progress.update(task, description="Comparing", total=None)

        found = scores.measure(
            subject.measured,
            measures,
            real.chosen,
            real.labels,
            seed=seed,
            others=real.others,
            tell=tell,
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
        context: what the protocol is to say of it.
    """

    measured: Any
    made: tuple
    given: tuple | None = None
    num_classes: int | None = None
    domains: tuple | None = None
    context: dict = dataclasses.field(default_factory=dict)


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
    return _Subject(file, made, given, file.num_classes, domains, file.context)


def _show(found):
    """Prints the scores, what is peculiar to the protocol of each, and what is common to all."""
    from kgan.metrics import protocol

    table = require("rich.table", "cli", "The kgan command").Table()
    for title, side in (("score", "left"), ("value", "right"), ("protocol", "left")):
        table.add_column(title, justify=side)
    common = protocol.shared([score["protocol"] for score in found.values()])
    shown = None
    for name, score in found.items():
        own = {key: value for key, value in score["protocol"].items() if key not in common}
        own.pop("measure", None)  # the name of the score says it
        table.add_row(name, f"{score['value']:.5g}", "the same" if own == shown else _listed(own))
        shown = own
    console.print(table)
    if common:
        console.print(f"All: {_listed(common)}")


def _listed(protocol):
    return ", ".join(f"{name} {value}" for name, value in protocol.items())
