"""A format whose files end the process, or never answer, for `kgan.export.untrusted.process`."""

import os
import signal
import time

from kgan.export import TensorSpec


def load(path, threads=None):
    """Does at once what `path` says, or at the first call."""
    return Runner(path) if path.startswith("later ") else _do(path)


class Runner:
    """Has an input and an output `x` of one number."""

    inputs = outputs = (TensorSpec("x", (1,)),)
    metadata, batch_size = {}, None

    def __init__(self, path):
        self._path = path

    def __call__(self, inputs):
        return _do(self._path.removeprefix("later "))


def _do(what):
    if what == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif what == "hang":
        time.sleep(60)
    elif what == "absent":
        raise ModuleNotFoundError("No module named 'runtime'")
    raise OSError("no such luck")
