"""What `kgan.callbacks.CollapseMonitor` adds to an epoch, at its defaults.

    python benchmarks/monitor_cost.py --out benchmarks/results/monitor_cost.json

A DCGAN as `kgan train mnist` makes it (width 64, batches of 64) trains on MNIST, an epoch a call of
`fit`: one with the monitor, one without, in turns and in random order. Reported is the ratio of
their times within a pair, as median, lowest and highest, and apart from it what a run pays once:
the look before the first step, with whatever the backend compiles for it.
"""

import argparse
import json
import random
import time
from pathlib import Path

import keras
from report import cell, machine, spread

import kgan


class Timed(kgan.callbacks.CollapseMonitor):
    """Takes the time of the look before the first step, which belongs to the run."""

    def on_epoch_begin(self, epoch, logs=None):
        start = time.perf_counter()
        super().on_epoch_begin(epoch, logs)
        self.first_look = time.perf_counter() - start


def epoch(gan, images, steps, monitor=None):
    """The seconds of one epoch, and of the monitor's first look in it."""
    start = time.perf_counter()
    gan.fit(
        images,
        batch_size=64,
        steps_per_epoch=steps,
        verbose=0,
        callbacks=[monitor] if monitor else None,
    )
    first = monitor.first_look if monitor else 0.0
    return time.perf_counter() - start - first, first


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=5, help="of epochs (default 5)")
    parser.add_argument("--width", type=int, default=64, help="of the networks (default 64)")
    parser.add_argument("--steps", type=int, help="of an epoch (default: all of MNIST)")
    parser.add_argument("--threads", type=int, help="of PyTorch (default: its own)")
    parser.add_argument("--data-dir", help="where TensorFlow Datasets keeps its sets")
    parser.add_argument("--out", type=Path, help="JSON with every time")
    arguments = parser.parse_args()
    if arguments.threads and keras.backend.backend() == "torch":
        import torch

        torch.set_num_threads(arguments.threads)
    images, _ = kgan.data.tfds(
        "mnist", data_dir=arguments.data_dir, download=arguments.data_dir is None
    )
    keras.utils.set_random_seed(0)
    shape = images.shape[1:]
    gan = kgan.GAN(
        kgan.networks.dcgan_generator(shape, 64, arguments.width),
        kgan.networks.dcgan_discriminator(shape, arguments.width),
        seed=0,
    )
    gan.compile()
    monitor = Timed(verbose=False)
    epoch(gan, images, 3)  # compiles the step
    _, compiled = epoch(gan, images, 3, monitor)  # and what a look needs
    order = random.Random(0)
    times = {"with": [], "without": []}
    for _ in range(arguments.pairs):
        for name in order.sample(["with", "without"], 2):
            seconds, first = epoch(
                gan, images, arguments.steps, monitor if name == "with" else None
            )
            times[name].append(seconds)
            print(f"{name}: {seconds:.2f} s, first look {first:.2f} s", flush=True)
    ratio = spread(times["with"], times["without"])
    print(f"\nKeras on {keras.backend.backend()}: an epoch with the monitor over one without")
    print(f"{cell(ratio)}; once a run: {compiled:.2f} s")
    if arguments.out:
        result = {
            "machine": machine(),
            "backend": keras.backend.backend(),
            "width": arguments.width,
            "steps": arguments.steps or len(images) // 64,
            "seconds": times,
            "ratio": ratio,
            "once": compiled,
        }
        arguments.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
