"""One HTML file that tells of a run: curves, pictures, scores, settings, exported files."""

import os
import warnings
from pathlib import Path

from kgan.report.page import MARK, page
from kgan.report.run import read
from kgan.utils import files
from kgan.utils.advice import advice


def write(run: str | os.PathLike, out: str | os.PathLike | None = None) -> Path:
    """Writes the report of a run, a page that needs no other file and no network.

    Args:
        run: the folder that `kgan train` made, or one like it: `log.csv` of
            `keras.callbacks.CSVLogger`, `samples/` of `SampleGrid`, `warnings.jsonl` of
            `CollapseMonitor(log=...)`, `scores*.json` of `kgan evaluate`, `gan.keras`, and bundles
            of exported files, each if it is there. What is missing is left out with a word.
        out: the file. Default: `report.html` in the folder.

    Returns:
        The path of the file. What could not be read is named in one warning.

    Raises:
        ValueError: if there is no such folder, nothing of a run in it, or something else than a
            report where the file is to be.
    """
    out = Path(run) / "report.html" if out is None else Path(out)
    if out.is_dir() or (out.is_file() and MARK not in _beginning(out)):
        raise ValueError(
            f"There is something else than a report of kgan: name another file with "
            f"{advice('out=', '--out')}, such as report.html. Received: {out}"
        )
    known = read(run)
    if known.unreadable:
        warnings.warn(
            f"Some of the run cannot be read, and is left out. Received: {run} with "
            f"{', '.join(known.unreadable)}",
            stacklevel=2,
        )
    text = page(known)
    files.write_text(out, text)
    return out


def _beginning(path):
    with open(path, "rb") as file:
        return file.read(2000)
