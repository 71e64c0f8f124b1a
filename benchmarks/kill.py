"""Does a killed run end as if it had never stopped? Kills runs with SIGKILL at random moments.

    python benchmarks/kill.py --out benchmarks/results/kill.json

On each backend one run is left alone. Then each of the others is killed once, at a moment drawn
uniformly from the time that the first one trained, and started again with the same command. A run
that had finished before its moment is left out and another one started. Equal means that every
variable of the model and of both optimizers has the same bits.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from report import machine

WORKER = Path(__file__).with_name("kill_worker.py")
BACKENDS = ("tensorflow", "jax", "torch")


def start(backend, checkpoint, epochs):
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "OMP_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    command = [sys.executable, str(WORKER), str(checkpoint), str(epochs)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def follow(process, kill_after=None):
    """Reads what a run tells.

    Args:
        process: as `start` returns it.
        kill_after: seconds after its first step at which to kill it. Default: never.

    Returns:
        A dictionary: `epochs` ended, `seconds` from the first step, and its final `state`, which
        is None if it was killed before.
    """
    told = {"epochs": 0, "seconds": 0.0, "state": None}
    begun = timer = None
    for line in process.stdout:
        word, *rest = line.split()
        if word == "begun":
            begun = time.perf_counter()
            if kill_after is not None:
                timer = threading.Timer(kill_after, process.kill)
                timer.start()
        elif word == "epoch":
            told["epochs"] = int(rest[0])
        elif word == "state":
            told["state"] = rest[0]
            told["seconds"] = time.perf_counter() - begun if begun else 0.0
    process.wait()
    if timer:
        timer.cancel()
    return told


def trials(backend, kills, epochs, folder, rng):
    """Returns what became of each killed run of a backend."""
    whole = follow(start(backend, folder / f"{backend}.keras", epochs))
    if whole["state"] is None:
        raise SystemExit(f"The run on {backend} that nobody killed has failed: see {WORKER.name}")
    seconds = whole["seconds"]
    print(f"{backend}: {epochs} epochs in {seconds:.1f} s after the first step", flush=True)
    found = []
    while len(found) < kills:
        path = folder / f"{backend}_{len(found)}.keras"
        path.unlink(missing_ok=True)
        moment = rng.uniform(0, seconds)
        killed = follow(start(backend, path, epochs), moment)
        if killed["state"] is not None:
            continue
        resumed = follow(start(backend, path, epochs))
        equal = resumed["state"] == whole["state"]
        found.append(
            {
                "backend": backend,
                "killed_after_seconds": moment,
                "epochs_ended": killed["epochs"],
                "equal": equal,
            }
        )
        fate = "equal" if equal else "DIFFERENT"
        print(
            f"  killed after {moment:.2f} s and {killed['epochs']} epochs; resumed: {fate}",
            flush=True,
        )
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=BACKENDS)
    parser.add_argument("--kills", type=int, default=10, help="on each backend (default 10)")
    parser.add_argument("--epochs", type=int, default=8, help="of each run (default 8)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default 0)")
    parser.add_argument("--out", type=Path, help="JSON with every kill")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for backend in arguments.backends:
            found += trials(backend, arguments.kills, arguments.epochs, Path(folder), rng)
    print("\n| backend | equal to the run that never stopped |\n|---|---|")
    for backend in arguments.backends:
        own = [run for run in found if run["backend"] == backend]
        print(f"| {backend} | {sum(run['equal'] for run in own)} of {len(own)} |")
    if arguments.out:
        arguments.out.write_text(json.dumps({"machine": machine(), "runs": found}, indent=1) + "\n")
    sys.exit(not all(run["equal"] for run in found))


if __name__ == "__main__":
    main()
