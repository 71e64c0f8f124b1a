"""The command that translates image files, by a saved model or an exported file."""

import dataclasses
import enum
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np

from kgan.cli import reading, saved_gans, settings
from kgan.cli.console import console, typer
from kgan.utils.optional import require


class Direction(enum.StrEnum):
    """Ways of a CycleGAN."""

    ab = "ab"
    ba = "ba"


def translate(
    gan: Annotated[
        Path,
        typer.Argument(
            help="A translator saved by kgan, such as run/gan.keras, or an exported .onnx or "
            ".tflite file."
        ),
    ],
    images: Annotated[Path, typer.Argument(help="A folder of images, with subfolders, or a file.")],
    out: Annotated[Path, typer.Option(help="Folder for the translations.")] = Path("translated"),
    direction: Annotated[
        Direction | None, typer.Option(help="Of a CycleGAN. Default: ab, from A to B.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Images at a time.")] = 8,
    whole: Annotated[
        bool,
        typer.Option("--whole", help="The images are whole, though they look like pairs."),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are there already.")
    ] = False,
):
    """Translate images, each into a file of the same name and size.

    An image is resized to the size the network was built for, and its translation back to the
    size of the image. What cannot be read is left out, counted and named.
    """
    from kgan.data.decoding import CorruptImageError, Decoding, Remarks
    from kgan.data.files import SHOWN
    from kgan.images import from_pixels, save_image

    progress = require("rich.progress", "cli", "The kgan command")
    gan = saved_gans.named(gan)
    translator = (_saved if gan.suffix == ".keras" else _exported)(gan, direction)
    *size, channels = translator.given
    if None in size:
        raise ValueError(
            "This network has no size of its own to resize images to, as those of kgan train have. "
            f"Received: {gan} with an input {translator.given}"
        )
    jobs = _jobs(images, out, overwrite)
    if translator.learned_from_pairs and not whole:
        _refuse_pairs(jobs, size, gan)
    unreadable, remark = [], Remarks()
    decoding = Decoding(
        **reading.one_of(settings.trained_with(gan).image_options(), translator.back)
    )
    for start in progress.track(range(0, len(jobs), batch_size), "Translating", console=console):
        pixels, kept = [], []
        for file, target in jobs[start : start + batch_size]:
            try:
                with decoding.opened(file, remark=remark) as image:
                    kept.append((target, image.size[::-1]))
                    pixels.append(decoding.to_array(image, size, channels))
            except CorruptImageError as error:
                unreadable.append(f"{file} ({error.reason})")
        if pixels:
            with warnings.catch_warnings():
                # A bright image is taken for one in [0, 1], which it cannot be here.
                warnings.filterwarnings("ignore", "The images seem to lie in")
                translated = translator.run(from_pixels(np.stack(pixels)))
            for (target, own_size), image in zip(kept, translated, strict=True):
                save_image(target, image, own_size)
    remark.tell()
    if len(unreadable) == len(jobs):
        names = ", ".join(unreadable[:SHOWN])
        raise ValueError(f"None of the images can be read. Received: {names}")
    console.print(f"Translated {len(jobs) - len(unreadable)} of {len(jobs)} images: {out}")
    if unreadable:
        more = ", ..." if len(unreadable) > SHOWN else ""
        names = ", ".join(unreadable[:SHOWN])
        console.print(f"{len(unreadable)} cannot be read and were left out: {names}{more}")


@dataclasses.dataclass
class _Translator:
    """What translates: a saved model or an exported file.

    Attributes:
        run: a function from images in [-1, 1] to their translations.
        given: the shape of an image, `(height, width, channels)`.
        learned_from_pairs: whether it may have seen files that hold two images.
        back: whether from B to A.
    """

    run: Callable
    given: tuple
    learned_from_pairs: bool
    back: bool


def _saved(path, direction):
    model = saved_gans.load_translator(path)
    if direction is not None and not model.directions:
        raise ValueError(
            "This model translates one way only: leave out --direction. "
            f"Received: --direction {direction} for a {type(model).__name__}"
        )
    options = {} if direction is None else {"direction": direction.value}
    generator = model.generators[1 if direction is Direction.ba else 0]
    pairs = not model.directions and settings.trained_with(path).targets is None
    return _Translator(
        lambda images: model.translate(images, **options),
        generator.input_shape[1:],
        pairs,
        direction is Direction.ba,
    )


def _exported(path, direction):
    from kgan.metrics.exported_generator import Exported

    file = Exported(path)
    if file.given is None:
        raise ValueError(
            "This file makes images of latents: draw them with kgan sample, of the saved GAN that "
            f"it was exported from. Received: {path}"
        )
    if direction not in (None, file.direction):
        raise ValueError(
            "An exported file translates one way only: leave out --direction; of a CycleGAN, kgan "
            f"export --direction {direction} writes the other. Received: --direction {direction} "
            f"for {path}, which translates {file.direction or 'inputs to targets'}"
        )
    return _Translator(file.run, file.given, file.direction is None, file.direction == "ba")


def _refuse_pairs(jobs, size, gan):
    """Raises a ValueError for files that hold input and target side by side."""
    from kgan.data.files import sizes_of

    pair = 2 * size[1] / size[0]
    sizes = sizes_of(file for file, _ in jobs)
    doubled = [of for (height, width), of in sizes.items() if abs(width / height / pair - 1) < 0.01]
    count = sum(map(len, doubled))
    if 2 * count > len(jobs):
        raise ValueError(
            "These files look like pairs side by side: draw pairs with kgan grid, or translate "
            "files of inputs alone. If they are whole images, add --whole. "
            f"Received: {count} of {len(jobs)} files such as {doubled[0][0]}, twice as wide as the "
            f"{size[0]}x{size[1]} of {gan}"
        )


def _jobs(images, out, overwrite):
    """The files to translate, and where to."""
    from kgan.data.files import find_images

    if not (images.is_dir() or images.is_file()):
        raise ValueError(f"There is no such folder or file. Received: {images}")
    folder = images if images.is_dir() else images.parent
    files = find_images(images) if images.is_dir() else [images]
    jobs = [(file, out / file.relative_to(folder)) for file in files]
    there = [target for _, target in jobs if target.exists()]
    own = out.resolve() == folder.resolve()
    if own or (images.is_dir() and out.resolve().is_relative_to(images.resolve())):
        raise ValueError(
            "Translations must not lie among what is translated: name another folder with --out. "
            f"Received: --out {out} for {images}"
        )
    if there and not overwrite:
        raise ValueError(
            "Files are there already: name another folder with --out, or add --overwrite. "
            f"Received: --out {out} with {there[0].name} and {len(there) - 1} more"
        )
    return jobs
