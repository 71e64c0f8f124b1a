"""The command that shows the whole road."""

from pathlib import Path
from typing import Annotated

from kgan.cli.console import Seed, console, typer


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("kgan_demo"),
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the digits.")] = 400,
    seed: Seed = 0,
):
    """Train on handwritten digits, draw, export and verify: the whole road in a few minutes.

    Needs no network: the digits come with scikit-learn.
    """
    from kgan.cli import digits

    digits.run(out, epochs, seed, console.print)
