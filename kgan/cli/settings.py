"""The file that keeps in the folder of a run what it was asked for, and on what it ran."""

import contextlib
import importlib
import json
import math
import time

from kgan.cli import saved_gans
from kgan.cli.recipe import Recipe
from kgan.utils import files


def trained_with(gan):
    """The `Recipe` of the run that left a saved GAN or exported file.

    The file lies in the folder of the run or in one right below; of others nothing is known.
    """
    folders = saved_gans.saved_in(gan).absolute().parents[:2]
    return Recipe.read(next((found for found in map(_content, folders) if found), {}))


def check_same(recipe):
    """Raises a ValueError that names the options with which the run in a folder cannot go on.

    What it misses, such as other files of the same folder, the checkpoint tells in its own words.
    """
    content = _content(recipe.out)
    changed = recipe.changes(Recipe.read(content)) if content else []
    if changed:
        decays = any(each.startswith("--epochs") for each in changed)
        hint = " With --decay the rate falls over all epochs." if decays else ""
        raise ValueError(
            f"The run in {recipe.out} has other settings: take them back to go on with it, or "
            f"train anew in another folder with --out.{hint} "
            f"Received (what the run has): {', '.join(changed)}"
        )


class Record:
    """Keeps a recipe, and on what it ran, as `settings.json` in the folder of the run.

    Args:
        recipe: a `Recipe`, completed.
        run: a `kgan.cli.run.Run`.
        **facts: what else is known of the run, by name.
    """

    def __init__(self, recipe, run, **facts):
        import keras

        from kgan.report.run_files import SETTINGS

        self.path = recipe.out / SETTINGS
        self.start = time.perf_counter()
        self.earlier = _minutes(recipe.out) if recipe.resume else 0.0
        self.content = {
            **recipe.kept(),
            **{name: fact for name, fact in facts.items() if fact is not None},
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
        """Writes anew after each epoch, so that a run that is killed has its minutes too."""
        import keras

        return keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: self.write())

    def write(self):
        """Writes the file, with the minutes until now, those before a restart included."""
        minutes = self.earlier + (time.perf_counter() - self.start) / 60
        minutes = round(minutes, 1 if minutes >= 1 else 2)
        files.write_text(
            self.path, json.dumps({**self.content, "minutes": minutes}, indent=1) + "\n"
        )


def _content(folder):
    """The settings in a folder; none where there are none, or they are damaged."""
    from kgan.report import run_files

    with contextlib.suppress(OSError, ValueError):
        return run_files.settings(folder / run_files.SETTINGS)[0]
    return {}


def _minutes(folder):
    """What the run in a folder took before, as far as its settings tell."""
    try:
        minutes = float(_content(folder).get("minutes", 0))
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return minutes if 0 <= minutes < math.inf else 0.0


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
