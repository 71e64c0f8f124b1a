"""The command that measures a GAN, saved or exported, beside real images."""

from pathlib import Path
from typing import Annotated

from kgan.cli import (
    measures,
    reference,
    saved_gans,
    settings,
    sources,
    subjects,
    translators,
)
from kgan.cli.console import Seed, console, typer
from kgan.cli.kinds import Kind
from kgan.utils.optional import require


def evaluate(
    model: Annotated[
        Path, typer.Argument(help="A GAN saved by kgan, or an exported .onnx or .tflite file.")
    ],
    data: Annotated[
        str,
        typer.Argument(
            help="The real images: **digits**, a folder, or the name of a TensorFlow Datasets set. "
            "Of a translator a folder of pairs side by side, of inputs, or of domain A, or one "
            "that holds testA and testB, or else trainA and trainB."
        ),
    ],
    targets: Annotated[
        Path | None, typer.Option(help="The folder of a translator's targets, or of domain B.")
    ] = None,
    metrics: Annotated[
        str,
        typer.Option(
            help=f"By commas, of {', '.join(measures.MEASURES)}; or all. mode_coverage needs "
            "labels of the data; it is one of all with --features classifier."
        ),
    ] = "frechet_distance,kernel_distance,precision_recall",
    features: Annotated[str, typer.Option(help=measures.FEATURES)] = "pixels",
    count: Annotated[
        int,
        typer.Option(
            min=2,
            help="Images of each kind; all real ones if they are fewer. duplicate_rate looks for "
            "copies of all real ones of a GAN's data.",
        ),
    ] = 10_000,
    held_out: Annotated[
        bool,
        typer.Option(
            "--held-out",
            help="Measure on those images alone that kgan train --metrics held out. **data** is "
            "what the run was trained on.",
        ),
    ] = False,
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
        Path | None,
        typer.Option(
            help="A file for the scores with their protocols, as JSON. In the folder of a run, "
            "kgan report shows those of every scores*.json."
        ),
    ] = None,
):
    """Measure generated images beside as many real ones.

    For example: **kgan evaluate run/gan.keras mnist --features classifier**, or
    **kgan evaluate bundle/generator.onnx photos/ --features inception --out scores.json**.
    A score says something beside another with the same protocol alone, so both stand in the file.
    """
    from kgan.metrics import evaluation, protocol

    model = saved_gans.named(model)
    subject = subjects.subject(model)
    chosen = measures.names(metrics, features)
    if metrics == "all" and held_out:
        chosen.remove("duplicate_rate")  # which is of the images trained on
    _check_out(out, model.name)
    held = _held_out(model, data, split, chosen) if held_out else None
    context = {"model": model.name, "model_hash": protocol.file_hash(model), **subject.context}
    read = settings.trained_with(model).image_options()
    resize = reference.resize(read["interpolation"])
    context |= {"reference": data, "reference_resize": f"{resize} where of another size"}
    if subject.given is None:
        Kind.gan.refuse_others(targets=targets, swap=swap)
        classes = {"num_classes": subject.num_classes}
        options = {"split": split, "data_dir": data_dir, "download": download, "held": held}
        options["reading"] = read
        options["teach"] = features == "classifier" or "mode_coverage" in chosen
        if not split.startswith("train"):
            _without_copies(chosen, metrics, f"--split {split}")
        real = reference.images(data, subject.made, count, seed, **classes, **options)
        if sources.is_folder(data):
            context["reference_resize"] = f"{reference.CROP}, {context['reference_resize']}"
        elif data != "digits":
            context["split"] = split
        if real.labels is not None and real.known[1] is None:
            context["labels"] = "uniformly random"
    elif subject.domains:
        splits = ("test", "train") if held is None else ("train",)
        folders = translators.two_domains(data, targets, splits)
        if any(folder.name.startswith("test") for folder in map(Path, folders)):
            _without_copies(chosen, metrics, ", ".join(map(str, folders)))
        real = reference.domains(folders, subject.domains, count, seed, held, **read)
        context["reference"] = ", ".join(map(str, folders))
    else:
        if targets is not None:
            context["reference"] = f"{data}, {targets}"
        swap = translators.swapped(model, swap)
        if swap:
            context["reference"] += ", swapped"
        shapes = subject.given, subject.made
        real = reference.pairs(data, targets, shapes, count, seed, held, swap, **read)
    if held is not None:
        context["reference_part"] = f"held out in training, seed {held}"
    measured = measures.metrics(chosen, features, *real.known)
    more = "raise --count, or give more images"
    evaluation.check(measured, subject.domains or [subject.made], len(real), more)
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

        found = evaluation.measure(
            subject.measured,
            measured,
            real.chosen,
            real.labels,
            seed=seed,
            others=real.others,
            tell=tell,
            **context,
        )
    _show(found)
    run = settings.trained_with(model)
    if run.data not in (None, data):
        console.print(f"Measured beside {data}; the run was trained on {run.data}.")
    elif held is None and run.metrics is not None:
        console.print("In training a tenth was held out: --held-out measures on that alone.")
    if out is not None:
        protocol.write(found, out)
        console.print(f"Wrote the scores with their protocols: {out}")


