"""Starts the worker, waits for it, and turns every bad end of it into an `ExportError`."""

import json
import os
import signal
import subprocess
import sys
import time

from kgan.export.errors import ExportError

# -P keeps the current folder off the child's path unless it is on ours: a user's `onnx.py` there
# would otherwise be imported instead of the package.
COMMAND = (sys.executable, "-P", "-m", "kgan.export.worker")
_LAST_LINES = 15


def run(request, folder, timeout):
    """Runs the worker on a request.

    Args:
        request: dictionary, JSON-able; see `worker.work`.
        folder: folder for the request, the response and the log; holds the blueprint already.
        timeout: seconds before the child is killed.

    Returns:
        Seconds the child took.

    Raises:
        ExportError: it crashed, failed, or did not end in time.
    """
    request_path = folder / "request.json"
    request_path.write_text(json.dumps(request), encoding="utf-8")
    log_path = folder / "worker.log"
    started = time.perf_counter()
    with open(log_path, "wb") as log:
        try:
            code = subprocess.run(
                [*COMMAND, str(request_path)],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=timeout,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            code = None
    if code == 0:
        return time.perf_counter() - started
    raise ExportError(_explain(code, timeout, folder / "response.json", log_path))


def _environment():
    path = [entry or os.getcwd() for entry in sys.path]
    return {
        **os.environ,
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        "PYTHONPATH": os.pathsep.join(path),
    }


def _explain(code, timeout, response_path, log_path):
    response = {}
    if response_path.exists():
        response = json.loads(response_path.read_text(encoding="utf-8"))
    if code is None:
        end = f"did not finish within {timeout:g} s and was stopped; pass a longer timeout="
    elif code < 0:
        end = f"was killed by {_signal_name(-code)}"
    else:
        end = f"failed with exit code {code}"
    stage = f" while {response['stage']}" if "stage" in response else ""
    cause = f"\nCause: {response['error']}" if "error" in response else ""
    lines = log_path.read_text(encoding="utf-8", errors="replace").splitlines()
    tail = "\n".join(f"    {line}" for line in lines[-_LAST_LINES:]) or "    (no output)"
    return f"The converter process {end}{stage}.{cause}\nIts last lines:\n{tail}"


def _signal_name(number):
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
