"""Measures a training step of Pix2Pix and CycleGAN beside the same step in plain PyTorch.

    python benchmarks/translation_step.py --out translation_step.json

256 px, batches of one, networks of the papers' size (U-Net and ResNet of 9 blocks, width 64). Every
contestant has a process of its own; those of a model train in turn, round after round, and each
reports the seconds of a step and the peak memory of its process. `--check` compares the losses of
the plain loops with kgan's, on small networks. The plain loop of TensorFlow has pix2pix alone.

The machine should do nothing else; on 2 cores it takes about half an hour.
"""

import argparse
import json
import os
import random
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from processes import Worker, answering
from report import machine
from worker import limit_threads

CONTESTANTS = {
    f"{model}, {name}": backend
    for model in ("pix2pix", "cyclegan")
    for name, backend in {
        "plain PyTorch": "torch",
        "plain TensorFlow": "tensorflow",
        "kgan on PyTorch": "torch",
        "kgan on TensorFlow": "tensorflow",
        "kgan on JAX": "jax",
    }.items()
    if (model, name) != ("cyclegan", "plain TensorFlow")
}
# What a contestant is compared with, where the model has it.
RIVALS = {
    "kgan on PyTorch": "plain PyTorch",
    "kgan on TensorFlow": "plain TensorFlow",
    "kgan on JAX": "plain TensorFlow",
}
CHECK = {"size": 64, "width": 4, "blocks": 1, "steps": 3, "threads": 1}
TOLERANCE = 1e-3  # of losses around 100: the L1 term is weighted by that


def plain(name, settings, check=False):
    """Returns a loop by hand; to be checked without dropout and past images, which are random."""
    model, contestant = name.split(", ")
    size, width, blocks = (settings[key] for key in ("size", "width", "blocks"))
    dropout, pool_size = (0.0, 0) if check else (0.5, 50)
    if contestant == "plain TensorFlow":
        import plain_tensorflow_translation

        return plain_tensorflow_translation.Pix2Pix(size, width, dropout)
    import plain_torch_translation as by_hand

    if model == "pix2pix":
        return by_hand.Pix2Pix(size, width, dropout)
    return by_hand.CycleGAN(width, blocks, pool_size)


def kgan_model(model, settings, check=False):
    """Returns the same in kgan."""
    import kgan

    networks, size, width = kgan.networks, settings["size"], settings["width"]
    shape = (size, size, 3)
    if model == "pix2pix":
        gan = kgan.Pix2Pix(
            networks.unet_generator(shape, width=width, dropout=0.0 if check else 0.5),
            networks.patch_discriminator((size, size, 6), width=width),
        )
    else:
        blocks = settings["blocks"]
        gan = kgan.CycleGAN(
            *(networks.cyclegan_generator(shape, width=width, blocks=blocks) for _ in "ab"),
            *(networks.patch_discriminator(shape, width=width) for _ in "ab"),
            pool_size=0 if check else 50,
        )
    gan.compile()
    return gan


def variables_of(gan):
    """The trainable variables of the generators and of the discriminators, two lists."""
    return [
        [variable for network in side for variable in network.trainable_variables]
        for side in (gan.generators, gan.discriminators)
    ]


def build(name, settings):
    """Returns a function that trains on arrays, and the trainable parameters of both sides."""
    if "plain" in name:
        loop = plain(name, settings)
        return loop.train, loop.parameters()
    gan = kgan_model(name.split(", ")[0], settings)
    parameters = [sum(int(np.prod(v.shape)) for v in side) for side in variables_of(gan)]
    return lambda a, b: gan.fit(a, b, batch_size=1, verbose=0), parameters


def differences(name):
    """Trains a plain loop and kgan from equal weights on equal pairs.

    Returns:
        The loop's losses, and the largest absolute difference to kgan's.
    """
    import keras

    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    shape = (CHECK["steps"], CHECK["size"], CHECK["size"], 3)
    pairs = [np.tanh(rng.standard_normal(shape, np.float32)) for _ in "ab"]
    gan, loop = kgan_model(name.split(", ")[0], CHECK, check=True), plain(name, CHECK, check=True)
    values = [[keras.ops.convert_to_numpy(v) for v in side] for side in variables_of(gan)]
    loop.load(*values)
    losses = loop.train(*pairs)
    wanted = []
    for step in range(CHECK["steps"]):
        a, b = (each[step : step + 1] for each in pairs)
        history = gan.fit(a, b, batch_size=1, shuffle=False, verbose=0).history
        wanted.append([history[f"{player}_loss"][0] for player in ("discriminator", "generator")])
    return losses, float(np.abs(np.subtract(losses, wanted)).max())


