"""Measures how long a DCGAN's training step takes in kgan and in loops written by hand.

    python benchmarks/train_step.py --out train_step.json

See `--help` and the README beside this file.
"""

import argparse
import json
import random
import sys
import time
from pathlib import Path

from processes import Worker
from report import busy_seconds, machine, ratios, table

FOLDER = Path(__file__).parent

# Contestant: the framework it runs on, and the plain loops that it is compared with.
PLAIN_TORCH = ("plain-torch", "plain-torch-contiguous")
PLAIN_TENSORFLOW = ("plain-tensorflow", "plain-tensorflow-xla")
CONTESTANTS = {
    "plain-torch": ("torch", ()),
    "plain-torch-contiguous": ("torch", ()),
    "kgan-torch": ("torch", PLAIN_TORCH),
    "plain-tensorflow": ("tensorflow", ()),
    "plain-tensorflow-xla": ("tensorflow", ()),
    "kgan-tensorflow": ("tensorflow", PLAIN_TENSORFLOW),
    "kgan-tensorflow-xla": ("tensorflow", ("plain-tensorflow-xla",)),
    "kgan-jax": ("jax", PLAIN_TENSORFLOW),
    "plain-torch-bfloat16": ("torch", ("plain-torch",)),
    "kgan-torch-bfloat16": ("torch", ("kgan-torch",)),
    "kgan-tensorflow-bfloat16": ("tensorflow", ("kgan-tensorflow",)),
}
# A game is compared by its own loop.
GAMES = ("dcgan", "conditional", "wgan-gp", "relativistic")
OF_ANY_GAME = ("plain-torch", "kgan-torch")
PLAIN = [name for name in CONTESTANTS if name.startswith("plain") and "bfloat16" not in name]
# See equal_losses.py for why the networks are small.
CHECK_SETTINGS = {"size": 32, "width": 8, "batch": 8, "steps": 1}
TOLERANCE = 1e-4

HELP = """\
Measures how long a DCGAN's training step takes: kgan's on three backends, and the same algorithm
written by hand in plain PyTorch and plain TensorFlow.

Every contestant runs in a process of its own. All are built and warmed up first; then they train in
turn, one at a time, a few steps a round, in a new order each round. So what disturbs the machine
disturbs all of them alike, and a ratio is taken within one round: its median over the rounds is
reported with its smallest and largest value. kgan is timed as a user runs it, through `gan.fit` on
images in memory. Two ratios are given: up to the end of the last step, and for the whole call.

contestants:
  plain-torch             PyTorch by hand, channels_last: the one to catch on a CPU
  plain-torch-contiguous  the same in PyTorch's default memory format
  kgan-torch              kgan on PyTorch
  plain-tensorflow        TensorFlow by hand, one tf.function
  plain-tensorflow-xla    the same, compiled by XLA
  kgan-tensorflow         kgan on TensorFlow, jit_compile=False (Keras's choice on a CPU)
  kgan-tensorflow-xla     kgan on TensorFlow, jit_compile=True, compared with plain-tensorflow-xla
  kgan-jax                kgan on JAX, compared with the faster plain loop of TensorFlow
  ...-bfloat16            the same in half precision, compared with float32: kgan's mixed_bfloat16,
                          PyTorch's autocast

games, each with a loop by hand in PyTorch of its own:
  dcgan                   non-saturating, one turn each (default)
  conditional             conditional batch norm, projection discriminator, ten classes
  wgan-gp                 Wasserstein with gradient penalty, five turns of the critic
  relativistic            the relativistic game with R1 and R2
"""
EXAMPLES = """\
examples:
  python benchmarks/train_step.py
  python benchmarks/train_step.py --only plain-torch kgan-torch --rounds 15
  python benchmarks/train_step.py --out train_step.json
  python benchmarks/train_step.py --check    are the plain loops the same algorithm as kgan?

Leave the machine alone meanwhile: PyTorch's threads wait for each other in a busy loop, and where
one of them has to share its core, a step can take ten times as long. On a machine that is not quiet
use fewer --threads than there are cores. With the defaults it takes about 6 minutes on 2 cores, and
6 GB of memory.
"""


