"""Which modes of a known mixture does a GAN find? A ring of 8 and a grid of 25 Gaussians.

    KERAS_BACKEND=jax python benchmarks/mixtures.py --out benchmarks/results/mixtures.json

The mixtures and the measure are PacGAN's (Lin et al., 2018, section 4.1): 100,000 points to train
on, 2,500 generated ones to judge; a point is of high quality within 3 standard deviations of the
nearest mode, and a mode is found if one such point is near it. The networks and the budget are
smaller than PacGAN's (400,000 steps of 100 points), and the same for every row.
"""

import argparse
import concurrent.futures
import json
import multiprocessing
import os
import statistics
import time
from pathlib import Path

from report import machine

MIXTURES = ("ring", "grid")
RECIPES = {
    "plain": "non_saturating, constant rate",
    "averaged": "non_saturating, cosine decay, EMA",
    "recommended": "relativistic, R1 and R2 (0.1), cosine decay, EMA",
}
BATCH, RATE, LATENT, WIDTH, DEPTH = 128, 1e-3, 2, 128, 3
POINTS, SAMPLES = 100_000, 2_500


def train(mixture_name, recipe, seed, steps):
    """Trains one GAN and returns what it was and how it did, with some of its points."""
    import keras

    import kgan

    if keras.backend.backend() == "torch":
        import torch

        torch.set_num_threads(1)
    keras.utils.set_random_seed(seed)
    mixture = getattr(kgan.data, mixture_name)()
    points, _ = mixture.sample(POINTS, seed=seed)
    gan = kgan.GAN(
        kgan.networks.mlp_generator((2,), LATENT, WIDTH, DEPTH),
        kgan.networks.mlp_discriminator((2,), WIDTH, DEPTH),
        seed=seed,
    )

    def adam():
        decay = keras.optimizers.schedules.CosineDecay(RATE, steps)
        return keras.optimizers.Adam(RATE if recipe == "plain" else decay, beta_1=0.5)

    game = {"loss": "non_saturating"}
    if recipe == "recommended":
        penalties = [kgan.penalties.R1(0.1), kgan.penalties.R2(0.1)]
        game = {"loss": "relativistic", "penalties": penalties}
    gan.compile(
        **game,
        generator_optimizer=adam(),
        discriminator_optimizer=adam(),
        ema=None if recipe == "plain" else 0.999,
        steps_per_execution=1 if keras.backend.backend() == "torch" else 50,
    )
    start = time.perf_counter()
    gan.fit(points, batch_size=BATCH, steps_per_epoch=steps, epochs=1, verbose=0)
    seconds = time.perf_counter() - start
    coverage = kgan.metrics.ModeCoverage(mixture)
    samples = gan.generate(SAMPLES, seed=0, batch_size=SAMPLES)
    coverage.update_state(samples)
    result = {name: float(value) for name, value in coverage.result().items()}
    run = {"mixture": mixture_name, "recipe": recipe, "seed": seed, "seconds": seconds, **result}
    return run, samples.tolist()


def table(runs):
    """Returns the runs as a Markdown table, a row for each mixture and recipe."""
    lines = [
        "| mixture | GAN | modes, each seed | high quality, mean (lowest) | KL to uniform, mean |",
        "|---|---|---|---|---|",
    ]
    for mixture in MIXTURES:
        for recipe, words in RECIPES.items():
            chosen = [r for r in runs if (r["mixture"], r["recipe"]) == (mixture, recipe)]
            if not chosen:
                continue
            modes = ", ".join(f"{r['modes']:.0f}" for r in chosen)
            quality = [100 * r["high_quality"] for r in chosen]
            kl = statistics.mean(r["kl_to_uniform"] for r in chosen)
            lines.append(
                f"| {mixture} | {recipe}: {words} | {modes} "
                f"| {statistics.mean(quality):.1f} % ({min(quality):.1f} %) | {kl:.3f} |"
            )
    return "\n".join(lines)


def draw(path, samples):
    """Draws the points of the first seed, a panel for each mixture and recipe."""
    from matplotlib import pyplot

    names = [recipe for recipe in RECIPES if any(key[1] == recipe for key in samples)]
    mixtures = [mixture for mixture in MIXTURES if any(key[0] == mixture for key in samples)]
    figure, axes = pyplot.subplots(
        len(mixtures), len(names) + 1, figsize=(3 * (len(names) + 1), 3 * len(mixtures)),
        squeeze=False,
    )  # fmt: skip
    import kgan

    for row, mixture in zip(axes, mixtures, strict=True):
        real = getattr(kgan.data, mixture)()
        limit = 1.2 * abs(real.centers).max()
        panels = [("data", real.sample(SAMPLES, seed=0)[0].tolist())]
        panels += [(recipe, samples[mixture, recipe]) for recipe in names]
        for axis, (title, points) in zip(row, panels, strict=True):
            axis.scatter(*zip(*points, strict=True), s=3, alpha=0.4, linewidths=0)
            axis.set(title=title, xlim=(-limit, limit), ylim=(-limit, limit), xticks=[], yticks=[])
            axis.set_aspect("equal")
    figure.tight_layout()
    figure.savefig(path, dpi=80)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mixtures", nargs="+", choices=MIXTURES, default=MIXTURES)
    parser.add_argument("--recipes", nargs="+", choices=list(RECIPES), default=list(RECIPES))
    parser.add_argument("--seeds", type=int, default=5, help="seeds 0, 1, ... (default 5)")
    parser.add_argument("--steps", type=int, default=30_000, help="default 30,000")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time (default 2)")
    parser.add_argument("--out", type=Path, help="JSON with every run")
    parser.add_argument("--picture", type=Path, help="PNG of the points of seed 0")
    arguments = parser.parse_args()
    # One core a run: networks this small gain nothing from more, and two runs then go side by side.
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["XLA_FLAGS"] = (
        "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1 "
        + os.environ.get("XLA_FLAGS", "")
    )
    tasks = [
        (mixture, recipe, seed, arguments.steps)
        for seed in range(arguments.seeds)
        for mixture in arguments.mixtures
        for recipe in arguments.recipes
    ]
    runs, samples = [], {}
    start = time.perf_counter()
    with concurrent.futures.ProcessPoolExecutor(
        arguments.jobs, multiprocessing.get_context("spawn")
    ) as pool:
        futures = [pool.submit(train, *task) for task in tasks]
        for done, future in enumerate(concurrent.futures.as_completed(futures), 1):
            run, points = future.result()
            runs.append(run)
            if run["seed"] == 0:
                samples[run["mixture"], run["recipe"]] = points
            print(
                f"{done}/{len(tasks)} {run['mixture']} {run['recipe']} seed {run['seed']}: "
                f"{run['modes']:.0f} modes, {run['high_quality']:.3f}, {run['seconds']:.0f} s",
                flush=True,
            )
    runs.sort(key=lambda run: (run["mixture"], run["recipe"], run["seed"]))
    minutes = (time.perf_counter() - start) / 60
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    print(f"\n{table(runs)}\n\n{arguments.steps} steps, Keras on {backend}, {minutes:.0f} minutes")
    if arguments.out:
        found = {
            "machine": machine(),
            "backend": backend,
            "steps": arguments.steps,
            "minutes": minutes,
            "runs": runs,
        }
        arguments.out.write_text(json.dumps(found, indent=1) + "\n")
    if arguments.picture:
        draw(arguments.picture, samples)


if __name__ == "__main__":
    main()
