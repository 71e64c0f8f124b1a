"""What does a folder of images cost beside the same images as an array?

    KERAS_BACKEND=torch python benchmarks/folder.py --out benchmarks/results/folder_torch.json

A DCGAN at 64 px trains on 640 pictures that lie in a folder (`kgan.data.folder`, shuffled) and on
the same pictures in memory, in turn, an epoch a round; both are warmed up first. The ratio of the
two times is taken within a round; reported is its median with the lowest and highest. `--xla`
compiles the step with XLA (`jit_compile=True`).
"""

import argparse
import json
import os
import random
import statistics
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
from PIL import Image
from report import cell, machine, spread
from worker import limit_threads

SIZE, COUNT, BATCH, WIDTH = 64, 640, 32, 32


def pictures(folder):
    """Writes the pictures, smooth shapes with some noise, and returns them as they are read."""
    import kgan

    rng = np.random.default_rng(0)
    rows = np.linspace(0, 6, SIZE)[:, None, None] + np.linspace(0, 6, SIZE)[:, None]
    for index in range(COUNT):
        x = np.sin(rows + rng.uniform(0, 6, 3)) + rng.normal(0, 0.05, (SIZE, SIZE, 3))
        Image.fromarray(np.uint8(np.clip(127.5 * x + 127.5, 0, 255))).save(folder / f"{index}.png")
    stream = kgan.data.folder(folder, image_size=(SIZE, SIZE), batch_size=BATCH)
    return stream, np.concatenate([np.asarray(stream[i]) for i in range(len(stream))])


def gan(xla):
    import kgan

    shape = (SIZE, SIZE, 3)
    model = kgan.GAN(
        kgan.networks.dcgan_generator(shape, 128, width=WIDTH),
        kgan.networks.dcgan_discriminator(shape, width=WIDTH),
    )
    model.compile(jit_compile=True if xla else "auto")
    return model


def seconds(model, data):
    start = time.perf_counter()
    model.fit(data, batch_size=BATCH if isinstance(data, np.ndarray) else None, verbose=0)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--xla", action="store_true")
    parser.add_argument("--out", type=Path, metavar="FILE.json")
    options = parser.parse_args()
    limit_threads(options.threads, keras.backend.backend())
    with tempfile.TemporaryDirectory() as folder:
        stream, images = pictures(Path(folder))
        contestants = {"folder": stream, "array": images}
        models = {name: gan(options.xla) for name in contestants}
        times = {name: [] for name in contestants}
        for number in range(options.rounds + 1):
            for name in random.Random(number).sample(list(contestants), 2):
                times[name].append(seconds(models[name], contestants[name]))
    times = {name: values[1:] for name, values in times.items()}
    ratio = spread(times["folder"], times["array"])
    steps = COUNT // BATCH
    for name, values in times.items():
        print(f"{name}: {1e3 * statistics.median(values) / steps:.1f} ms a step")
    print(f"folder over array, {keras.backend.backend()}: {cell(ratio)}")
    settings = {"backend": keras.backend.backend(), "xla": options.xla, "threads": options.threads}
    settings |= {"size": SIZE, "images": COUNT, "batch": BATCH, "width": WIDTH}
    if options.out:
        report = {"settings": settings, "machine": machine(), "seconds": times, "ratio": ratio}
        options.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
