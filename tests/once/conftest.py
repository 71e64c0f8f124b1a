"""Tests that need one run, not one a backend: they start the backends they need themselves."""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BACKENDS = ["tensorflow", "jax", "torch"]


def run(arguments, backend):
    """Runs Python in a process of its own and returns what it printed; other codes than 0 fail."""
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # XLA's threads on the CPU. Each waits in a sum over devices until all devices are there;
        # with one thread a core, the sums of one device can take all, and the other never comes.
        "NPROC": "64",
        "PYTHONPATH": str(ROOT / "tests"),
    }
    result = subprocess.run(
        [sys.executable, "-W", "ignore", *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    code = result.returncode
    assert code == 0, f"exit code {code}\n{result.stderr}{result.stdout}"
    return result.stdout


def command(*arguments, code=0):
    """Runs `kgan` in this process, must end with an exit code, returns what was printed."""
    from kgan.cli import main

    printed = io.StringIO()
    redirected = contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed)
    with pytest.MonkeyPatch.context() as patch, redirected[0], redirected[1]:
        patch.setattr(sys, "argv", ["kgan", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert (ended.value.code or 0) == code, printed.getvalue()
    return printed.getvalue()


@pytest.fixture
def python():
    return run
