"""What `kgan.callbacks.CollapseMonitor` says of runs made to fail, and of healthy ones.

    python benchmarks/monitor.py --out benchmarks/results/monitor.json

Scikit-learn's handwritten digits, 40 epochs in batches of 64, five seeds of each run. The healthy
ones are four games with an MLP and with a DCGAN (no batch norm in its discriminator, so that
every penalty is sound), Adam(2e-4, beta_1=0.5), and one game with rates of 1e-2, which begins by
losing the noise of the untrained networks and ends well: whatever the monitor says of these is a
false alarm. Four runs are made to fail:

- collapse: the minimax game with large rates, 5e-3 for the generator and 2e-3 for the
  discriminator, and a momentum of 0.9;
- winning discriminator: it learns at 1e-3, the generator at 1e-6, which stays where it was;
- vanishing gradient: the minimax game with a discriminator that learns ten times as fast and has
  five steps to the generator's one;
- NaN: least squares, until after five good epochs the rate becomes 1e30. The monitor stops this run
  and brings back the last good weights, which must give finite images.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import keras
import numpy as np
from report import machine

import kgan

Adam, R1 = keras.optimizers.Adam, kgan.penalties.R1
EPOCHS, LATENT, GOOD = 40, 32, 5


def adam(rate, momentum=0.5):
    return lambda: Adam(rate, beta_1=momentum)


HEALTHY = {
    "non_saturating": {},
    "hinge": {"loss": "hinge"},
    "wasserstein + GradientPenalty(10)": {
        "loss": "wasserstein",
        "penalties": [kgan.penalties.GradientPenalty(10.0)],
    },
    "non_saturating, rates of 1e-2": {
        "generator_optimizer": adam(1e-2),
        "discriminator_optimizer": adam(1e-2),
    },
    "relativistic + R1(1)": {"loss": "relativistic", "penalties": [R1(1.0)]},
}
SPOILT = {
    "collapse": {
        "loss": "minimax",
        "generator_optimizer": adam(5e-3, 0.9),
        "discriminator_optimizer": adam(2e-3, 0.9),
    },
    "winning discriminator": {
        "generator_optimizer": adam(1e-6),
        "discriminator_optimizer": adam(1e-3),
    },
    "vanishing gradient": {
        "loss": "minimax",
        "discriminator_optimizer": adam(2e-3),
        "discriminator_steps": 5,
    },
    "NaN": {"loss": "least_squares"},
}


def make(network, seed, **options):
    keras.utils.set_random_seed(seed)
    shape = (8, 8, 1)
    if network == "mlp":
        generator = kgan.networks.mlp_generator(shape, LATENT)
        discriminator = kgan.networks.mlp_discriminator(shape)
    else:
        generator = kgan.networks.dcgan_generator(shape, LATENT, width=16)
        discriminator = kgan.networks.dcgan_discriminator(shape, width=16, batch_norm=False)
    gan = kgan.GAN(generator, discriminator, seed=seed)
    gan.compile(**{key: value() if callable(value) else value for key, value in options.items()})
    return gan


def train(images, name, network, seed, options):
    """Returns what the monitor said in one run, and the figures it saw last."""
    spoilt_by_rate = name == "NaN"
    monitor = kgan.callbacks.CollapseMonitor(
        verbose=False, stop=spoilt_by_rate, restore_best=spoilt_by_rate
    )
    callbacks = [monitor]
    if spoilt_by_rate:
        change = keras.callbacks.LearningRateScheduler(
            lambda epoch, rate: 1e30 if epoch >= GOOD else rate
        )
        callbacks.append(change)
    gan = make(network, seed, **options)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        gan.fit(images, batch_size=64, epochs=EPOCHS, verbose=0, callbacks=callbacks)
    result = {
        "run": name,
        "network": network,
        "seed": seed,
        "seconds": time.perf_counter() - start,
        "epochs": len(monitor.history) - 1,
        "said": [{"epoch": w.epoch, "rule": w.rule, "text": w.text} for w in monitor.warnings],
        "lowest": _each(monitor.history[1:], min),
        "last": {k: v for k, v in monitor.history[-1].items() if np.isfinite(v)},
    }
    if spoilt_by_rate:
        result["restored_images_finite"] = bool(np.isfinite(gan.generate(64, seed=0)).all())
    return result


def _each(history, choose):
    """The lowest or highest of each figure."""
    return {
        name: choose(values)
        for name in history[0]
        if len(values := [look[name] for look in history if np.isfinite(look[name])])
    }


def table(runs):
    lines = ["| run | network | seeds | what it said, and in which epochs |", "|---|---|---|---|"]
    for name in (*SPOILT, *HEALTHY):
        for network in ("mlp", "dcgan"):
            same = [run for run in runs if (run["run"], run["network"]) == (name, network)]
            said = {}
            for run in same:
                for entry in run["said"]:
                    said.setdefault(entry["rule"], []).append(str(entry["epoch"]))
            words = "; ".join(f"{rule}: {', '.join(epochs)}" for rule, epochs in said.items())
            if same:
                lines.append(f"| {name} | {network} | {len(same)} | {words or 'nothing'} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5, help="of each run (default 5)")
    parser.add_argument("--networks", default="mlp,dcgan", help="default mlp,dcgan")
    parser.add_argument(
        "--only", help="names of runs, separated by commas; the rest of --out stays"
    )
    parser.add_argument("--out", type=Path, help="JSON with every run")
    arguments = parser.parse_args()
    if keras.backend.backend() == "torch":
        import torch

        torch.set_num_threads(1)
    images, _ = kgan.data.digits()
    chosen = {**SPOILT, **HEALTHY}
    if arguments.only:
        chosen = {name: chosen[name] for name in arguments.only.split(",")}
    runs = []
    for name, options in chosen.items():
        for network in arguments.networks.split(","):
            for seed in range(arguments.seeds):
                run = train(images, name, network, seed, options)
                runs.append(run)
                said = "; ".join(f"{x['epoch']}: {x['text']}" for x in run["said"]) or "nothing"
                print(f"{name}, {network}, seed {seed}, {run['seconds']:.0f} s: {said}", flush=True)
    alarms = sum(bool(run["said"]) for run in runs if run["run"] in HEALTHY)
    healthy = sum(run["run"] in HEALTHY for run in runs)
    print(f"\nKeras on {keras.backend.backend()}; false alarms: {alarms} of {healthy} healthy runs")
    print(table(runs))
    if arguments.out:
        if arguments.only and arguments.out.exists():
            earlier = json.loads(arguments.out.read_text())["runs"]
            runs += [run for run in earlier if run["run"] not in chosen]
        result = {"machine": machine(), "backend": keras.backend.backend(), "epochs": EPOCHS}
        arguments.out.write_text(json.dumps({**result, "runs": runs}, indent=1) + "\n")


if __name__ == "__main__":
    main()
