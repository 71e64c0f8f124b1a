"""How long does an export take, and how much of that is the start of its child process?

    KERAS_BACKEND=torch python benchmarks/export_time.py --out results.json

A DCGAN generator of 28 x 28 images goes into ONNX alone, and into every format and precision, in
turns with the start alone: a process with the converter's environment that imports TensorFlow and
Keras and ends. The parent's share is Keras's answers, the comparison and the latencies.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import keras
from report import machine

import kgan.export
from kgan.export import formats
from kgan.export.convert import launcher

FORMATS = ("saved_model", "tflite", "onnx")


def start():
    """Seconds that the child's imports take."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-P", "-c", "import tensorflow, keras"],
        env=launcher.environment(),
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - started


def export(model, kinds, precisions):
    """Seconds of one export, and of its child process, and how many files it made."""
    with tempfile.TemporaryDirectory() as folder:
        report = kgan.export.export(
            model, Path(folder) / "bundle", kinds, precisions, float16_psnr=0.0, int8_psnr=0.0
        )
    first = report.artefacts[0]
    return first.seconds, first.child_seconds, len(report.artefacts)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
    parser.add_argument("--out", type=Path, help="JSON with every round")
    arguments = parser.parse_args()
    model = kgan.networks.dcgan_generator((28, 28, 1), latent_dim=64)
    cases = {"onnx": (("onnx",), ("float32",)), "all": (FORMATS, formats.PRECISIONS)}
    times = {"start": [], "onnx": [], "all": []}
    for _ in range(arguments.rounds):
        times["start"].append(start())
        for name, case in cases.items():
            times[name].append(export(model, *case))
            print(name, times[name][-1], flush=True)
    started = statistics.median(times["start"])
    print(f"\nThe child's imports alone: {started:.1f} s\n")
    print("| files | export | its child | of that the imports |\n|---|---|---|---|")
    for name in cases:
        seconds, inside, count = (
            statistics.median(column) for column in zip(*times[name], strict=True)
        )
        print(
            f"| {count} ({name}) | {seconds:.1f} s | {inside:.1f} s | {started / seconds:.0%} "
            "of the whole |"
        )
    if arguments.out:
        results = {"machine": machine(), "backend": keras.backend.backend(), "times": times}
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
