"""The command that tells of a run in one page."""

import importlib
import json
import os
import time
from pathlib import Path
from typing import Annotated

from kgan.cli_shared import console, typer

NOT_SETTINGS = ("out", "resume", "overwrite", "download", "data_dir")


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


class Record:
    """Keeps what a run was asked for, and on what it ran, as `settings.json` in its folder.

    Args:
        folder: of the run.
        options: the arguments of the command, by name.
        run: a `cli_arguments.Run`.
    """

    def __init__(self, folder, options, run):
        import keras

        from kgan.report.run import SETTINGS

        self.path = folder / SETTINGS
        self.start = time.perf_counter()
        earlier = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.earlier = float(earlier.get("minutes", 0)) if options.get("resume") else 0.0
        self.content = {
            **{
                name: str(value)
                for name, value in options.items()
                if value is not None and value is not False and name not in NOT_SETTINGS
            },
            "images": " x ".join(map(str, run.shape)),
            "parameters": ", ".join(
                f"{network.name} {network.count_params():,}"
                for network in (*run.model.generators, *run.model.discriminators)
            ),
            "backend": keras.backend.backend(),
            "versions": _versions(),
        }
        self.write()

    def callback(self):
        """Writes anew after each epoch, so that a session that is killed has its minutes too."""
        import keras

        return keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: self.write())

    def write(self):
        """Writes the file, with the minutes until now, those of earlier sessions included."""
        minutes = self.earlier + (time.perf_counter() - self.start) / 60
        known = f"{minutes:.1f}" if minutes >= 1 else f"{minutes:.2f}"
        text = json.dumps({**self.content, "minutes": known}, indent=1)
        unfinished = self.path.with_name(f".{self.path.name}")
        unfinished.write_text(text + "\n", encoding="utf-8")
        os.replace(unfinished, self.path)


def _versions():
    import keras

    import kgan

    backend = keras.backend.backend()
    return {
        "kgan": kgan.__version__,
        "keras": keras.__version__,
        # Not that of a distribution: TensorFlow comes in several.
        backend: importlib.import_module(backend).__version__,
    }
