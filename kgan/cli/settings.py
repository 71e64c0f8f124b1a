"""What a run was asked for: kept in its folder, read there, and compared."""

import contextlib
import importlib
import json
import math
import time

from kgan.cli import arguments, saved_gans
from kgan.utils import files

# Options of `train` with which a run that goes on must have begun.
FIXED = ("model", "network", "width", "latent_dim", "batch_size", "image_size", "channels")
FIXED += ("loss", "learning_rate", "seed", "metrics", "features", "background", "interpolation")
NOT_SETTINGS = ("out", "resume", "overwrite", "download", "data_dir")
FLAGS = ("decay", "swap", "jitter", "metrics")  # which a run has or has not


def trained_with(gan):
    """The options of the run that left a saved GAN or exported file, by name.

    The file lies in the folder of the run or in one right below; of others nothing is known.
    """
    for folder in saved_gans.saved_in(gan).absolute().parents[:2]:
        found = _kept_in(folder)
        if found:
            return found
    return {}


def _kept_in(folder):
    """The settings in a folder; none where there are none, or they are damaged."""
    from kgan.report import run_files
    from kgan.report.run import SETTINGS

    with contextlib.suppress(OSError, ValueError):
        return run_files.settings(folder / SETTINGS)[0]
    return {}


def check_same(out, options):
    """Raises a ValueError that names the options with which the run in a folder cannot go on.

    What it misses, such as other files of the same folder, the checkpoint tells in its own words.
    """
    before = trained_with(out / "gan.keras")
    now = {name: str(value) for name, value in options.items() if value not in (None, False)}
    if not before:
        return
    fixed = [*FIXED, *(["epochs"] if "decay" in before else [])]
    changed = [
        f"{_option(name)} {now[name]} ({before[name]})"
        for name in fixed
        if name in now and name in before and _meant(name, now[name]) != _meant(name, before[name])
    ]
    for name in FLAGS:
        if (name in now) != (name in before):
            changed.append(f"{'with' if name in now else 'without'} {_option(name)}")
    if changed:
        decays = any(each.startswith("--epochs") for each in changed)
        hint = " With --decay the rate falls over all epochs." if decays else ""
        raise ValueError(
            f"The run in {out} has other settings: take them back to go on with it, or train anew "
            f"in another folder with --out.{hint} "
            f"Received (what the run has): {', '.join(changed)}"
        )


def _meant(name, value):
    return arguments.size(value) if name == "image_size" else value


def _option(name):
    return f"--{name.replace('_', '-')}"


class Record:
    """Keeps what a run was asked for, and on what it ran, as `settings.json` in its folder.

    Args:
        folder: of the run.
        options: the arguments of the command, by name.
        run: a `arguments.Run`.
    """

    def __init__(self, folder, options, run):
        import keras

        from kgan.report.run import SETTINGS

        self.path = folder / SETTINGS
        self.start = time.perf_counter()
        self.earlier = _minutes(folder) if options.get("resume") else 0.0
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
        """Writes anew after each epoch, so that a run that is killed has its minutes too."""
        import keras

        return keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: self.write())

    def write(self):
        """Writes the file, with the minutes until now, those before a restart included."""
        minutes = self.earlier + (time.perf_counter() - self.start) / 60
        known = f"{minutes:.1f}" if minutes >= 1 else f"{minutes:.2f}"
        text = json.dumps({**self.content, "minutes": known}, indent=1)
        files.write_text(self.path, text + "\n")


def _minutes(folder):
    """What the run in a folder took before, as far as its settings tell."""
    try:
        minutes = float(_kept_in(folder).get("minutes", 0))
    except ValueError:
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
