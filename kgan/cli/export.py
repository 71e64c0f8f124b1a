"""The commands that write files with proof, and prove them again."""

import itertools
from pathlib import Path
from typing import Annotated

import numpy as np

from kgan.cli import saved_gans
from kgan.cli.console import SavedGAN, console, typer
from kgan.export.formats import MODULES, is_exported

# As many images as `kgan.export` draws latents.
CALIBRATION_IMAGES = 200


def export(
    gan: SavedGAN,
    to: Annotated[
        str, typer.Option(help=f"Formats, separated by commas: {', '.join(reversed(MODULES))}.")
    ] = "onnx",
    out: Annotated[Path, typer.Option(help="Folder for the files and their report.")] = Path(
        "bundle"
    ),
    precision: Annotated[
        str,
        typer.Option(
            help="Precisions, separated by commas: float32, float16, and for tflite dynamic_range, "
            "int8, int8_io."
        ),
    ] = "float32",
    check: Annotated[
        bool, typer.Option("--check", help="Only tell what would not survive; write nothing.")
    ] = False,
    direction: Annotated[
        str | None, typer.Option(help="Of a CycleGAN: ab (default) or ba.")
    ] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            help="Of a translator: a folder of images such as it will meet, from which int8 takes "
            f"its ranges: 100 or more, of which {CALIBRATION_IMAGES} are read."
        ),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(help="Largest error of float32. Default: 1e-5, for translators 1e-4."),
    ] = None,
    int8_psnr: Annotated[
        float, typer.Option(help="Least PSNR in dB of dynamic_range, int8 and int8_io.")
    ] = 30.0,
    batch_size: Annotated[int, typer.Option(min=1, help="Of TFLite files, which keep it.")] = 1,
    opset: Annotated[int, typer.Option(help="The ONNX operator set.")] = 17,
    timeout: Annotated[float, typer.Option(help="Seconds the converter may take.")] = 600,
):
    """Export the generator and prove that each file gives the same images as Keras.

    For example: **kgan export run/gan.keras --to tflite,onnx --precision float32,int8**.
    """
    from kgan.export import ExportError
    from kgan.metrics.protocol import file_hash

    gan = saved_gans.named(gan)
    model = saved_gans.load_model(gan)
    formats, precisions = (tuple(part.strip() for part in x.split(",")) for x in (to, precision))
    options = {**_direction(model, direction), "metadata": {"model_hash": file_hash(gan)}}
    if calibration is not None:
        options["calibration"] = _images(model, calibration, direction, gan)
    if tolerance is not None:
        options["tolerance"] = tolerance
    with console.status("Exporting") as status:
        try:
            report = model.export(
                out,
                formats,
                precision=precisions,
                check=check,
                int8_psnr=int8_psnr,
                batch_size=batch_size,
                opset=opset,
                timeout=timeout,
                progress=lambda stage: status.update(f"Exporting: {stage}"),
                **options,
            )
        except ExportError as error:
            if error.report:
                console.print(error.report.table())
            raise
    console.print(str(report))


def verify(
    path: Annotated[
        Path, typer.Argument(help="An exported file, a bundle, or an export_report.json.")
    ],
):
    """Check again that exported files are whole and give the images they were proven with."""
    from kgan.export import VerificationError, verify

    try:
        report = verify(path)
    except VerificationError as error:
        _refuse_others(path, error)  # looked at last: it may be there since a killed export ended
        raise
    for artefact in report.artefacts:
        console.print(
            f"{report.folder / artefact.file}: unchanged, and gives the stored outputs "
            f"({artefact.figures()}): passed"
        )


def _refuse_others(path, error):
    """Raises a ValueError for a path that names nothing that was ever exported."""
    if not path.exists():
        raise ValueError(f"There is no such file or folder. Received: {path}") from error
    if not any(map(_may_be_proven, [path, *(path.iterdir() if path.is_dir() else ())])):
        raise ValueError(
            "There is nothing to verify: name an exported file, a bundle, or its report. "
            f"Received: {path}"
        ) from error


def _may_be_proven(path):
    from kgan.export import report

    return is_exported(path) or path.name == report.FILE


def _direction(model, direction):
    if direction is None:
        return {}
    if not model.directions:
        raise ValueError(
            "Only a CycleGAN has directions: leave --direction out. "
            f"Received: a {type(model).__name__}"
        )
    return {"direction": direction}


def _images(model, folder, direction, gan):
    """The first images of a folder, as the generator takes them."""
    from kgan import data
    from kgan.cli import reading, settings

    if model.draws_latents:
        raise ValueError(
            "The latents of a GAN are known: leave --calibration out. "
            f"Received: --calibration {folder} for a {type(model).__name__}"
        )
    back = direction == "ba"
    *size, channels = model.generators[-1 if back else 0].input_shape[1:]
    options = reading.one_of(settings.trained_with(gan).image_options(), back)
    stream = data.folder(folder, size, channels=channels, batch_size=8, shuffle=False, **options)
    found = itertools.islice((stream[i] for i in range(len(stream))), CALIBRATION_IMAGES // 8)
    return [np.asarray(batch) for batch in found]
