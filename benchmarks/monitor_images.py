"""Does `kgan.callbacks.CollapseMonitor` stay silent on healthy runs of more than small digits?

    KERAS_BACKEND=tensorflow python benchmarks/monitor_images.py CAMVID DAY2DUSK \
        --out benchmarks/results/monitor_images.json

The runs that set its limits and tried them (`monitor.py`) are of 8x8 digits. Here are others, at
their defaults, so that whatever it says is looked into: MNIST (a DCGAN of width 16, four epochs,
five seeds), Fashion-MNIST with labels (a ConditionalGAN with a projection discriminator, the same),
and translations of 64 pixels and width 16, five epochs, two seeds: Pix2Pix both ways on pairs of
`CAMVID` (a folder with `train`), and CycleGAN between `trainA` and `trainB` of `DAY2DUSK`.
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np
from report import machine

import kgan

SHAPE, WIDTH, SIZE = (28, 28, 1), 16, (64, 64)


def dcgan(seed, data_dir):
    images, _ = kgan.data.tfds("mnist", data_dir=data_dir, download=data_dir is None)
    gan = kgan.GAN(
        kgan.networks.dcgan_generator(SHAPE, 64, WIDTH),
        kgan.networks.dcgan_discriminator(SHAPE, WIDTH),
        seed=seed,
    )
    return gan, (images,), {"batch_size": 64, "epochs": 4}


def conditional(seed, data_dir):
    data = kgan.data.tfds("fashion_mnist", data_dir=data_dir, download=data_dir is None)
    classes = {"num_classes": 10}
    gan = kgan.ConditionalGAN(
        kgan.networks.dcgan_generator(SHAPE, 64, WIDTH, **classes),
        kgan.networks.dcgan_discriminator(SHAPE, WIDTH, conditioning="projection", **classes),
        **classes,
        seed=seed,
    )
    return gan, data, {"batch_size": 64, "epochs": 4}


def pix2pix(seed, folder, swap):
    gan = kgan.Pix2Pix(
        kgan.networks.unet_generator((*SIZE, 3), width=WIDTH),
        kgan.networks.patch_discriminator((*SIZE, 6), width=WIDTH, receptive_field=34),
        jitter=kgan.layers.jitter(SIZE, seed=seed),
        seed=seed,
    )
    return (
        gan,
        (kgan.data.image_pairs(folder / "train", image_size=SIZE, swap=swap),),
        {"epochs": 5},
    )


def cyclegan(seed, folder):
    gan = kgan.CycleGAN(
        *(kgan.networks.cyclegan_generator((*SIZE, 3), width=WIDTH, blocks=3) for _ in "ab"),
        *(
            kgan.networks.patch_discriminator((*SIZE, 3), width=WIDTH, receptive_field=34)
            for _ in "ab"
        ),
        jitter=kgan.layers.jitter(SIZE, seed=seed),
        seed=seed,
    )
    domains = kgan.data.image_domains(folder / "trainA", folder / "trainB", SIZE)
    return gan, (domains,), {"epochs": 5}


def train(name, seed, build, *arguments):
    """Returns what the monitor said in one run, and the figures of each look."""
    keras.utils.set_random_seed(seed)
    gan, data, options = build(seed, *arguments)
    gan.compile()
    count = 16 if hasattr(gan, "translate") else 64  # as kgan train has it
    monitor = kgan.callbacks.CollapseMonitor(count, verbose=False)
    start = time.perf_counter()
    gan.fit(*data, verbose=0, callbacks=[monitor], **options)
    looks = [
        {key: float(f"{value:.4g}") for key, value in look.items() if np.isfinite(value)}
        for look in monitor.history
    ]
    return {
        "run": name,
        "seed": seed,
        "seconds": time.perf_counter() - start,
        "said": [{"epoch": w.epoch, "rule": w.rule, "text": w.text} for w in monitor.warnings],
        "looks": looks,
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("camvid", type=Path, help="folder with train: photo left, labels right")
    parser.add_argument("day2dusk", type=Path, help="folder with trainA and trainB")
    parser.add_argument("--data-dir", help="where TensorFlow Datasets keeps its sets")
    parser.add_argument("--out", type=Path, help="JSON with every look")
    arguments = parser.parse_args()
    camvid, sets = arguments.camvid, arguments.data_dir
    kinds = {
        "CycleGAN, day and dusk": (2, cyclegan, arguments.day2dusk),
        "Pix2Pix, photo to labels": (2, pix2pix, camvid, False),
        "Pix2Pix, labels to photo": (2, pix2pix, camvid, True),
        "MNIST, DCGAN": (5, dcgan, sets),
        "Fashion-MNIST, projection": (5, conditional, sets),
    }
    runs = []
    for name, (seeds, *build) in kinds.items():
        for seed in range(seeds):
            run = train(name, seed, *build)
            runs.append(run)
            said = "; ".join(f"{x['epoch']}: {x['text']}" for x in run["said"]) or "nothing"
            print(f"{name}, seed {seed}, {run['seconds']:.0f} s: {said}", flush=True)
            if arguments.out:
                result = {"machine": machine(), "backend": keras.backend.backend(), "runs": runs}
                arguments.out.write_text(json.dumps(result, indent=1) + "\n")
    silent = sum(not run["said"] for run in runs)
    print(f"\nKeras on {keras.backend.backend()}: nothing was said of {silent} of {len(runs)} runs")


if __name__ == "__main__":
    main()
