"""Starts the converter, waits for it, and turns every bad end of it into an `ExportError`."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

from kgan.export.errors import ExportError

# -P keeps the current folder off the child's path unless it is on ours: a user's `onnx.py` there
# would otherwise be imported instead of the package.
COMMAND = (sys.executable, "-P", "-m", "kgan.export.convert.converter")
RESPONSE = "response.json"
_LAST_LINES = 15
_GREETING = re.compile(r"WARNING: All log messages before absl|[IW]\d{4} ")  # TensorFlow's


def convert(request, folder, timeout):
    """Converts every artefact of a request, in one process unless one of them takes it down.

    Args:
        request: dictionary, JSON-able; see `converter.work`.
        folder: folder for the request, the response and the log; holds the blueprint already.
        timeout: seconds before a child is killed.

    Returns:
        Seconds the children took, and a dictionary of the artefacts that could not be converted:
        file name to reason.

    Raises:
        ExportError: the model could not even be rebuilt.
        OSError: the disk is full.
    """
    started = time.perf_counter()
    failed, waiting = {}, request["artefacts"]
    while waiting:
        fallen = None
        try:
            run({**request, "artefacts": waiting}, folder, timeout)
        except ExportError as error:
            response = _response(folder)
            fallen = response.get("artefact")
            # At its very end all files are whole, however the process then fell.
            if fallen is None and response.get("stage") != "ending":
                raise
            if fallen:
                failed[fallen] = str(error)
        failed.update(_response(folder).get("failed", {}))
        names = [artefact["name"] for artefact in waiting]
        waiting = waiting[names.index(fallen) + 1 :] if fallen else []
    if failed:
        _check_room(folder)
    return time.perf_counter() - started, failed


def run(request, folder, timeout):
    """Runs the converter once; what it could not convert is in `response.json`. As `convert`.

    Raises:
        ExportError: it crashed, failed, or did not end in time.
        OSError: so it did, and the disk is full.
    """
    request_path = folder / "request.json"
    request_path.write_text(json.dumps(request), encoding="utf-8")
    (folder / RESPONSE).unlink(missing_ok=True)
    log_path = folder / "worker.log"
    with (
        open(log_path, "wb") as log,
        subprocess.Popen(
            [*COMMAND, str(request_path)],
            env=environment(),
            stdin=subprocess.PIPE,  # see `lifeline`
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            process.kill()
    if code != 0:
        _check_room(folder)
        raise ExportError(_explain(code, timeout, _response(folder), log_path))


def environment():
    """The environment of a process with TensorFlow on the CPU that finds the same modules."""
    path = [entry or os.getcwd() for entry in sys.path]
    return {
        **os.environ,
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        "PYTHONWARNINGS": "ignore",
        "PYTHONPATH": os.pathsep.join(path),
    }


def _check_room(folder):
    """Raises an OSError if the disk is full: the converter's response and log are lost then."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(2**16))
        file.flush()
        os.fsync(file.fileno())


def _response(folder):
    try:
        return json.loads((folder / RESPONSE).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none yet, or it died while writing it
        return {}


def _explain(code, timeout, response, log_path):
    if code is None:
        end = f"did not finish within {timeout:g} s and was stopped; pass a longer timeout="
    elif code < 0:
        end = f"was killed by {_signal_name(-code)}"
    else:
        end = f"failed with exit code {code}"
    stage = f" while {response['stage']}" if "stage" in response else ""
    cause = f"\nCause: {response['error']}" if "error" in response else ""
    lines = log_path.read_text(encoding="utf-8", errors="replace").splitlines()
    lines = [line for line in lines if not _GREETING.match(line)]
    tail = "\n".join(f"    {line}" for line in lines[-_LAST_LINES:]) or "    (no output)"
    return f"The converter process {end}{stage}.{cause}\nIts last lines:\n{tail}"


def _signal_name(number):
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
