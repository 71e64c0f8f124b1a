"""Measures a training step of Pix2Pix and CycleGAN beside the same step in plain PyTorch.

    python benchmarks/translation_step.py --out benchmarks/results/translation_step.json

256 px, batches of one, networks of the papers' size (U-Net and ResNet of 9 blocks, width 64). Every
contestant has a process of its own; those of a model train in turn, round after round, and each
reports the seconds of a step and the peak memory of its process. `--check` compares the numbers of
parameters.

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

CONTESTANTS = {
    f"{model}, {name}": backend
    for model in ("pix2pix", "cyclegan")
    for name, backend in {
        "plain PyTorch": "torch",
        "kgan on PyTorch": "torch",
        "kgan on TensorFlow": "tensorflow",
        "kgan on JAX": "jax",
    }.items()
}


def build(name, settings):
    """Returns a function that trains on arrays, and the trainable parameters of both sides."""
    model, contestant = name.split(", ")
    size, width, blocks = (settings[key] for key in ("size", "width", "blocks"))
    if contestant == "plain PyTorch":
        import plain_torch_translation as plain

        pix2pix = model == "pix2pix"
        gan = plain.Pix2Pix(size, width) if pix2pix else plain.CycleGAN(width, blocks)
        return gan.train, gan.parameters()
    import kgan

    networks, shape = kgan.networks, (size, size, 3)
    if model == "pix2pix":
        gan = kgan.Pix2Pix(
            networks.unet_generator(shape, width=width),
            networks.patch_discriminator((size, size, 6), width=width),
        )
    else:
        gan = kgan.CycleGAN(
            *(networks.cyclegan_generator(shape, width=width, blocks=blocks) for _ in "ab"),
            *(networks.patch_discriminator(shape, width=width) for _ in "ab"),
        )
    gan.compile()
    parameters = [
        sum(int(np.prod(v.shape)) for network in side for v in network.trainable_variables)
        for side in (gan.generators, gan.discriminators)
    ]
    return lambda a, b: gan.fit(a, b, batch_size=1, verbose=0), parameters


def work(name, settings):
    """A contestant's process: warm after its first answer, then a round for every line it reads."""
    answer = answering()
    if CONTESTANTS[name] == "torch":
        import torch

        torch.set_num_threads(settings["threads"])
    rng = np.random.default_rng(0)
    shape = (settings["steps"], settings["size"], settings["size"], 3)
    images = [np.tanh(rng.standard_normal(shape, np.float32)) for _ in "ab"]
    train, parameters = build(name, settings)
    if not settings["check"]:
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
        "| | seconds a step | over plain PyTorch (lowest to highest) | peak memory, MiB |",
        "|---|---|---|---|",
    ]
    for name, result in results.items():
        seconds = [each["seconds"] for each in result["rounds"]]
        plain = results.get(f"{name.split(', ')[0]}, plain PyTorch")
        ratio = ""
        if plain and plain is not result:
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
    parser.add_argument("--check", action="store_true", help="compare parameters, train nothing")
    parser.add_argument("--out", type=Path, help="JSON with every round")
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.work[0], json.loads(arguments.work[1]))
        return
    keys = ("size", "width", "blocks", "steps", "threads", "check")
    settings = {key: getattr(arguments, key) for key in keys}
    names = arguments.only or list(CONTESTANTS)
    rounds = 0 if arguments.check else arguments.rounds
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
    if arguments.check:
        return
    print(table(results))
    if arguments.out:
        report = {"machine": machine(), "settings": settings, "contestants": results}
        arguments.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
