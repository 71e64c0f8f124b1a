"""Conditional GANs on MNIST and Fashion-MNIST: is each class as asked for, and as varied as real?

    python benchmarks/conditional.py --out benchmarks/results/conditional.json

One size, one budget: a DCGAN without batch norm in the discriminator, told the class in three ways
(each is the first with one part changed, and one has both changes), an AC-GAN, and a plain GAN. A
classifier trained on the real training images alone judges 10,000 images of each, as many of every
class. `class_measures.py` says what is measured, and on what it was tried. The plain GAN and AC-GAN
are trained with several seeds, to see what the class loss does to the modes.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import keras
import numpy as np
from class_measures import Judge
from report import machine

import kgan
from kgan.images import save_grid

CLASSES, LATENT, BATCH, SAMPLES = 10, 64, 64, 10_000
KINDS = {
    "plain GAN": None,
    "concatenation": (kgan.ConditionalGAN, "concatenation", "concatenation"),
    "conditional batch norm": (kgan.ConditionalGAN, "conditional_batch_norm", "concatenation"),
    "projection": (kgan.ConditionalGAN, "concatenation", "projection"),
    "conditional batch norm, projection": (
        kgan.ConditionalGAN,
        "conditional_batch_norm",
        "projection",
    ),
    "AC-GAN": (kgan.ACGAN, "concatenation", "auxiliary"),
}
SEVERAL_SEEDS = ("plain GAN", "AC-GAN")
PICTURED = "projection"


def build(kind, shape, width, seed):
    """Returns the GAN of a kind, not compiled."""
    keras.utils.set_random_seed(seed)
    sizes = {"width": width, "batch_norm": False}
    if KINDS[kind] is None:
        return kgan.GAN(
            kgan.networks.dcgan_generator(shape, LATENT, width),
            kgan.networks.dcgan_discriminator(shape, **sizes),
            seed=seed,
        )
    model, of_generator, of_discriminator = KINDS[kind]
    told = {"num_classes": CLASSES}
    return model(
        kgan.networks.dcgan_generator(shape, LATENT, width, **told, conditioning=of_generator),
        kgan.networks.dcgan_discriminator(shape, **sizes, **told, conditioning=of_discriminator),
        seed=seed,
        **told,
    )


def train(gan, images, labels, steps):
    """Trains with the one recipe and returns the seconds it took."""

    def adam():
        rate = keras.optimizers.schedules.CosineDecay(1e-3, steps)
        return keras.optimizers.Adam(rate, beta_1=0.5, beta_2=0.99)

    gan.compile(
        penalties=[kgan.penalties.R1(1.0, interval=4)],
        generator_optimizer=adam(),
        discriminator_optimizer=adam(),
        ema=0.999,
    )
    start = time.perf_counter()
    gan.fit(images, labels, batch_size=BATCH, steps_per_epoch=steps, verbose=0)
    return time.perf_counter() - start


def measure(gan, judge):
    """Returns 100 samples, a row for each class if the GAN takes one, and what the judge says."""
    rows = np.repeat(np.arange(CLASSES, dtype="int32"), 10)
    if isinstance(gan, kgan.ConditionalGAN):
        asked = np.arange(SAMPLES, dtype="int32") % CLASSES
        found = judge(gan.generate(SAMPLES, asked, seed=0), asked)
        return gan.generate(100, rows, seed=1), found
    return gan.generate(100, seed=1), judge(gan.generate(SAMPLES, seed=0))


class Task:
    """A set of images, who judges what is made of it, and what has been found."""

    def __init__(self, name, data_dir):
        source = {"data_dir": data_dir, "download": data_dir is None}
        self.name = name
        self.images, self.labels = kgan.data.tfds(name, **source)
        classifier = kgan.metrics.train_classifier(self.images, self.labels, epochs=8)
        self.judge = Judge(classifier, *kgan.data.tfds(name, "test", **source))
        self.result = {"references": self.judge.references(self.images, self.labels), "rows": []}
        self.samples = {}
        for reference, found in self.result["references"].items():
            print(f"{name}, {reference}: {found}", flush=True)

    def run(self, kind, seed, arguments):
        """Trains and measures one GAN."""
        gan = build(kind, self.images.shape[1:], arguments.width, seed)
        labels = self.labels if isinstance(gan, kgan.ConditionalGAN) else None
        seconds = train(gan, self.images, labels, arguments.steps)
        samples, found = measure(gan, self.judge)
        self.samples.setdefault(kind, samples)
        sizes = [gan.generator.count_params(), gan.discriminator.count_params()]
        row = {"kind": kind, "seed": seed, "parameters": sizes, "seconds": seconds, **found}
        print(f"{self.name}: {row}", flush=True)
        self.result["rows"].append(row)
        if arguments.pictures:
            file = f"{self.name}_{kind}_{seed}.png".replace(" ", "_")
            save_grid(arguments.pictures / file, samples, columns=10)


def draw(path, samples):
    """Writes the samples of all sets side by side, a row for each class."""
    # Ten images of each set a row, with a white column between the sets.
    rows = [images.reshape(CLASSES, -1, *images.shape[1:]) for images in samples]
    gap = np.ones_like(rows[0][:, :1])
    joined = np.concatenate([part for row in rows for part in (row, gap)][:-1], axis=1)
    save_grid(path, joined.reshape(-1, *joined.shape[2:]), joined.shape[1])


def table(name, result):
    """Returns the rows of a set as a Markdown table."""
    lines = [
        "",
        f"{name}\n",
        "| | as asked | diversity in a class: mean (least) | recognised | modes | KL to uniform |",
        "|---|---|---|---|---|---|",
    ]
    for reference, found in result["references"].items():
        lines.append(_line(f"*{reference}*", [found]))
    for kind in dict.fromkeys(row["kind"] for row in result["rows"]):
        lines.append(_line(kind, [row for row in result["rows"] if row["kind"] == kind]))
    return "\n".join(lines)


def _line(name, rows):
    """One line of the table: the mean over the seeds, and where there are several all of them."""

    def cell(key, form):
        values = [row[key] for row in rows if key in row]
        if not values:
            return ""
        mean = f"{statistics.mean(values):{form}}"
        return mean + (f" [{', '.join(f'{v:{form}}' for v in values)}]" if len(values) > 1 else "")

    diversity = f"{cell('diversity', '.2f')} ({cell('least_diversity', '.2f')})"
    cells = [cell("accuracy", ".1%"), diversity, cell("high_quality", ".1%")]
    return f"| {' | '.join([name, *cells, cell('modes', '.0f'), cell('kl_to_uniform', '.4f')])} |"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", nargs="+", default=["mnist", "fashion_mnist"], help="TFDS names")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--steps", type=int, default=3_000, help="default 3,000")
    parser.add_argument("--width", type=int, default=32, help="of the networks (default 32)")
    parser.add_argument(
        "--seeds", type=int, default=2, help="of plain GAN and AC-GAN, on the first set (default 2)"
    )
    parser.add_argument("--data-dir", help="where TensorFlow Datasets keeps its sets")
    parser.add_argument("--out", type=Path, help="JSON with every row")
    parser.add_argument("--pictures", type=Path, help="folder for a grid of each row")
    parser.add_argument("--picture", type=Path, help=f"PNG of the sets' {PICTURED} side by side")
    arguments = parser.parse_args()
    backend = keras.backend.backend()
    if backend == "torch":
        import torch

        torch.set_num_threads(1)
    settings = {"steps": arguments.steps, "width": arguments.width, "batch": BATCH}
    about = {"machine": machine(), "backend": backend, **settings}
    tasks = [Task(name, arguments.data_dir) for name in arguments.set]
    plan = [(task, kind, 0) for task in tasks for kind in arguments.kinds]
    again = [kind for kind in arguments.kinds if kind in SEVERAL_SEEDS]
    plan += [(tasks[0], kind, seed) for seed in range(1, arguments.seeds) for kind in again]
    for task, kind, seed in plan:
        task.run(kind, seed, arguments)
        if arguments.picture and kind == PICTURED:
            draw(arguments.picture, [t.samples[kind] for t in tasks if kind in t.samples])
        if arguments.out:
            sets = {task.name: task.result for task in tasks}
            arguments.out.write_text(json.dumps({**about, "sets": sets}, indent=1) + "\n")
    for task in tasks:
        print(table(task.name, task.result), flush=True)


if __name__ == "__main__":
    main()
