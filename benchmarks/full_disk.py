"""What is lost when a disk is full, or cannot be written to? Tries it on disks in memory.

    KERAS_BACKEND=torch python benchmarks/full_disk.py --out benchmarks/results/full_disk.json

Needs Linux and the right to mount. Each verb writes once where there is room, which tells what it
needs. Then it writes again, over its older files, on a disk with less room than that, in steps from
none on, and at last on one that is mounted read-only. It must end in an OSError or ExportError that
names a file or folder of that disk, and leave what was there bit for bit, and nothing else; or,
where the room was enough, do its work.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
from report import machine

import kgan

BALLAST = "ballast"
PAGE = 4096
IMAGES = np.random.default_rng(0).uniform(-1, 1, (64, 16, 16, 1)).astype("float32")


def gan():
    keras.utils.set_random_seed(0)
    model = kgan.GAN(
        kgan.networks.mlp_generator((16, 16, 1), latent_dim=8, width=64),
        kgan.networks.mlp_discriminator((16, 16, 1), width=64),
    )
    model.compile()
    return model


def fit(epochs=1, **options):
    gan().fit(IMAGES, batch_size=32, epochs=epochs, verbose=0, **options)


def checkpoint(folder, epochs):
    fit(epochs, checkpoint=folder / "checkpoint.keras")


def pictures(folder, epochs):
    fit(callbacks=[kgan.callbacks.SampleGrid(folder, film=True)])


def save(folder, epochs):
    gan().save(folder / "gan.keras")


def best(folder, epochs):
    fit(callbacks=[keras.callbacks.ModelCheckpoint(folder / "best.keras")])


def scores(folder, epochs):
    metric = keras.metrics.Mean(name="score" * 1000)
    metric.update_state(1.0)
    kgan.metrics.report([metric], folder / "scores.json")


def export(folder, epochs):
    gan().export(folder / "generator.onnx")


# Each writes its files into a folder; a checkpoint that is there is of fewer epochs.
VERBS = {
    "fit(checkpoint=)": (checkpoint, 12),
    "pictures of SampleGrid": (pictures, 12),
    "gan.save": (save, 12),
    "ModelCheckpoint": (best, 12),
    "scores": (scores, 3),
    "export": (export, 5),
}


@contextlib.contextmanager
def disk():
    """A disk of 32 MB in memory."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["-t", "tmpfs", "-o", "size=32m", "tmpfs", folder]
        subprocess.run(["mount", *options], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def contents(folder):
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.name != BALLAST
    }


def room(folder):
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def fill(folder, free):
    """Leaves a number of bytes."""
    with open(folder / BALLAST, "wb") as file:
        file.write(bytes(max(room(folder) - free, 0)))


def needed(write):
    """The most room that a verb takes in a second run, over its older files."""
    with disk() as folder:
        write(folder, 1)
        used = sum(map(len, contents(folder).values()))
    return 2 * used + 64 * PAGE if write is export else used + 4 * PAGE


def attempt(write, folder):
    """What became of a verb on a disk with its older files."""
    before = contents(folder)
    try:
        write(folder, 2)
        return {"outcome": "done"}
    except (OSError, kgan.export.ExportError) as error:
        after = contents(folder)
        return {
            "outcome": "refused",
            "message": str(error).replace(str(folder), "DISK"),
            "named": str(folder) in str(error),
            "older_files_unchanged": {name: after.get(name) for name in before} == before,
            "left": sorted(set(after) - set(before)),
        }


def trials(name, write, steps):
    most = needed(write)
    for free in [*(most * step // steps // PAGE * PAGE for step in range(steps)), None]:
        with disk() as folder:
            write(folder, 1)
            if free is None:
                subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
            else:
                fill(folder, free)
            found = {"verb": name, "free": free, "read_only": free is None}
            found |= attempt(write, folder)
        print(found, flush=True)
        yield found


def sound(run):
    return run["outcome"] == "done" or (
        run["named"] and run["older_files_unchanged"] and not run["left"]
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--verbs", nargs="+", choices=VERBS, default=list(VERBS))
    parser.add_argument("--out", type=Path, help="JSON with every trial")
    arguments = parser.parse_args()
    found = [run for name in arguments.verbs for run in trials(name, *VERBS[name])]
    print("\n| verb | refused | done | sound |\n|---|---|---|---|")
    for name in arguments.verbs:
        runs = [run for run in found if run["verb"] == name]
        refused = sum(run["outcome"] == "refused" for run in runs)
        good = sum(map(sound, runs))
        print(f"| {name} | {refused} | {len(runs) - refused} | {good} of {len(runs)} |")
    if arguments.out:
        arguments.out.write_text(json.dumps({"machine": machine(), "runs": found}, indent=1) + "\n")
    sys.exit(not all(map(sound, found)))


if __name__ == "__main__":
    main()
