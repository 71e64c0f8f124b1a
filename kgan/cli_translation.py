"""The commands that translate images, and what `train` needs to learn it."""

import enum
import functools
import warnings
from pathlib import Path
from typing import Annotated

import numpy as np

from kgan import cli_arguments as arguments
from kgan.cli_arguments import Kind
from kgan.cli_shared import SavedGAN, Seed, console, typer
from kgan.optional import require

SHOWN_ROWS = 4  # in the pictures of each epoch


class Direction(enum.StrEnum):
    """Ways of a CycleGAN."""

    ab = "ab"
    ba = "ba"


def translate(
    gan: SavedGAN,
    images: Annotated[Path, typer.Argument(help="A folder of images, with subfolders, or a file.")],
    out: Annotated[Path, typer.Option(help="Folder for the translations.")] = Path("translated"),
    direction: Annotated[
        Direction | None, typer.Option(help="Of a CycleGAN. Default: ab, from A to B.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Images at a time.")] = 8,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that are there already.")
    ] = False,
):
    """Translate images, each into a file of the same name and size.

    An image is resized to the size the network was built for, and its translation back to the
    size of the image. What cannot be read is left out, counted and named.
    """
    from kgan.data import files
    from kgan.images import from_pixels, save_image

    progress = require("rich.progress", "cli", "The kgan command")
    model = arguments.load_translator(gan)
    options = _direction_of(model, direction)
    generator = model.generators[1 if direction is Direction.ba else 0]
    *size, channels = generator.input_shape[1:]
    if None in size:
        raise ValueError(
            "This network has no size of its own to resize images to: translate them in Python. "
            f"Received: {gan} with an input {generator.input_shape}"
        )
    jobs = _jobs(images, out, overwrite)
    unreadable = []
    for start in progress.track(range(0, len(jobs), batch_size), "Translating", console=console):
        pixels, kept = [], []
        for file, target in jobs[start : start + batch_size]:
            try:
                with files.opened(file) as image:
                    kept.append((target, image.size[::-1]))
                    pixels.append(files.to_array(image, size, channels))
            except files.CorruptImageError:
                unreadable.append(str(file))
        if pixels:
            with warnings.catch_warnings():
                # A bright image is taken for one in [0, 1], which it cannot be here.
                warnings.filterwarnings("ignore", "The images seem to lie in")
                translated = model.translate(from_pixels(np.stack(pixels)), **options)
            for (target, own_size), image in zip(kept, translated, strict=True):
                save_image(target, image, own_size)
    if len(unreadable) == len(jobs):
        raise ValueError(f"None of the images can be read. Received: {images}")
    console.print(f"Translated {len(jobs) - len(unreadable)} of {len(jobs)} images: {out}")
    if unreadable:
        more = ", ..." if len(unreadable) > files.SHOWN else ""
        names = ", ".join(unreadable[: files.SHOWN])
        console.print(f"{len(unreadable)} cannot be read and were left out: {names}{more}")


def grid(
    gan: SavedGAN,
    images: Annotated[
        Path,
        typer.Argument(help="The folder of inputs, of pairs side by side, or of domain A."),
    ],
    targets: Annotated[
        Path | None, typer.Argument(help="The folder of targets, or of domain B.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The picture, a PNG.")] = Path("grid.png"),
    count: Annotated[int, typer.Option(min=1, help="Images to show of each folder.")] = 8,
    swap: Annotated[
        bool, typer.Option("--swap", help="The right image, or target, is the input.")
    ] = False,
    seed: Seed = 0,
):
    """Draw images beside their translations: input, output, target; or A, B and back to A.

    A CycleGAN's picture goes on with images of B, their translations and back.
    """
    from kgan import data
    from kgan.callbacks.translation_grid import draw_translations

    model = arguments.load_translator(gan)
    generator = model.generators[0]
    (*size, channels), channels_out = generator.input_shape[1:], generator.output_shape[-1]
    options = {"channels": (channels, channels_out), "batch_size": count, "seed": seed}
    if _is_cyclegan(model):
        _refuse_swap(swap)
        load = data.image_domains
        images, targets = two_domains(images, targets, ("test", "train"))
    else:
        load = functools.partial(data.image_pairs, swap=swap)
    shown = load(images, targets, size, **options)[0]
    draw_translations(out, model, *shown)
    console.print(f"Drew {len(shown[0])} images and their translations: {out}")


