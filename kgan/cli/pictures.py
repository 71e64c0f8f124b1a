"""The commands that draw what a saved GAN makes."""

import functools
from pathlib import Path
from typing import Annotated

from kgan.cli import saved_gans, settings, translators
from kgan.cli.console import SavedGAN, Seed, console, typer


def sample(
    gan: SavedGAN,
    out: Annotated[Path, typer.Option(help="The picture, a PNG.")] = Path("samples.png"),
    count: Annotated[int, typer.Option(min=1, help="How many images.")] = 64,
    columns: Annotated[
        int | None, typer.Option(min=1, help="Images in a row. Default: a square.")
    ] = None,
    label: Annotated[
        int | None, typer.Option(help="The class, for a GAN that knows classes. Default: any.")
    ] = None,
    seed: Seed = 0,
):
    """Draw a grid of generated images."""
    from kgan.checks.value_range import shown
    from kgan.images import save_grid

    model = saved_gans.load_sampler(gan)
    images = model.generate(count, seed=seed, **_class(model, label))
    save_grid(out, shown(images, model.generator), columns)
    console.print(f"Drew {count} images: {out}")


def interpolate(
    gan: SavedGAN,
    out: Annotated[Path, typer.Option(help="A .gif that moves, or a .png strip.")] = Path(
        "walk.gif"
    ),
    points: Annotated[int, typer.Option(min=2, help="Latents to visit.")] = 4,
    steps: Annotated[int, typer.Option(min=2, help="Images from one to the next.")] = 12,
    label: Annotated[
        int | None, typer.Option(help="The class, for a GAN that knows classes. Default: 0.")
    ] = None,
    seed: Seed = 0,
):
    """Draw a walk through latent space: a closed one as a GIF, or a strip of images."""
    from kgan import latent
    from kgan.checks.value_range import shown
    from kgan.images import save_gif, save_grid

    if out.suffix not in (".gif", ".png"):
        raise ValueError(f"A walk is a .gif or a .png. Received: --out {out}")
    model = saved_gans.load_sampler(gan)
    moving = out.suffix == ".gif"
    path = latent.walk(model.draw_latents(points, seed), steps, closed=moving)
    asked = dict.fromkeys(_labels(model), 0) | _class(model, label)
    images = shown(model.generate(len(path), seed=seed, latent=path, **asked), model.generator)
    if moving:
        save_gif(out, images)
    else:
        save_grid(out, images, columns=steps)
    console.print(f"Drew {len(images)} images: {out}")


def grid(
    gan: SavedGAN,
    images: Annotated[
        Path,
        typer.Argument(
            help="The folder of inputs, of pairs side by side, or of domain A; or one that holds "
            "testA and testB, or trainA and trainB."
        ),
    ],
    targets: Annotated[
        Path | None, typer.Argument(help="The folder of targets, or of domain B.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The picture, a PNG.")] = Path("grid.png"),
    count: Annotated[int, typer.Option(min=1, help="Images to show of each folder.")] = 8,
    swap: Annotated[
        bool | None,
        typer.Option(
            "--swap/--no-swap",
            help="Whether the right image, or target, is the input. Default: as in training.",
        ),
    ] = None,
    seed: Seed = 0,
):
    """Draw images beside their translations: input, output, target; or A, B and back to A.

    A CycleGAN's picture goes on with images of B, their translations and back.
    """
    from kgan import data
    from kgan.callbacks.translation_grid import draw_translations

    model = saved_gans.load_translator(gan)
    generator = model.generators[0]
    (*size, channels), channels_out = generator.input_shape[1:], generator.output_shape[-1]
    options = {"channels": (channels, channels_out), "batch_size": count, "seed": seed}
    options |= settings.trained_with(gan).image_options()
    if model.directions:
        translators.refuse_swap(swap)
        load = data.image_domains
        images, targets = translators.two_domains(images, targets, ("test", "train"))
    else:
        load = functools.partial(data.image_pairs, swap=translators.swapped(gan, swap))
    shown = load(images, targets, size, **options)[0]
    draw_translations(out, model, *shown)
    console.print(f"Drew {len(shown[0])} images and their translations: {out}")


def _labels(model):
    """The names of the labels that a GAN is given."""
    from kgan.generation.inputs import Label

    return [each.name for each in model.takes if isinstance(each, Label)]


def _class(model, label):
    """The arguments of `generate` for `--label`."""
    if label is None:
        return {}
    if not _labels(model):
        raise ValueError(
            "This GAN knows no classes: leave out --label. "
            f"Received: --label {label} for a {type(model).__name__}"
        )
    return dict.fromkeys(_labels(model), label)
