"""Measures every figure of the section "Speed" in docs/results.md, one after the other.

    python benchmarks/speed.py            measure all; the machine should do nothing else
    python benchmarks/speed.py dcgan_1    measure what is named
    python benchmarks/speed.py --table    print the table of what there is

Each measurement is a run of a script beside this one, whose raw rounds are kept in
`results/speed/NAME.json`; a name ends with the number of threads. It takes about an hour.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from report import spread
from translation_step import RIVALS

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results" / "speed"
PIX2PIX = [
    f"pix2pix, {each}"
    for each in ("plain PyTorch", "kgan on PyTorch", "plain TensorFlow", "kgan on TensorFlow")
]
CYCLEGAN = ["cyclegan, plain PyTorch", "cyclegan, kgan on PyTorch"]
GAMES = {"conditional": 5, "wgan-gp": 3, "relativistic": 5}
FOLDERS = ("torch", "tensorflow", "tensorflow-xla", "jax")


def measurements():
    """Returns the name of each measurement with its arguments and environment."""
    found = {}
    for threads in ("1", "2"):
        step = ["train_step.py", "--threads", threads]
        found[f"dcgan_{threads}"] = [*step, "--rounds", "7"]
        for game, steps in GAMES.items():
            found[f"{game}_{threads}"] = [*step, "--game", game, "--steps", str(steps)]
        translation = ["translation_step.py", "--threads", threads]
        found[f"pix2pix_{threads}"] = [
            *(*translation, "--rounds", "5", "--steps", "4"),
            *("--only", *PIX2PIX, "pix2pix, kgan on JAX"),
        ]
        for blocks in ("6", "9"):
            found[f"cyclegan-{blocks}_{threads}"] = [
                *(*translation, "--rounds", "3", "--steps", "1", "--blocks", blocks),
                *("--only", *CYCLEGAN),
            ]
    least = ["train_step.py", "--threads", "1", "--width", "1", "--batch", "2", "--steps", "100"]
    found["fixed-cost_1"] = [*least, "--only", "plain-torch", "kgan-torch"]
    for name in FOLDERS:
        xla = ["--xla"] if name.endswith("xla") else []
        found[f"folder-{name}_1"] = ["folder.py", "--threads", "1", *xla]
    found["kernel-gradient_1"] = ["kernel_gradient.py"]
    return found


def run(name, arguments):
    print(f"== {name}", flush=True)
    backend = name.removeprefix("folder-").split("_")[0].removesuffix("-xla")
    environment = {"KERAS_BACKEND": backend if name.startswith("folder") else "torch"}
    script, *options = arguments
    subprocess.run(
        [sys.executable, FOLDER / script, *options, "--out", RESULTS / f"{name}.json"],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        check=True,
    )


def rows(name, report):
    """Yields what a measurement compared, the seconds of a step by hand, and kgan's ratio."""
    contestants = report.get("contestants", {})
    if name.startswith("folder"):
        yield "folder over array", None, report["ratio"]
    for contestant, ratio in report.get("ratios", {}).items():
        rival = contestants[ratio["against"]]
        seconds = statistics.median(rival["seconds"]) / report["settings"]["steps"]
        yield f"{contestant} over {ratio['against']}", seconds, ratio["whole"]
    if report.get("ratios"):
        return
    for contestant, result in contestants.items():
        model, own = contestant.split(", ")
        rival = contestants.get(f"{model}, {RIVALS.get(own)}")
        if rival:
            times = [[each["seconds"] for each in one["rounds"]] for one in (result, rival)]
            peaks = [max(each["peak_mib"] for each in one["rounds"]) for one in (result, rival)]
            ratio = spread(*times)
            memory = f", peak memory {peaks[0]:.0f} MiB, {peaks[0] / peaks[1]:.2f} of it"
            yield f"{own} over {RIVALS[own]}{memory}", statistics.median(times[1]), ratio


def table():
    """Returns the Markdown table of all results, with the processors they were measured on."""
    lines = ["| | threads | by hand, ms a step | ratio (lowest to highest) |", "|---|---|---|---|"]
    machines = set()
    for name in measurements():
        path = RESULTS / f"{name}.json"
        if not path.exists():
            continue
        report = json.loads(path.read_text())
        machines.add(f"{report['machine']['processor']}, commit {report['machine']['commit'][:8]}")
        what, threads = name.split("_")
        for compared, seconds, ratio in rows(name, report):
            time = f"{1e3 * seconds:.1f}" if seconds else ""
            spread = f"{ratio['median']:.2f} ({ratio['lowest']:.2f} to {ratio['highest']:.2f})"
            lines.append(f"| {what}: {compared} | {threads} | {time} | {spread} |")
    return "\n".join([*lines, "", *sorted(machines)])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[*measurements(), []], metavar="NAME")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if not options.table:
        RESULTS.mkdir(parents=True, exist_ok=True)
        for name in options.names or measurements():
            run(name, measurements()[name])
    print(table())


if __name__ == "__main__":
    main()
