"""Runs an exported file in a process of its own: what crashes or hangs there is an error here.

So nothing that a converter wrote can take down the process that asks whether it is right, and
TensorFlow is never imported beside another backend. A SavedModel is a program: to run a stranger's
is to run it with one's own rights, in that process. What it prints goes nowhere, what the process
answers is read as numbers and text alone (`messages.py`), and it may take no more time than it is
given and no more memory than the machine has.
"""

import contextlib
import dataclasses
import importlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from kgan.export import metadata as metadata_
from kgan.export.signature import TensorSpec
from kgan.export.untrusted import lifeline, messages, schema
from kgan.export.untrusted.escape import terminal

# No runtime needs Keras, whose import is most of the start. -P as for the converter.
_START = (
    "import sys; sys.modules['keras'] = None; "
    "from kgan.export.untrusted.process import serve; serve(*sys.argv[1:])"
)
TIMEOUT = 600


class Runner:
    """An exported file as a function of dictionaries of NumPy arrays by name.

    Attributes:
        inputs, outputs: tuples of `TensorSpec` as the file declares them.
        metadata: the dictionary written into the file.
        batch_size: the one the file was made for; None: any.
        seconds: how long the last call took inside the process.
    """

    def __init__(self, module, path, threads=None, timeout=TIMEOUT):
        """Starts the process and loads the file.

        Args:
            module: the module of its format.
            path: the file or folder.
            threads: CPU threads to use. Default: the runtime's choice.
            timeout: seconds that loading, and each call, may take.

        Raises:
            Exception: whatever loading raises there.
            RuntimeError: the process crashed or hangs.
        """
        from kgan.export.convert import launcher

        self._timeout = timeout
        # Pipes of their own: a file may print whatever it likes on the standard output.
        theirs_to_read, to_process = os.pipe()
        from_process, theirs_to_write = os.pipe()
        pipes = theirs_to_read, theirs_to_write
        arguments = [module.__name__, str(path), str(threads or 0), *map(str, pipes)]
        self._questions = os.fdopen(to_process, "wb")
        self._answers = os.fdopen(from_process, "rb")
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START, *arguments],
                env=launcher.environment(),
                stdin=subprocess.PIPE,  # see `lifeline`
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=pipes,
            )
        finally:
            for pipe in pipes:
                os.close(pipe)
        header, _ = self._answer()
        try:
            self.inputs, self.outputs = (
                tuple(map(TensorSpec.from_json, header[side])) for side in ("inputs", "outputs")
            )
            self.metadata = metadata_.check(header["metadata"])
            self.batch_size = header["batch_size"]
            schema.check(self.batch_size, (int, type(None)), "the batch size")
        except (KeyError, TypeError, ValueError) as error:
            self.close()
            raise ValueError(f"What the file says of itself is damaged: {error}") from None

    def __call__(self, inputs):
        with contextlib.suppress(BrokenPipeError):  # then the answer tells how it ended
            messages.write(self._questions, {}, inputs)
        header, outputs = self._answer()
        missing = {tensor.name for tensor in self.outputs} - set(outputs)
        if missing or not isinstance(header.get("seconds"), (int, float)):
            raise RuntimeError(f"The file gave no such output: {', '.join(sorted(missing))}")
        self.seconds = float(header["seconds"])
        return outputs

    def close(self):
        """Ends the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._answers, self._questions, self._process.stdin):
            with contextlib.suppress(OSError):
                pipe.close()

    def __del__(self):
        # At the end of the interpreter nothing can be killed any more; stdin ends, and with it all.
        if hasattr(self, "_process") and not sys.is_finalizing():
            self.close()

    def _answer(self):
        late = threading.Timer(self._timeout, self._process.kill)
        late.start()
        try:
            header, arrays = messages.read(self._answers)
        except EOFError:
            code = self._process.wait()
            hung = late.finished.is_set()
            end = (
                f"gave no answer for {self._timeout} s" if hung else f"ended with exit code {code}"
            )
            raise RuntimeError(f"The process that runs the file {end}.") from None
        except ValueError as error:
            self.close()
            nonsense = f"The process that runs the file answered nonsense: {error}"
            raise RuntimeError(nonsense) from None
        finally:
            late.cancel()
        if "error" in header:
            kind = ImportError if header.get("kind") == "ImportError" else RuntimeError
            raise kind(terminal(header["error"], keep="\n"))
        return header, arrays


def _limit_memory():
    """Lets this process fail before the machine does, where the system can see to that."""
    with contextlib.suppress(ImportError, AttributeError, OSError, ValueError):
        import resource

        most = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_DATA, (most, resource.RLIM_INFINITY))
        # In a container with less memory, it is the first to be ended.
        Path("/proc/self/oom_score_adj").write_text("1000")


def serve(name, path, threads, questions, answers):
    """Loads a file and answers batches until there are no more questions.

    Args:
        name: of the module of its format, which can `load` it.
        path: the file or folder.
        threads: CPU threads as text; "0": the runtime's choice.
        questions, answers: descriptors of the two pipes, as text.
    """
    lifeline.end_with_parent()
    questions, answers = os.fdopen(int(questions), "rb"), os.fdopen(int(answers), "wb")
    _limit_memory()

    def fail(error):
        is_import = isinstance(error, ImportError)
        text = str(error) if is_import else f"{type(error).__name__}: {error}"
        messages.write(answers, {"error": text, "kind": "ImportError" if is_import else ""})

    try:
        runner = importlib.import_module(name).load(path, int(threads) or None)
        sides = {
            side: [dataclasses.asdict(tensor) for tensor in getattr(runner, side)]
            for side in ("inputs", "outputs")
        }
        about = {"metadata": runner.metadata, "batch_size": runner.batch_size}
        messages.write(answers, {**sides, **about})
    except Exception as error:
        return fail(error)
    while True:
        try:
            _, inputs = messages.read(questions)
        except EOFError:
            return None
        try:
            started = time.perf_counter()
            outputs = runner(inputs)
            seconds = time.perf_counter() - started
            messages.write(answers, {"seconds": seconds}, outputs)
        except Exception as error:
            fail(error)