def start(names, settings):
    """Starts the workers one after the other. Returns them with their first answers."""
    workers, facts = {}, {}
    for name in names:
        began = time.perf_counter()
        workers[name] = Worker(
            FOLDER / "worker.py",
            [name, json.dumps(settings)],
            {"KERAS_BACKEND": CONTESTANTS[name][0]},
        )
        try:
            facts[name] = workers[name].answer()
        except RuntimeError as error:
            _say(f"{name} is left out: {error}")
            workers.pop(name).end()
        else:
            _say(f"{name}: ready after {time.perf_counter() - began:.0f} s")
    if not workers:
        sys.exit("No contestant could be started. Are the frameworks installed?")
    if len({tuple(fact["parameters"]) for fact in facts.values()}) > 1:
        counts = {name: fact["parameters"] for name, fact in facts.items()}
        sys.exit(f"The networks differ, so no comparison is fair. Trainable parameters: {counts}")
    return workers, facts


def measure(names, settings, rounds):
    """Lets the contestants train in turn.

    Returns:
        For each contestant a dictionary: what its worker said of itself, and lists with an entry a
        round: `seconds`, of which `start_seconds` before the first step and `end_seconds` after the
        last, `processor_seconds`, and `others`, the cores that were busy with other work.
    """
    workers, facts = start(names, settings)
    keys = ("seconds", "processor_seconds", "start_seconds", "end_seconds", "others")
    results = {name: {**facts[name], **{key: [] for key in keys}} for name in workers}
    try:
        for number in range(rounds):
            order = random.Random(number).sample(list(workers), len(workers))
            for name in order:
                busy = busy_seconds()
                answer = workers[name].ask("round")
                if busy is not None:
                    others = busy_seconds() - busy - answer["processor_seconds"]
                    answer["others"] = max(0, others / answer["seconds"])
                for key, value in answer.items():
                    results[name][key].append(value)
            times = (f"{name} {results[name]['seconds'][-1]:.2f} s" for name in workers)
            _say(f"round {number + 1} of {rounds}: {', '.join(times)}")
    finally:
        for worker in workers.values():
            worker.end()
    return results


def check(names, settings):
    """Compares the plain loops' losses with kgan's, in one worker after the other."""
    worst = 0.0
    for name in names:
        workers, facts = start([name], settings)
        try:
            found = workers[name].ask("check")
        finally:
            workers[name].end()
        if found["parameters"] != facts[name]["parameters"]:
            sys.exit(f"{name}: {facts[name]['parameters']} parameters, kgan {found['parameters']}")
        worst = max(worst, found["difference"])
        losses = ", ".join(f"({d:.4f}, {g:.4f})" for d, g in found["losses"])
        print(
            f"{name}: {found['parameters']} trainable parameters (generator, discriminator), as in "
            f"kgan; losses {losses} at steps 1 to {len(found['losses'])}, the largest difference "
            f"to kgan {found['difference']:.1e}"
        )
    if not worst < TOLERANCE:
        sys.exit(f"The losses differ by {worst:.1e}, more than {TOLERANCE:.0e}")


def arguments():
    parser = argparse.ArgumentParser(
        description=HELP, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=64, help="pixels a side (64): 8, 16, 32, ...")
    parser.add_argument("--width", type=int, default=32, help="filters of the widest maps (32)")
    parser.add_argument("--batch", type=int, default=32, help="images a step (32)")
    parser.add_argument("--steps", type=int, default=10, help="steps a round (10)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds (7)")
    parser.add_argument("--threads", type=int, default=2, help="threads and cores for each (2)")
    parser.add_argument("--game", choices=GAMES, default="dcgan", help="(dcgan)")
    parser.add_argument("--only", nargs="+", choices=CONTESTANTS, metavar="NAME", help="only these")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="keep every measurement here")
    parser.add_argument(
        "--check",
        action="store_true",
        help="measure nothing: compare the plain loops' losses with kgan's, on small networks",
    )
    options = parser.parse_args()
    for name in ("width", "batch", "steps", "rounds", "threads"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1. Received: {getattr(options, name)}")
    if options.size < 8 or options.size & (options.size - 1):
        parser.error(
            "--size must be a power of two from 8 on, since the plain loops have no cropping. "
            f"Received: {options.size}"
        )
    return options


def main():
    options = arguments()
    names = options.only or list(CONTESTANTS if options.game == "dcgan" else OF_ANY_GAME)
    keys = ("size", "width", "batch", "steps", "threads", "check", "game")
    settings = {key: getattr(options, key) for key in keys}
    if options.check:
        check([name for name in names if name in PLAIN], settings | CHECK_SETTINGS)
        return
    report = {"settings": {**settings, "rounds": options.rounds}, "machine": machine()}
    results = measure(names, settings, options.rounds)
    comparisons = ratios(results, {name: rivals for name, (_, rivals) in CONTESTANTS.items()})
    print(table(results, comparisons, options.steps, options.batch))
    report |= {"contestants": results, "ratios": comparisons}
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(report, indent=1) + "\n")


def _say(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
