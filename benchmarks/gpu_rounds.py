"""Hands out the rounds of `gpu.py`: a contestant that fails is a result too.

python benchmarks/gpu.py --help
"""

import json
import os
import random
import sys
import time
from pathlib import Path

from processes import Worker

FOLDER = Path(__file__).parent

CONTESTANTS = {  # and the framework each runs on
    "plain-torch": "torch",
    "plain-torch-resident": "torch",
    "kgan-torch": "torch",
    "kgan-jax": "jax",
}
# Small, so that rounding does not grow into another game within a few steps.
CHECK_SETTINGS = {"model": "dcgan", "size": 32, "width": 8, "batch": 8, "steps": 1, "tf32": False}
TOLERANCE = 1e-4


def measure(names, settings, rounds):
    """Measures the contestants of one size and precision in turn.

    Returns:
        For each contestant a dictionary: what its worker said of itself, and lists with an entry a
        round: `seconds`, of which `start_seconds` before the first step, `losses`, `peak_bytes`,
        `loss_scales`, `skipped_updates`. One that has failed has `failed`, the reason.
    """
    _say(f"{settings['model']}, {settings['size']} px, {settings['precision']}")
    results, workers = {}, {}

    def failed(name, answer):
        """Whether the answer is a failure; if so, the worker is ended."""
        if "failed" in answer:
            _say(f"  {name} failed: {answer['failed']}")
            workers.pop(name).end()
        return "failed" in answer

    try:
        for name in names:
            began = time.perf_counter()
            workers[name] = start(name, settings)
            results[name] = hear(workers[name])
            if not failed(name, results[name]):
                _say(f"  {name}: built and warm after {time.perf_counter() - began:.0f} s")
        if len({tuple(results[name]["parameters"]) for name in workers}) > 1:
            sys.exit(f"The networks differ, so no comparison is fair. Received: {results}")
        for number in range(rounds):
            for name in random.Random(number).sample(list(workers), len(workers)):
                answer = hear(workers[name], "round")
                if failed(name, answer):
                    results[name] |= answer
                    continue
                for key, value in answer.items():
                    results[name].setdefault(key, []).append(value)
    finally:
        for worker in workers.values():
            worker.end()
    return results


def start(name, settings):
    """Starts a contestant's process."""
    paths = [str(FOLDER.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        "KERAS_BACKEND": CONTESTANTS[name],
        "PYTHONPATH": os.pathsep.join(paths),
        # The contestants share the GPU, of whose memory JAX would take three quarters at once.
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }
    if settings["device"] == "cpu":
        environment |= {
            "CUDA_VISIBLE_DEVICES": "",
            "JAX_PLATFORMS": "cpu",
            "KERAS_TORCH_DEVICE": "cpu",
        }
    return Worker(FOLDER / "gpu_worker.py", [name, json.dumps(settings)], environment)


def hear(worker, question=None):
    """Returns a worker's next answer, `{"failed": reason}` if it has ended without one."""
    try:
        return worker.ask(question) if question else worker.answer()
    except RuntimeError as error:
        return {"failed": str(error)}


def check(precisions, settings):
    """Compares the plain loop's losses with kgan's on PyTorch. Returns an exit status."""
    passed = True
    for precision in precisions:
        worker = start("plain-torch", settings | CHECK_SETTINGS | {"precision": precision})
        try:
            own = hear(worker)
            found = own if "failed" in own else hear(worker, "check")
        finally:
            worker.end()
        if "failed" in found:
            print(f"{precision}: failed: {found['failed']}")
            passed = False
            continue
        exact = precision == "float32"  # else the two may round at different places
        passed &= own["parameters"] == found["parameters"]
        passed &= not exact or found["difference"] < TOLERANCE
        print(
            f"{precision}: {own['parameters']} trainable parameters (generator, discriminator), "
            f"kgan {found['parameters']}; the largest difference of the losses in "
            f"{len(found['losses'])} steps: {found['difference']:.1e}"
            f"{f' (allowed: {TOLERANCE:.0e})' if exact else ''}"
        )
    return 0 if passed else 1


def _say(text):
    print(text, file=sys.stderr, flush=True)
