"""The two ends of a benchmark's process: questions in lines of text, answers in lines of JSON.

`train_step.py` and `gpu.py` hold a `Worker` for each contestant; `worker.py` and `gpu_worker.py`
answer through `answering()`.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile


class Worker:
    """A contestant's process, which answers each line it is sent with a line of JSON.

    Args:
        script: the Python file to run.
        arguments: strings to give it.
        environment: variables to set beside those of this process.
    """

    def __init__(self, script, arguments, environment):
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115, `end` closes it
        self.process = subprocess.Popen(
            [sys.executable, script, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env={"TF_CPP_MIN_LOG_LEVEL": "2", **os.environ, **environment},
        )

    def answer(self):
        """Waits for the next answer.

        Raises:
            RuntimeError: with the end of what the process has printed, if it ends instead.
        """
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        code = self.process.wait()
        self.log.seek(0)
        raise RuntimeError(f"the worker ended with code {code}: {self.log.read()[-2000:]}")

    def ask(self, question):
        """Sends a line and waits for the answer."""
        with contextlib.suppress(BrokenPipeError):  # then `answer` says why
            self.process.stdin.write(question + "\n")
            self.process.stdin.flush()
        return self.answer()

    def end(self):
        self.process.kill()
        self.process.communicate()
        self.log.close()


def answering():
    """Returns the worker's function `answer(**values)`, and keeps all other prints out of it."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the frameworks print must not get among the answers

    def answer(**values):
        answers.write(json.dumps(values) + "\n")

    return answer
