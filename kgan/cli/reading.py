"""How the commands read image files: what the options of `train` stand for."""

from typing import Annotated

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


def size(given):
    """The `(height, width)` that "64", "96x128" or a pair of numbers means, None for none."""
    if given is None:
        return None
    sides = _parts(given, "x")
    if not 1 <= len(sides) <= 2 or not all(side.isdecimal() and int(side) for side in sides):
        raise ValueError(
            "--image-size is one number for squares, or height and width as in 96x128. "
            f"Received: --image-size {given}"
        )
    return int(sides[0]), int(sides[-1])


def channels(given):
    """The number that "3" or 3 means, or the two of "3,1" or a pair of numbers."""
    parts = _parts(given, ",")
    if not 1 <= len(parts) <= 2 or not all(part in ("1", "3") for part in parts):
        raise ValueError(
            "--channels is 1 or 3, or two of these as in 3,1 for inputs and targets. "
            f"Received: --channels {given}"
        )
    return int(parts[0]) if len(parts) == 1 else tuple(map(int, parts))


def _parts(given, separator):
    """The texts in an option, or of the numbers that it was kept as."""
    if isinstance(given, (list, tuple)):
        return [str(part) for part in given]
    return str(given).lower().split(separator)


def one_of(arguments, place):
    """The same arguments for one of two kinds of images, the first (0) or the second (1)."""
    interpolation = arguments["interpolation"]
    if isinstance(interpolation, tuple):
        interpolation = interpolation[place]
    return {**arguments, "interpolation": interpolation}
