"""The command that tells of a run in one page."""

from pathlib import Path
from typing import Annotated

from kgan.cli.console import console, typer


def report(
    run: Annotated[Path, typer.Argument(help="The folder of a run, as in kgan train --out.")],
    out: Annotated[
        Path | None, typer.Option(help="The page. Default: report.html in the folder.")
    ] = None,
):
    """Tell of a run in one HTML page: curves, pictures, scores, settings, exported files.

    The page needs no other file and no network.
    """
    from kgan.report import write

    path = write(run, out)
    console.print(f"Wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")
