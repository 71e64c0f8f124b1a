"""TensorFlow without its notes, which Keras imports on every backend where it is installed."""

import contextlib
import faulthandler
import functools
import importlib.abc
import importlib.machinery
import os
import re
import sys
import tempfile

LEVEL = "TF_CPP_MIN_LOG_LEVEL"  # 0 shows all, 1 no notes, 2 no warnings either, 3 no errors
NOTE = re.compile(rb"I\d{4} |WARNING: All log messages before absl")


def quiet_tensorflow():
    """Lets TensorFlow log errors alone, unless the environment says what it is to log."""
    if LEVEL not in os.environ:
        os.environ[LEVEL] = "2"
        sys.meta_path.insert(0, _Finder())


class _Finder(importlib.abc.MetaPathFinder):
    """Finds TensorFlow as ever, but has it loaded without notes: they come before any setting."""

    def find_spec(self, name, path=None, target=None):
        if name != "tensorflow":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module = functools.partial(_without_notes, spec.loader.exec_module)
        return spec


def _without_notes(load, module):
    """Loads a module; what it writes to standard error meanwhile comes after, less the notes."""
    with tempfile.TemporaryFile() as written, os.fdopen(os.dup(2), "wb") as stderr:
        crashes = not faulthandler.is_enabled()
        if crashes:
            faulthandler.enable(stderr)  # a crash would take with it what was written
        os.dup2(written.fileno(), 2)
        try:
            load(module)
        finally:
            os.dup2(stderr.fileno(), 2)
            if crashes:
                faulthandler.disable()
            written.seek(0)
            with contextlib.suppress(OSError):
                stderr.writelines(line for line in written if not NOTE.match(line))
                stderr.flush()
