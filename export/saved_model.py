"""The SavedModel format: a folder for TensorFlow Serving, `tf.saved_model.load` and TFSMLayer.

It is run in a process of its own, so that TensorFlow is not imported beside another backend.
"""

import json
import pickle
import subprocess
import sys
import time
from pathlib import Path

from kgan.export.spec import TensorSpec, in_order

NAME = "saved_model"
SUFFIX = ""
PACKAGES = ("tensorflow",)
PRECISIONS = ("float32",)
DYNAMIC_BATCH = True
METADATA = "kgan.json"


def convert(model, spec, path, precision, options, metadata):
    """Writes a rebuilt model as a SavedModel, with `kgan.json` in its folder. Child process only.

    Args:
        model: Keras model, functional or Sequential.
        spec: `ModelSpec` to keep exactly.
        path: folder to write.
        precision: "float32".
        options: not used.
        metadata: dictionary of JSON-able values.
    """
    from kgan.export import serving

    serving.save(model, spec, path, layer=True)
    text = json.dumps(metadata, indent=2, sort_keys=True)
    (Path(path) / METADATA).write_text(text + "\n", encoding="utf-8")


def load(path, threads=None):
    """A SavedModel folder as a `Runner`, on the CPU, in a process of its own."""
    return Runner(path, threads)


class Runner:
    """Runs a SavedModel: dictionary of NumPy arrays in, dictionary of NumPy arrays out.

    Attributes:
        inputs, outputs: tuples of `TensorSpec` as the signature declares them.
        metadata: the dictionary in `kgan.json`.
        batch_size: None, any.
        seconds: how long the last call took inside its process.
    """

    batch_size = None

    def __init__(self, path, threads=None):
        from kgan.export import child

        self.metadata = json.loads((Path(path) / METADATA).read_text(encoding="utf-8"))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "kgan.export.saved_model", str(path), str(threads or 0)],
            env=child.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        declared = self._answer()
        self.inputs, self.outputs = (
            in_order(declared[side], self.metadata[side]) for side in ("inputs", "outputs")
        )

    def __call__(self, inputs):
        pickle.dump(inputs, self._process.stdin)
        self._process.stdin.flush()
        outputs, self.seconds = self._answer()
        return outputs

    def close(self):
        """Ends the process."""
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def __del__(self):
        if hasattr(self, "_process") and self._process.poll() is None:
            self.close()

    def _answer(self):
        try:
            answer = pickle.load(self._process.stdout)
        except EOFError:
            code = self._process.wait()
            raise RuntimeError(f"TensorFlow ended with exit code {code}.") from None
        if isinstance(answer, Exception):
            raise answer
        return answer


def _serve(path, threads):
    """Answers batches from stdin on stdout, until stdin ends."""
    answers, sys.stdout = sys.stdout.buffer, sys.stderr

    def send(answer):
        pickle.dump(answer, answers)
        answers.flush()

    try:
        run, declared = _signature(path, threads)
    except Exception as error:
        return send(RuntimeError(f"{type(error).__name__}: {error}"))
    send(declared)
    while True:
        try:
            inputs = pickle.load(sys.stdin.buffer)
        except EOFError:
            return None
        try:
            started = time.perf_counter()
            outputs = run(inputs)
            send((outputs, time.perf_counter() - started))
        except Exception as error:
            send(RuntimeError(f"{type(error).__name__}: {error}"))


def _signature(path, threads):
    import tensorflow as tf

    from kgan.export.serving import SIGNATURE

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    model = tf.saved_model.load(path)
    serve = model.signatures[SIGNATURE]

    def run(inputs):
        values = {name: tf.constant(array) for name, array in inputs.items()}
        return {name: value.numpy() for name, value in serve(**values).items()}

    def tensors(specs):
        return [
            TensorSpec(name, tuple(spec.shape[1:]), spec.dtype.name) for name, spec in specs.items()
        ]

    inputs = tensors(serve.structured_input_signature[1])
    declared = {"inputs": inputs, "outputs": tensors(serve.structured_outputs)}
    run.model = model  # its variables die with it
    return run, declared


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
