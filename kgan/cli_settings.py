"""What a run was asked for, as its folder tells."""

import json

from kgan import cli_arguments as arguments

# Options of `train` with which a run that goes on must have begun.
FIXED = ("model", "network", "width", "latent_dim", "batch_size", "image_size", "channels")
FIXED += ("loss", "learning_rate", "seed", "metrics", "features")
FLAGS = ("decay", "swap", "jitter", "metrics")  # which a run has or has not


def trained_with(gan):
    """The options of the run that left a saved GAN or exported file, by name.

    The file lies in the folder of the run or in one right below; of others nothing is known.
    """
    from kgan.report.run import SETTINGS

    for folder in arguments.saved_in(gan).absolute().parents[:2]:
        try:
            return json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
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