def work(name, settings):
    """A contestant's process: warm after its first answer, then a round for every line it reads."""
    answer = answering()
    limit_threads(settings["threads"], CONTESTANTS[name])
    rng = np.random.default_rng(0)
    shape = (settings["steps"], settings["size"], settings["size"], 3)
    images = [np.tanh(rng.standard_normal(shape, np.float32)) for _ in "ab"]
    if settings["check"]:
        losses, difference = differences(name)
        answer(losses=losses, difference=difference)
        return
    train, parameters = build(name, settings)
    train(*images)
    answer(parameters=parameters)
    for _ in sys.stdin:
        start, processor = time.perf_counter(), time.process_time()
        train(*images)
        answer(
            seconds=(time.perf_counter() - start) / settings["steps"],
            processor_seconds=(time.process_time() - processor) / settings["steps"],
            peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        )


def check(names, settings):
    """Compares the losses of plain loops with kgan's, and ends with an error if they differ."""
    for name in names:
        environment = {"KERAS_BACKEND": CONTESTANTS[name]}
        worker = Worker(__file__, ["--work", name, json.dumps(settings)], environment)
        found = worker.answer()
        worker.end()
        print(f"{name}: losses {found['losses']}, the largest difference {found['difference']:.1e}")
        if not found["difference"] < TOLERANCE:
            sys.exit(f"They differ from kgan's by more than {TOLERANCE:.0e}")


def measure(names, settings, rounds):
    """Returns the answers of each contestant, a list an entry a round."""
    results = {}
    workers = {}
    for name in names:
        environment = {"KERAS_BACKEND": CONTESTANTS[name]}
        workers[name] = Worker(__file__, ["--work", name, json.dumps(settings)], environment)
        results[name] = {"rounds": [], **workers[name].answer()}
        print(f"{name}: ready", file=sys.stderr, flush=True)
    for number in range(rounds):
        for name in random.Random(number).sample(names, len(names)):
            results[name]["rounds"].append(workers[name].ask("round"))
        print(f"round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    for worker in workers.values():
        worker.end()
    return results


def table(results):
    """Returns the Markdown table: medians, and ratios to plain PyTorch round by round."""
    lines = [
        "| | seconds a step | over the plain loop (lowest to highest) | peak memory, MiB |",
        "|---|---|---|---|",
    ]
    for name, result in results.items():
        seconds = [each["seconds"] for each in result["rounds"]]
        model, contestant = name.split(", ")
        plain = results.get(f"{model}, {RIVALS.get(contestant)}")
        plain = plain or results.get(f"{model}, plain PyTorch")
        ratio = ""
        if plain and contestant in RIVALS:
            ratios = [
                one["seconds"] / other["seconds"]
                for one, other in zip(result["rounds"], plain["rounds"], strict=True)
            ]
            ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        peak = max(each["peak_mib"] for each in result["rounds"])
        lines.append(f"| {name} | {statistics.median(seconds):.2f} | {ratio} | {peak:.0f} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=256, help="pixels a side (default 256)")
    parser.add_argument("--width", type=int, default=64, help="of the networks (default 64)")
    parser.add_argument("--blocks", type=int, default=9, help="of the ResNet (default 9)")
    parser.add_argument("--steps", type=int, default=2, help="steps a round (default 2)")
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of PyTorch")
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, metavar="NAME")
    parser.add_argument("--check", action="store_true", help="compare losses on small networks")
    parser.add_argument("--out", type=Path, help="JSON with every round")
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.work[0], json.loads(arguments.work[1]))
        return
    keys = ("size", "width", "blocks", "steps", "threads", "check")
    settings = {key: getattr(arguments, key) for key in keys}
    names = arguments.only or list(CONTESTANTS)
    if arguments.check:
        check([name for name in names if "plain" in name], settings)
        return
    rounds = arguments.rounds
    results = {}
    for model in ("pix2pix", "cyclegan"):  # one after the other: all at once take 25 GiB
        results |= measure([name for name in names if name.startswith(model)], settings, rounds)
    for model in ("pix2pix", "cyclegan"):
        counts = {
            tuple(result["parameters"])
            for name, result in results.items()
            if name.startswith(model)
        }
        if len(counts) > 1:
            sys.exit(f"The networks of {model} differ. Trainable parameters: {counts}")
        print(f"{model}: {counts} trainable parameters, generators and discriminators")
    print(table(results))
    if arguments.out:
        report = {"machine": machine(), "settings": settings, "contestants": results}
        arguments.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
