"""Measures training steps on a GPU, in three precisions, beside PyTorch by hand.

    python benchmarks/gpu.py --out benchmarks/results/gpu.json

See `--help` and the README beside this file.
"""

import argparse
import itertools
import json
import shutil
import subprocess
import sys
from pathlib import Path

from gpu_report import HEADER, compare, notes, row
from gpu_rounds import CONTESTANTS, check, measure
from report import machine

MODELS = ("dcgan", "pix2pix")
PRECISIONS = ("float32", "bfloat16", "float16")

HELP = """\
Measures the images a second of a training step on a GPU: kgan on JAX and on PyTorch, and the same
algorithm written by hand in PyTorch, of a DCGAN for each size of image and of a Pix2Pix (U-Net of
width 64, one pair a step, as in the paper), in each precision.

Needs JAX, PyTorch and Keras; TensorFlow is neither needed nor imported, and kgan is taken from the
checkout that this file lies in. What is not installed becomes a row of the table that says so, and
so does a combination that runs out of memory.

Every contestant runs in a process of its own. Those of one size and precision are built and warmed
up first; then they train in turn, one at a time, in a new order each round. A ratio is taken
within a round: its median over the rounds is reported with its smallest and largest value. The
clock starts with the first step and stops when the device has finished the last; what `fit` does
before its first step is in the JSON alone.

contestants:
  plain-torch           by hand: channels_last, autocast (in float16 with a GradScaler for each
                        player), fused Adam; batches are gathered in the host's memory, as in fit
  plain-torch-resident  the same with all images on the GPU: what the copies cost
  kgan-torch            kgan on PyTorch through fit, float32, mixed_bfloat16 or mixed_float16
  kgan-jax              kgan on JAX, the same
"""
EXAMPLES = """\
examples:
  python benchmarks/gpu.py --out gpu.json
  python benchmarks/gpu.py --sizes 64 --precisions bfloat16 --rounds 15
  python benchmarks/gpu.py --check    is the plain loop the same algorithm as kgan?
  python benchmarks/gpu.py --device cpu --sizes 16 --pairs-size 64 --width 4 --batch 4 --steps 2 \\
      --rounds 2
                                      without a GPU, to see that it all runs

float32 is not one thing on a GPU: both frameworks may compute in TF32, which keeps 10 bits of the
mantissa. --tf32 sets convolutions and matrix products alike, on both sides.

Each contestant holds steps * batch images in the host's memory: at 128 px with the defaults 2.4 GB.
The table grows while it measures, and so does the file of --out: an interrupted run is not lost.
"""


def arguments():
    parser = argparse.ArgumentParser(
        description=HELP, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--models", choices=MODELS, nargs="+", default=MODELS, help="(both)")
    add("--sizes", type=int, nargs="+", default=[64, 128], help="of the DCGAN, pixels (64 128)")
    add("--pairs-size", type=int, default=256, help="of the Pix2Pix, pixels (256)")
    add("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS, help="(all three)")
    add("--width", type=int, default=64, help="filters of the widest maps (64)")
    add("--batch", type=int, default=128, help="images a step of the DCGAN (128)")
    add("--steps", type=int, default=100, help="steps a round (100)")
    add("--rounds", type=int, default=7, help="rounds (7)")
    add("--device", choices=("auto", "cpu", "gpu"), default="auto", help="auto: gpu if there is")
    add("--tf32", choices=("on", "off"), default="on", help="TF32 in float32 (on), on both sides")
    add("--only", nargs="+", choices=CONTESTANTS, metavar="NAME", help="only these contestants")
    add("--out", type=Path, metavar="FILE.json", help="keep every measurement here")
    add(
        "--check",
        action="store_true",
        help="measure nothing: compare the plain loop's losses with kgan's, on small networks",
    )
    options = parser.parse_args()
    for name in ("width", "batch", "steps", "rounds"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1. Received: {getattr(options, name)}")
    for size in [*options.sizes, options.pairs_size]:
        if size < 8 or size & (size - 1):
            parser.error(
                "--sizes must be powers of two from 8 on, since the plain loop has no cropping. "
                f"Received: {size}"
            )
    return options


def gpus():
    """The GPUs as the driver describes them, one a line, or None if there is no driver."""
    if not shutil.which("nvidia-smi"):
        return None
    fields = "name,driver_version,memory.total,power.limit"
    answer = subprocess.run(
        ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"],
        capture_output=True,
        text=True,
    )
    return answer.stdout.strip() or None


def main():
    options = arguments()
    found = gpus()
    device = options.device
    if device == "auto":
        device = "gpu" if found else "cpu"
    if device == "cpu":
        print("On the CPU: a test of the command. Choose small settings.", file=sys.stderr)
    settings = {key: getattr(options, key) for key in ("width", "batch", "steps", "check")}
    settings |= {"device": device, "tf32": options.tf32 == "on"}
    if options.check:
        sys.exit(check(options.precisions, settings))

    report = {
        "settings": {**settings, "rounds": options.rounds},
        "machine": {**machine(), "gpus": found},
        "measurements": [],
    }
    print(HEADER, flush=True)
    cases = [("dcgan", size, options.batch) for size in options.sizes]
    cases = [*cases, ("pix2pix", options.pairs_size, 1)]
    cases = [case for case in cases if case[0] in options.models]
    for (model, size, batch), precision in itertools.product(cases, options.precisions):
        one = settings | {"model": model, "size": size, "batch": batch, "precision": precision}
        names = options.only or list(CONTESTANTS)
        if model == "pix2pix":  # of whose one pair a step the copy is nothing
            names = [name for name in names if name != "plain-torch-resident"]
        results = measure(names, one, options.rounds)
        compare(results)
        for name, result in results.items():
            print(row(name, result, one), flush=True)
            report["measurements"].append(
                {"model": model, "size": size, "precision": precision, "contestant": name, **result}
            )
        if options.out:
            options.out.parent.mkdir(parents=True, exist_ok=True)
            options.out.write_text(json.dumps(report, indent=1) + "\n")
    print(notes(report))


if __name__ == "__main__":
    main()
