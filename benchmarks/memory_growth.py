"""Does memory grow over many epochs, and over many saves and loads?

    python benchmarks/memory_growth.py --out benchmarks/results/memory_growth.json

Each backend has a process for each question, with a tiny GAN and its average. The resident memory
is noted as the work goes on, after a garbage collection. Growth is the difference between the end
and the first fifth, when everything that is made once has been made. Of `--kinds`, `keras` saves
and loads a `keras.Sequential` of two layers in place of the GAN, which shows what Keras and the
backend keep by themselves; `clear` is the GAN with `keras.backend.clear_session()` before each
load.
"""

import argparse
import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

BACKENDS = ("tensorflow", "jax", "torch")
KINDS = ("epochs", "cycles", "clear", "keras")


def resident():
    """The resident memory of this process in MB."""
    gc.collect()
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return pages * resource.getpagesize() / 2**20


def make():
    import keras

    import kgan

    keras.utils.set_random_seed(0)
    gan = kgan.GAN(
        kgan.networks.mlp_generator((8, 8, 1), latent_dim=4, width=16),
        kgan.networks.mlp_discriminator((8, 8, 1), width=16),
        seed=0,
    )
    gan.compile(ema=0.9)
    return gan


def epochs(count, images, note):
    """Trains, with a look at the images and at the losses after each epoch."""
    import keras

    def end(epoch, logs):
        gan.generate(8, seed=0)
        note(epoch + 1)

    gan = make()
    look = keras.callbacks.LambdaCallback(on_epoch_end=end)
    gan.fit(images, epochs=count, verbose=0, validation_data=images, callbacks=[look])


def cycles(count, images, note, clear=False):
    """Saves a GAN, loads it, and uses what was loaded."""
    import keras

    gan = make()
    gan.fit(images, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gan.keras"
        for cycle in range(count):
            gan.save(path)
            del gan
            if clear:
                keras.backend.clear_session()
            gan = keras.saving.load_model(path)
            gan.generate(8, seed=0)
            note(cycle + 1)


def plain(count, images, note):
    """The same with a model of Keras alone."""
    import keras

    layers = [keras.Input((4,)), keras.layers.Dense(16), keras.layers.Dense(64)]
    model = keras.Sequential(layers)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        for cycle in range(count):
            model.save(path)
            model = keras.saving.load_model(path)
            model.predict(images[:8, 0, :4, 0], verbose=0)
            note(cycle + 1)


def work(kind, count):
    """Prints what one process has found, as JSON."""
    import numpy as np

    images = np.tanh(np.random.default_rng(0).normal(size=(64, 8, 8, 1))).astype("float32")
    found = []

    def note(done):
        if done % max(count // 20, 1) == 0:
            found.append([done, round(resident(), 1)])

    if kind == "epochs":
        epochs(count, images, note)
    elif kind == "keras":
        plain(count, images, note)
    else:
        cycles(count, images, note, clear=kind == "clear")
    print(json.dumps(found), flush=True)
    os._exit(0)


def measure(backend, kind, count):
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, "KERAS_BACKEND": backend}
    command = [sys.executable, __file__, "--work", kind, "--count", str(count)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    notes = json.loads(done.stdout.splitlines()[-1])
    first = next(i for i, (at, _) in enumerate(notes) if at >= count / 5)
    growth = notes[-1][1] - notes[first][1]
    per = 1024 * growth / (notes[-1][0] - notes[first][0])
    return {"megabytes": notes, "growth": round(growth, 1), "kilobytes_each": round(per, 1)}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=BACKENDS)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--out", type=Path, help="JSON with every note")
    parser.add_argument("--work", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.work, arguments.count)
    from report import machine

    found = {"machine": machine(), "runs": {}}
    for backend in arguments.backends:
        for kind in arguments.kinds:
            count = arguments.epochs if kind == "epochs" else arguments.cycles
            own = measure(backend, kind, count)
            found["runs"][f"{backend} {kind}"] = own
            print(backend, kind, count, own["growth"], "MB,", own["kilobytes_each"], "KB each")
            if arguments.out:
                arguments.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
