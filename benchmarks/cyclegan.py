"""CycleGAN between day and dusk: do translations lead back, and do they look like the other side?

    python benchmarks/cyclegan.py DAY2DUSK --out benchmarks/results/cyclegan.json

`DAY2DUSK` is a folder with `trainA`, `trainB`, `testA` and `testB`: scenes of CamVid (Brostow et
al., 2008) by day and at dusk, for research use. Measured on the test images, before training and
after:

- the cycle error, the mean absolute difference of an image to what it comes back as;
- the distance of a translation's colours to the other domain's test images: the first Wasserstein
  distance between the distributions of the pixels' brightness, and the mean of it over red, green
  and blue, on the scale [0, 1]; beside that of the untranslated images.
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np
from keras import ops
from report import machine
from scipy.stats import wasserstein_distance

import kgan
from kgan.images import save_columns

PICTURED = (0, 8, 16, 23)  # of the test images of each domain


def build(shape, width, blocks, steps):
    """Returns a CycleGAN whose rate falls in the second half of the run, as in the paper."""
    keras.utils.set_random_seed(0)
    gan = kgan.CycleGAN(
        *(kgan.networks.cyclegan_generator(shape, width=width, blocks=blocks) for _ in "ab"),
        *(kgan.networks.patch_discriminator(shape, width=width) for _ in "ab"),
        jitter=kgan.layers.jitter(shape[:2], seed=0),
        seed=0,
    )

    def adam():
        return keras.optimizers.Adam(kgan.schedules.LinearDecay(2e-4, steps), beta_1=0.5)

    gan.compile(generator_optimizer=adam(), discriminator_optimizer=adam())
    return gan


def gather(folder, size):
    """Returns all images of a folder, in order."""
    stream = kgan.data.image_domains(folder, folder, size, 8, shuffle=False)
    return np.concatenate([ops.convert_to_numpy(stream[i][0]) for i in range(len(stream))])


def color_distances(made, real):
    """Returns how far two sets of images are apart in brightness and in colour."""
    made, real = ((images.reshape(-1, 3) + 1) / 2 for images in (made, real))
    brightness = [pixels @ np.array([0.299, 0.587, 0.114]) for pixels in (made, real)]
    colors = [wasserstein_distance(made[:, i], real[:, i]) for i in range(3)]
    return {
        "brightness": float(wasserstein_distance(*brightness)),
        "color": float(np.mean(colors)),
    }


def measure(gan, domains):
    """Returns the figures of both directions."""
    found = {}
    for direction in ("ab", "ba"):
        source, target = (domains[name] for name in direction)
        made = gan.translate(source, direction)
        back = gan.translate(made, direction[::-1])
        found[direction] = {
            "cycle_error": float(np.abs(back - source).mean()),
            **color_distances(made, target),
        }
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="holds trainA, trainB, testA and testB")
    parser.add_argument("--size", type=int, default=96, help="pixels a side (default 96)")
    parser.add_argument("--width", type=int, default=24, help="of the networks (default 24)")
    parser.add_argument("--blocks", type=int, default=6, help="residual blocks (default 6)")
    parser.add_argument("--epochs", type=int, default=6, help="of batches of one (default 6)")
    parser.add_argument("--out", type=Path, help="JSON with the figures")
    parser.add_argument("--pictures", type=Path, help="folder for a picture of each direction")
    arguments = parser.parse_args()
    size = (arguments.size, arguments.size)
    train = kgan.data.image_domains(*(arguments.folder / f"train{d}" for d in "AB"), size)
    domains = {name: gather(arguments.folder / f"test{name.upper()}", size) for name in "ab"}
    steps = arguments.epochs * len(train)
    gan = build((*size, 3), arguments.width, arguments.blocks, steps)
    untranslated = color_distances(domains["a"], domains["b"])
    before = measure(gan, domains)
    start = time.perf_counter()
    gan.fit(train, epochs=arguments.epochs, verbose=2)
    seconds = time.perf_counter() - start
    after = measure(gan, domains)
    settings = {name: getattr(arguments, name) for name in ("size", "width", "blocks", "epochs")}
    result = {
        "machine": machine(),
        "backend": keras.backend.backend(),
        **settings,
        "steps": steps,
        "seconds": seconds,
        "untranslated": untranslated,
        "before": before,
        "after": after,
    }
    print("| direction | | cycle error | brightness | colour |\n|---|---|---|---|---|")
    for direction in ("ab", "ba"):
        print(
            f"| {direction} | untranslated | | {untranslated['brightness']:.3f} "
            f"| {untranslated['color']:.3f} |"
        )
        for when, row in (("before training", before), ("after", after)):
            cells = " | ".join(f"{value:.3f}" for value in row[direction].values())
            print(f"| {direction} | {when} | {cells} |")
    print(f"{steps} steps, {seconds / 60:.0f} minutes")
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=1) + "\n")
    if arguments.pictures:
        for direction in ("ab", "ba"):
            images = domains[direction[0]][list(PICTURED)]
            made = gan.translate(images, direction)
            back = gan.translate(made, direction[::-1])
            save_columns(arguments.pictures / f"cyclegan_{direction}.png", images, made, back)
        gan.save(arguments.pictures / "cyclegan.keras")


if __name__ == "__main__":
    main()
