"""Runs an exported file in a process of its own: what crashes or hangs there is an error here.

So nothing that a converter wrote can take down the process that asks whether it is right, and
TensorFlow is never imported beside another backend.
"""

import importlib
import pickle
import subprocess
import sys
import threading
import time

# No runtime needs Keras, whose import is most of the start. -P as for the converter.
_START = (
    "import sys; sys.modules['keras'] = None; "
    "from kgan.export.process import serve; serve(*sys.argv[1:])"
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
        from kgan.export import child

        self._timeout = timeout
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START, module.__name__, str(path), str(threads or 0)],
            env=child.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.inputs, self.outputs, self.metadata, self.batch_size = self._answer()

    def __call__(self, inputs):
        try:
            pickle.dump(inputs, self._process.stdin)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the answer tells how it ended
        outputs, self.seconds = self._answer()
        return outputs

    def close(self):
        """Ends the process."""
        self._process.kill()
        self._process.communicate()

    def __del__(self):
        # At the end of the interpreter nothing can be killed any more; stdin ends, and with it all.
        if hasattr(self, "_process") and not sys.is_finalizing():
            self.close()

    def _answer(self):
        late = threading.Timer(self._timeout, self._process.kill)
        late.start()
        try:
            answer = pickle.load(self._process.stdout)
        except EOFError:
            code = self._process.wait()
            hung = late.finished.is_set()
            end = (
                f"gave no answer for {self._timeout} s" if hung else f"ended with exit code {code}"
            )
            raise RuntimeError(f"The process that runs the file {end}.") from None
        finally:
            late.cancel()
        if isinstance(answer, Exception):
            raise answer
        return answer


def serve(name, path, threads):
    """Loads a file and answers batches from stdin on stdout, until stdin ends.

    Args:
        name: of the module of its format, which can `load` it.
        path: the file or folder.
        threads: CPU threads as text; "0": the runtime's choice.
    """
    answers, sys.stdout = sys.stdout.buffer, sys.stderr

    def send(answer):
        pickle.dump(answer, answers)
        answers.flush()

    try:
        runner = importlib.import_module(name).load(path, int(threads) or None)
    except Exception as error:
        return send(_portable(error))
    send((runner.inputs, runner.outputs, runner.metadata, runner.batch_size))
    while True:
        try:
            inputs = pickle.load(sys.stdin.buffer)
        except EOFError:
            return None
        try:
            started = time.perf_counter()
            outputs = runner(inputs)
            send((outputs, time.perf_counter() - started))
        except Exception as error:
            send(_portable(error))


def _portable(error):
    """An exception that the other side can read, for those of a runtime's own class."""
    kind = ImportError if isinstance(error, ImportError) else RuntimeError
    text = str(error) if kind is ImportError else f"{type(error).__name__}: {error}"
    return kind(text)
