"""The games on MNIST with one network and one budget: which digits come out, and how evenly?

    python benchmarks/mnist_games.py --out benchmarks/results/mnist_games.json

Each row is a DCGAN without batch norm in the discriminator, so that every penalty is sound, with
the same seed, Adam(2e-4, beta_1=0.5), batches of 64 and number of steps; only the game and the
penalties differ. A classifier trained on MNIST's training images alone names the digits of 10,000
generated images; a mode counts if at least one image has it with a probability of 0.9.
"""

import argparse
import json
import time
from pathlib import Path

import keras
from report import machine

import kgan
from kgan.images import save_grid

R1, R2 = kgan.penalties.R1, kgan.penalties.R2
ROWS = {
    "minimax": {"loss": "minimax"},
    "non_saturating": {"loss": "non_saturating"},
    "non_saturating + R1(1)": {"loss": "non_saturating", "penalties": [R1(1.0)]},
    "least_squares": {"loss": "least_squares"},
    "hinge": {"loss": "hinge"},
    "wasserstein + GradientPenalty(10)": {
        "loss": "wasserstein",
        "penalties": [kgan.penalties.GradientPenalty(10.0)],
    },
    "relativistic + R1(1) + R2(1)": {"loss": "relativistic", "penalties": [R1(1.0), R2(1.0)]},
}
LATENT, BATCH, SAMPLES = 64, 64, 10_000


def train(options, images, steps, width):
    """Returns a GAN trained with these options, and the seconds it took."""
    keras.utils.set_random_seed(0)
    shape = images.shape[1:]
    gan = kgan.GAN(
        kgan.networks.dcgan_generator(shape, LATENT, width),
        kgan.networks.dcgan_discriminator(shape, width, batch_norm=False),
        seed=0,
    )
    gan.compile(**options, ema=0.999)
    start = time.perf_counter()
    gan.fit(images, batch_size=BATCH, steps_per_epoch=steps, verbose=0)
    return gan, time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=3_000, help="default 3,000")
    parser.add_argument("--width", type=int, default=32, help="of the networks (default 32)")
    parser.add_argument("--set", default="mnist", help="a TFDS name (default mnist)")
    parser.add_argument("--data-dir", help="where TensorFlow Datasets keeps its sets")
    parser.add_argument("--out", type=Path, help="JSON with every row")
    parser.add_argument("--pictures", type=Path, help="folder for a grid of each row")
    arguments = parser.parse_args()
    if keras.backend.backend() == "torch":
        import torch

        torch.set_num_threads(1)
    download = arguments.data_dir is None
    source = {"data_dir": arguments.data_dir, "download": download}
    images, labels = kgan.data.tfds(arguments.set, **source)
    classifier = kgan.metrics.train_classifier(images, labels)
    unseen = kgan.data.tfds(arguments.set, "test", **source)
    _, accuracy = classifier.evaluate(*unseen, verbose=0)
    real = kgan.metrics.ModeCoverage(classifier)
    real.update_state(unseen[0])
    rows = {"test images": {k: float(v) for k, v in real.result().items()}}
    for name, options in ROWS.items():
        gan, seconds = train(options, images, arguments.steps, arguments.width)
        coverage = kgan.metrics.ModeCoverage(classifier)
        samples = gan.generate(SAMPLES, seed=0)
        coverage.update_state(samples)
        found = {k: float(v) for k, v in coverage.result().items()}
        rows[name] = {"seconds": seconds, **found}
        print(f"{name}: {found}, {seconds:.0f} s", flush=True)
        if arguments.pictures:
            file = "".join(c if c.isalnum() else "_" for c in name)
            save_grid(arguments.pictures / f"{file}.png", samples[:64])

    backend = keras.backend.backend()
    print(
        f"\n{arguments.steps} steps, Keras on {backend}; classifier: {accuracy:.2%} of test images"
    )
    print("| game | modes | recognised | KL to uniform | seconds |\n|---|---|---|---|---|")
    for name, row in rows.items():
        seconds = f"{row['seconds']:.0f}" if "seconds" in row else ""
        print(
            f"| {name} | {row['modes']:.0f} of {classifier.output_shape[-1]} "
            f"| {row['high_quality']:.1%} | {row['kl_to_uniform']:.4f} | {seconds} |"
        )
    if arguments.out:
        settings = {"set": arguments.set, "steps": arguments.steps, "width": arguments.width}
        result = {"machine": machine(), "backend": backend, **settings, "classifier": accuracy}
        arguments.out.write_text(json.dumps({**result, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