def prepare(kind, source, targets, samples, *, swap, jitter, width, seed, batch_size, **options):
    """A `cli_arguments.Run` that learns to translate.

    Args:
        kind, source: the model and the first argument of `train`; the others are its options.
        samples: the folder of pictures.
        **options: `image_size`, `channels`, `data_dir` and `download`.
    """
    import kgan

    if kind is Kind.cyclegan:
        _refuse_swap(swap)
        load, make = _domains(source, targets, **options), _cyclegan
    else:
        load, make = _pairs(source, targets, swap, **options), _pix2pix
    data, shown = load(batch_size=batch_size, seed=seed), load(batch_size=SHOWN_ROWS, seed=seed)[0]
    *size, channels = shown[0].shape[1:]
    layer = kgan.layers.jitter(size, seed=seed) if jitter else None
    model = make(size, channels, shown[1].shape[-1], width, jitter=layer, seed=seed)
    picture = kgan.callbacks.TranslationGrid(samples, *shown, film=True)
    return arguments.Run(model, data, picture, shown[0].shape[1:])


def _pairs(source, targets, swap, image_size, channels, **_):
    """The loader of pairs for a `--model pix2pix`."""
    from kgan.data import image_pairs

    if targets is None and (Path(source) / "trainA").is_dir():
        raise ValueError(
            "These are two domains without pairs: learn them with --model cyclegan, or name "
            "the folders of inputs and of targets: kgan train INPUTS --targets TARGETS. "
            f"Received: {source} with trainA, --model pix2pix"
        )
    return functools.partial(image_pairs, source, targets, image_size, swap=swap, channels=channels)


def _domains(source, targets, image_size, channels, data_dir, download):
    """The loader of two domains for a `--model cyclegan`."""
    from kgan import data

    if targets is None and not Path(source).is_dir():
        if image_size is None:
            raise ValueError(
                "A set of TensorFlow Datasets needs --image-size. "
                f"Received: {source} without --image-size"
            )
        options = {"data_dir": data_dir, "download": download, "channels": channels}
        return functools.partial(data.tfds_domains, source, image_size, **options)
    folders = two_domains(source, targets, ("train",))
    return functools.partial(data.image_domains, *folders, image_size, channels=channels)


def _pix2pix(size, channels, channels_out, width, **options):
    import kgan

    return kgan.Pix2Pix(
        kgan.networks.unet_generator((*size, channels), channels_out, width),
        _patches(size, channels + channels_out, width),
        **options,
    )


def _cyclegan(size, channels_a, channels_b, width, **options):
    import kgan

    return kgan.CycleGAN(
        kgan.networks.cyclegan_generator((*size, channels_a), channels_b, width),
        kgan.networks.cyclegan_generator((*size, channels_b), channels_a, width),
        _patches(size, channels_a, width),
        _patches(size, channels_b, width),
        identity_weight=0.5 if channels_a == channels_b else 0.0,
        **options,
    )


def _patches(size, channels, width):
    """Patches of the papers' 70 pixels where an image has several of them."""
    from kgan.networks import patch_discriminator

    field = next((f for f in (70, 34) if min(size) >= 1.8 * f), 16)
    return patch_discriminator((*size, channels), width, receptive_field=field)


def two_domains(source, targets, splits):
    """The folders of A and B: two given, or those in the one that the papers' data sets have."""
    if targets is not None:
        return source, targets
    for split in splits:
        if (Path(source) / f"{split}A").is_dir():
            return Path(source) / f"{split}A", Path(source) / f"{split}B"
    raise ValueError(
        "A CycleGAN needs images of two domains: name the second folder as well, or one that "
        f"holds {splits[-1]}A and {splits[-1]}B. Received: {source}"
    )


def _jobs(images, out, overwrite):
    """The files to translate, and where to."""
    from kgan.data.files import find_images

    if not images.exists():
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


def _direction_of(model, direction):
    """The argument of `translate` for `--direction`."""
    if direction is None:
        return {}
    if not _is_cyclegan(model):
        raise ValueError(
            "This model translates one way only: leave out --direction. "
            f"Received: --direction {direction} for a {type(model).__name__}"
        )
    return {"direction": direction.value}


def _is_cyclegan(model):
    return hasattr(model, "generator_ba")


def _refuse_swap(swap):
    if swap:
        raise ValueError(
            "A CycleGAN learns both ways: name the folders in the other order, or use "
            "kgan translate --direction ba. Received: --swap"
        )
