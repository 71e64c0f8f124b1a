"""The commands that draw what a GAN of latents makes."""

from pathlib import Path
from typing import Annotated

from kgan import cli_arguments as arguments
from kgan.cli_shared import SavedGAN, Seed, console, typer


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
    from kgan.images import save_grid

    model = arguments.load_sampler(gan)
    images = model.generate(count, seed=seed, **arguments.labels_for(model, label))
    save_grid(out, images, columns)
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
    from kgan.images import save_gif, save_grid

    if out.suffix not in (".gif", ".png"):
        raise ValueError(f"A walk is a .gif or a .png. Received: --out {out}")
    model = arguments.load_sampler(gan)
    moving = out.suffix == ".gif"
    path = latent.walk(model.draw_latents(points, seed), steps, closed=moving)
    inputs = [path]
    if hasattr(model, "draw_labels"):
        inputs.append(model.draw_labels(len(path), label or 0))
    else:
        arguments.labels_for(model, label)
    images = model.images_of(*inputs)
    if moving:
        save_gif(out, images)
    else:
        save_grid(out, images, columns=steps)
    console.print(f"Drew {len(images)} images: {out}")
