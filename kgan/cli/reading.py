"""How the commands read image files: the options of `train`, and the same again for a saved GAN."""

from typing import Annotated

from kgan.cli import settings
from kgan.cli.console import typer

Background = Annotated[
    str,
    typer.Option(
        help="Of images in folders: the colour that transparent parts show, such as black or "
        "#808080."
    ),
]
Interpolation = Annotated[
    str,
    typer.Option(
        help="Of images in folders, where they are resized: bilinear, or nearest, which makes no "
        "colours that were not there; or of both kinds, as in bilinear,nearest for targets that "
        "are label maps."
    ),
]


def options(background, interpolation, both=True):
    """The arguments `background` and `interpolation` of `kgan.data` that the options mean.

    Args:
        background, interpolation: the options.
        both: whether there are two kinds of images, which may be resized differently.

    Raises:
        ValueError: if they mean nothing.
    """
    from PIL import ImageColor

    from kgan.data.decoding import INTERPOLATIONS

    parts = tuple(interpolation.split(","))
    if len(parts) > 1 + both or not all(part in INTERPOLATIONS for part in parts):
        raise ValueError(
            "--interpolation is bilinear or nearest, or of a translator two of these as in "
            f"bilinear,nearest for inputs and targets. Received: --interpolation {interpolation}"
        )
    try:
        ImageColor.getrgb(background)
    except ValueError as error:
        raise ValueError(
            "--background is a colour such as white, black or #808080. "
            f"Received: --background {background}"
        ) from error
    return {
        "background": background,
        "interpolation": parts[0] if len(parts) == 1 else parts,
    }


def as_in_training(gan):
    """The same arguments with which the run of a saved GAN read its images; defaults of others."""
    run = settings.trained_with(gan)
    return options(run.get("background", "white"), run.get("interpolation", "bilinear"))


def one_of(arguments, place):
    """The same arguments for one of two kinds of images, the first (0) or the second (1)."""
    interpolation = arguments["interpolation"]
    if isinstance(interpolation, tuple):
        interpolation = interpolation[place]
    return {**arguments, "interpolation": interpolation}
