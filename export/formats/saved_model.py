"""The SavedModel format: a folder for TensorFlow Serving, `tf.saved_model.load` and TFSMLayer."""

import json
from pathlib import Path

from kgan.export import files
from kgan.export import metadata as metadata_
from kgan.export.formats.examples import feed, quoted
from kgan.export.signature import TensorSpec, in_order
from kgan.export.untrusted import seal

NAME = "saved_model"
TITLE = "SavedModel"
SUFFIX = ""
MARKER = "saved_model.pb"
PACKAGES = ("tensorflow",)
PRECISIONS = ("float32",)
LACKING = frozenset()
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
    from kgan.export.convert import serving

    serving.save(model, spec, path, layer=True)
    text = json.dumps(metadata | seal.MARK, indent=2, sort_keys=True)
    (Path(path) / METADATA).write_text(text + "\n", encoding="utf-8")
    seal.put(path)


def is_own(path):
    """Whether a folder is a SavedModel that was written here, and holds nothing else."""
    path = Path(path)
    own = {MARKER, "fingerprint.pb", "variables", "assets", METADATA, seal.LIST}
    return (path / METADATA).is_file() and {each.name for each in path.iterdir()} <= own


def load(path, threads=None):
    """A SavedModel folder as a `Runner`. Imports TensorFlow: `untrusted.process` runs it."""
    return Runner(path, threads)


class Runner:
    """Runs a SavedModel: dictionary of NumPy arrays in, dictionary of NumPy arrays out.

    Attributes:
        inputs, outputs: tuples of `TensorSpec` as the signature declares them.
        metadata: the dictionary in `kgan.json`.
        batch_size: None, any.
    """

    batch_size = None

    def __init__(self, path, threads=None):
        import tensorflow as tf

        from kgan.export.convert.serving import SIGNATURE

        self.metadata = metadata_.check(files.read_json(Path(path) / METADATA))
        tf.config.threading.set_intra_op_parallelism_threads(threads or 0)
        self._model = tf.saved_model.load(path)  # its variables would die with it
        self._serve = self._model.signatures[SIGNATURE]
        self._constant = tf.constant
        self.inputs, self.outputs = (
            in_order(_declared(specs), self.metadata[side])
            for side, specs in (
                ("inputs", self._serve.structured_input_signature[1]),
                ("outputs", self._serve.structured_outputs),
            )
        )

    def __call__(self, inputs):
        values = {name: self._constant(array) for name, array in inputs.items()}
        answers = self._serve(**values)  # sorted by name
        return {tensor.name: answers[tensor.name].numpy() for tensor in self.outputs}


def _declared(specs):
    return [
        TensorSpec(name, tuple(spec.shape[1:]), spec.dtype.name) for name, spec in specs.items()
    ]


def _python(artefact):
    return f"""# pip install tensorflow
import numpy as np, tensorflow as tf

run = tf.saved_model.load({quoted(artefact.file)}).signatures["serving_default"]
{feed(artefact)}
outputs = run(**{{name: tf.constant(array) for name, array in inputs.items()}})"""


EXAMPLES = {"python": _python}
