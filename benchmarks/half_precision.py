"""Does WGAN-GP hold in float16? Trains it in float32 and in mixed_float16, and watches the scales.

    KERAS_BACKEND=torch python benchmarks/half_precision.py --out benchmarks/results/half_torch.json

A DCGAN of handwritten digits (scikit-learn's, 8 px) with the recipe of Gulrajani et al., 2017:
penalty 10, five turns of the critic, Adam(1e-4, beta_1=0, beta_2=0.9). After every 100 steps it
notes the losses, both loss scales and the updates skipped because a gradient had overflowed; a
loss that is not finite in any step makes that mean not finite. At the end a classifier trained on
real digits names what 2,500 samples show.
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np
from report import machine

import kgan

PRECISIONS = ("float32", "mixed_float16")
EVERY, SAMPLES = 100, 2_500


class Watch(keras.callbacks.Callback):
    """Notes, at the end of each epoch, what float16 could spoil."""

    def __init__(self):
        super().__init__()
        self.notes = []

    def on_epoch_end(self, epoch, logs=None):
        kgan.backend.sync(self.model)
        note = {name: float(value) for name, value in logs.items()}
        for player in ("discriminator", "generator"):
            optimizer = getattr(self.model.optimizer, player)
            if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
                note[f"{player}_loss_scale"] = float(optimizer.dynamic_scale)
        self.notes.append(note)


def train(precision, steps, width, images):
    """Returns the trained GAN, the notes of each 100 steps, and the seconds it took."""
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(precision)
    gan = kgan.GAN(
        kgan.networks.dcgan_generator((8, 8, 1), 64, width),
        kgan.networks.dcgan_discriminator((8, 8, 1), width, batch_norm=False),
        seed=0,
    )
    keras.config.set_dtype_policy("float32")
    gan.compile(
        loss="wasserstein",
        penalties=[kgan.penalties.GradientPenalty(10.0)],
        generator_optimizer=keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9),
        discriminator_optimizer=keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9),
        discriminator_steps=5,
    )
    watch = Watch()
    start = time.perf_counter()
    gan.fit(
        images,
        batch_size=64,
        steps_per_epoch=EVERY,
        epochs=steps // EVERY,
        verbose=0,
        callbacks=[watch],
    )
    return gan, watch.notes, time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=3_000, help="of the generator (default 3,000)")
    parser.add_argument("--width", type=int, default=16, help="of the networks (default 16)")
    parser.add_argument("--out", type=Path, help="JSON with all notes")
    arguments = parser.parse_args()
    if keras.backend.backend() == "torch":
        import torch

        torch.set_num_threads(1)
    images, labels = kgan.data.digits()
    classifier = kgan.metrics.train_classifier(images[300:], labels[300:], epochs=20)
    _, accuracy = classifier.evaluate(images[:300], labels[:300], verbose=0)
    runs = {}
    for precision in PRECISIONS:
        gan, notes, seconds = train(precision, arguments.steps, arguments.width, images)
        coverage = kgan.metrics.ModeCoverage(classifier)
        coverage.update_state(gan.generate(SAMPLES, seed=0))
        runs[precision] = {
            "seconds": seconds,
            "not_finite": sum(not np.isfinite(list(note.values())).all() for note in notes),
            "coverage": {name: float(value) for name, value in coverage.result().items()},
            "every_100_steps": notes,
        }
        print(f"{precision}: {seconds:.0f} s", flush=True)

    backend = keras.backend.backend()
    print(f"\nKeras on {backend}; the classifier is right on {accuracy:.1%} of 300 unseen digits")
    print("| precision | not finite, of the notes | modes | high quality | KL to uniform |")
    print("|---|---|---|---|---|")
    for precision, run in runs.items():
        found = run["coverage"]
        print(
            f"| {precision} | {run['not_finite']} of {len(run['every_100_steps'])} "
            f"| {found['modes']:.0f} of 10 | {found['high_quality']:.1%} "
            f"| {found['kl_to_uniform']:.3f} |"
        )
    print("\n| step | critic: loss scale | skipped | generator: loss scale | skipped |")
    print("|---|---|---|---|---|")
    notes = runs["mixed_float16"]["every_100_steps"]
    for i in range(0, len(notes), max(1, len(notes) // 10)):
        cells = [
            text
            for player in ("discriminator", "generator")
            for text in (
                f"{notes[i][f'{player}_loss_scale']:.0f}",
                f"{notes[i][f'{player}_skipped_updates']:.2%}",
            )
        ]
        print(f"| {EVERY * (i + 1)} | {' | '.join(cells)} |")
    if arguments.out:
        settings = {"steps": arguments.steps, "width": arguments.width, "backend": backend}
        result = {"machine": machine(), **settings, "classifier": accuracy, "runs": runs}
        arguments.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
