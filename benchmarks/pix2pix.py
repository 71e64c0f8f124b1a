"""Pix2Pix on street scenes: what do L1, the discriminator, and both together give?

    python benchmarks/pix2pix.py CAMVID --out benchmarks/results/pix2pix.json

`CAMVID` is a folder with `train` and `test`, pairs side by side, the photo left and its label map
right: CamVid (Brostow et al., 2008; the split of SegNet, Badrinarayanan et al., 2017), for research
use. In each direction the same U-Net and PatchGAN are trained on the same batches with L1 alone,
the conditional GAN alone, and both, as in Isola et al., 2017, tables 1 and 2:

- photo to label map: each pixel is named by the nearest label colour; pixel accuracy, and the mean
  over the classes of intersection over union, of the whole test split, unlabelled pixels left out;
- label map to photo: gradient energy, the mean of the squared differences of neighbouring pixels,
  over that of the real photos; blur lowers it. L1 to the real photo beside it.
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np
from keras import ops
from report import machine

import kgan
from kgan.images import save_columns

COLORS = np.array(
    [
        (128, 128, 128),  # sky
        (128, 0, 0),  # building
        (192, 192, 128),  # pole
        (128, 64, 128),  # road
        (60, 40, 222),  # pavement
        (128, 128, 0),  # tree
        (192, 128, 128),  # sign
        (64, 64, 128),  # fence
        (64, 0, 128),  # car
        (64, 64, 0),  # pedestrian
        (0, 128, 192),  # cyclist
        (0, 0, 0),  # unlabelled
    ],
    "float32",
)
CLASSES = len(COLORS) - 1
PICTURED = (10, 60, 120, 200)  # of the test split


class L1Alone(kgan.Pix2Pix):
    """The discriminator learns as ever, so that all else is alike, but the generator ignores it."""

    def generator_loss(self, batch, outputs, training=True):
        return {"l1": super().generator_loss(batch, outputs, training)["l1"]}


KINDS = {"L1": (L1Alone, 100.0), "cGAN": (kgan.Pix2Pix, 0.0), "L1 + cGAN": (kgan.Pix2Pix, 100.0)}


def train(kind, pairs, shape, width, epochs):
    """Returns a trained model and the seconds it took."""
    keras.utils.set_random_seed(0)
    model, weight = KINDS[kind]
    gan = model(
        kgan.networks.unet_generator(shape, width=width),
        kgan.networks.patch_discriminator((*shape[:2], 6), width=width),
        l1_weight=weight,
        jitter=kgan.layers.jitter(shape[:2], seed=0),
        seed=0,
    )
    gan.compile()
    start = time.perf_counter()
    gan.fit(pairs, epochs=epochs, verbose=2)
    return gan, time.perf_counter() - start


def classes(images):
    """Returns the class of each pixel by its nearest label colour."""
    pixels = (images + 1) * 127.5
    nearest, least = np.zeros(images.shape[:-1], "int8"), np.full(images.shape[:-1], np.inf)
    for label, color in enumerate(COLORS):
        distance = np.square(pixels - color).sum(-1)
        closer = distance < least
        nearest[closer], least[closer] = label, distance[closer]
    return nearest


def of_label_maps(made, real):
    """Returns the pixel accuracy and the mean intersection over union."""
    made, real = classes(made), classes(real)
    labelled = real < CLASSES
    made, real = made[labelled], real[labelled]
    overlaps = []
    for label in range(CLASSES):
        both, either = (made == label) & (real == label), (made == label) | (real == label)
        if (real == label).any():
            overlaps.append(both.sum() / either.sum())
    return {"pixel_accuracy": float((made == real).mean()), "mean_iou": float(np.mean(overlaps))}


def of_photos(made, real):
    """Returns the gradient energy over that of the real photos, and the distance to them."""
    return {
        "sharpness": gradient_energy(made) / gradient_energy(real),
        "l1": float(np.abs(made - real).mean()),
    }


def gradient_energy(images):
    """The mean squared difference of neighbouring pixels."""
    return float(sum(np.square(np.diff(images, axis=axis)).mean() for axis in (1, 2)))


DIRECTIONS = {"photo to labels": (False, of_label_maps), "labels to photo": (True, of_photos)}


def gather(stream):
    """Returns all inputs and targets of a stream, in order."""
    batches = [stream[i] for i in range(len(stream))]
    return (np.concatenate([ops.convert_to_numpy(b[side]) for b in batches]) for side in (0, 1))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("camvid", type=Path, help="folder with train and test")
    parser.add_argument("--size", type=int, default=128, help="pixels a side (default 128)")
    parser.add_argument("--width", type=int, default=32, help="of the networks (default 32)")
    parser.add_argument("--epochs", type=int, default=8, help="of batches of one (default 8)")
    parser.add_argument("--out", type=Path, help="JSON with every row")
    parser.add_argument("--pictures", type=Path, help="folder for a picture of each direction")
    arguments = parser.parse_args()
    size = (arguments.size, arguments.size)
    result = {
        "machine": machine(),
        "backend": keras.backend.backend(),
        "size": arguments.size,
        "width": arguments.width,
        "epochs": arguments.epochs,
        "rows": {},
    }
    for direction, (swap, measure) in DIRECTIONS.items():
        options = {"image_size": size, "swap": swap}
        pairs = kgan.data.image_pairs(arguments.camvid / "train", batch_size=1, **options)
        test = kgan.data.image_pairs(
            arguments.camvid / "test", batch_size=8, shuffle=False, **options
        )
        inputs, targets = gather(test)
        columns = [inputs[list(PICTURED)]]
        for kind in KINDS:
            gan, seconds = train(kind, pairs, (*size, 3), arguments.width, arguments.epochs)
            made = gan.translate(inputs)
            found = measure(made, targets)
            result["rows"][f"{direction}, {kind}"] = {**found, "seconds": seconds}
            print(f"{direction}, {kind}: {found}, {seconds:.0f} s", flush=True)
            columns.append(made[list(PICTURED)])
            if arguments.out:
                arguments.out.write_text(json.dumps(result, indent=1) + "\n")
        if arguments.pictures:
            file = arguments.pictures / f"pix2pix_{direction.replace(' ', '_')}.png"
            save_columns(file, *columns, targets[list(PICTURED)])
    print("| direction, loss | figures | minutes |\n|---|---|---|")
    for name, row in result["rows"].items():
        figures = ", ".join(f"{k} {v:.3f}" for k, v in row.items() if k != "seconds")
        print(f"| {name} | {figures} | {row['seconds'] / 60:.0f} |")


if __name__ == "__main__":
    main()