def _held_out(model, data, split, chosen):
    """The seed by which the run of a model held out a tenth of its data."""
    run = settings.trained_with(model)
    if run.metrics is None or run.data is None:
        raise ValueError(
            "--held-out is for a run of kgan train --metrics, whose settings.json lies in the "
            "folder of the model or in the one above. Received: " + str(model)
        )
    if split != "train" or Path(data).resolve() != Path(run.data).resolve():
        raise ValueError(
            "--held-out is of the data that the run was trained on, so name these: "
            f"{run.data}, and no other --split. Received: {data}, --split {split}"
        )
    if "duplicate_rate" in chosen:
        raise ValueError(
            "Copies are those of training images, which --held-out leaves out: measure "
            "duplicate_rate without it. Received: --held-out with duplicate_rate"
        )
    if run.seed is None or run.seed < 0:
        raise ValueError(
            "The settings.json of this run is damaged: its seed is an integer from 0 on. "
            f"Received: seed {run.seed} of {model}"
        )
    return run.seed


def _without_copies(chosen, metrics, received):
    """Leaves out duplicate_rate beside images that were not trained on; refuses it if named."""
    if metrics == "all":
        chosen.remove("duplicate_rate")
    elif "duplicate_rate" in chosen:
        raise ValueError(
            "duplicate_rate looks for copies of training images, and these are others: name those "
            "trained on, such as --split train, or trainA with --targets trainB. "
            f"Received: --metrics duplicate_rate with {received}"
        )


def _check_out(out, model):
    """Raises a ValueError for a file with something else, which would be lost."""
    if out is None:
        return
    from kgan import checks
    from kgan.report import run_files

    checks.check_folder(out.parent, "The place of --out")
    if not out.exists():
        return
    try:
        others = {str(score["protocol"]["model"]) for score in run_files.scores(out)} - {model}
    except (KeyError, OSError, TypeError, ValueError) as error:
        raise ValueError(
            "--out is a file for scores, and there is something else: name another, such as "
            f"scores.json. Received: --out {out}"
        ) from error
    if others:
        raise ValueError(
            f"This file has the scores of {', '.join(sorted(others))}: name another with --out, "
            f"such as {out.with_name(f'scores_{Path(model).stem}.json')}, or remove it. "
            f"Received: --out {out} for {model}"
        )


def _show(found):
    """Prints the scores, what is peculiar to the protocol of each, and what is common to all."""
    from kgan.metrics import protocol
    from kgan.report.labels import listed

    table = require("rich.table", "cli", "The kgan command").Table()
    for title, side in (("score", "left"), ("value", "right"), ("protocol", "left")):
        table.add_column(title, justify=side)
    protocols = [score["protocol"] for score in found.values()]
    common = protocol.in_common(protocols if len(protocols) > 1 else 2 * protocols)
    shown = None
    for name, score in found.items():
        own = {key: value for key, value in score["protocol"].items() if key not in common}
        own.pop("measure", None)  # the name of the score says it
        repeated = own and own == shown
        table.add_row(name, f"{score['value']:.5g}", "the same" if repeated else listed(own))
        shown = own
    console.print(table)
    if common:
        console.print(f"All: {listed(common)}")
