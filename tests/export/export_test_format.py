"""A format that kgan does not know: a line of JSON for a model that multiplies by a number."""

import json
from pathlib import Path

from kgan.export.signature import TensorSpec
from kgan.export.untrusted import seal

NAME = "toy"
TITLE = "Toy"
SUFFIX = ".toy"
PACKAGES = ("numpy",)
PRECISIONS = ("float32",)
LACKING = {"Cumprod"}
SEAL = b"# sha256 "


def convert(model, spec, path, precision, options, metadata):
    """Writes the factor of a `Rescaling` layer."""
    told = {"scale": model.layers[-1].scale, "metadata": metadata | seal.MARK}
    Path(path).write_text(json.dumps(told) + "\n")
    seal.put(path)


def load(path, threads=None):
    """A file as a `Runner`."""
    return Runner(path)


class Runner:
    """Multiplies its one input."""

    batch_size = None

    def __init__(self, path):
        told = json.loads(Path(path).read_text().splitlines()[0])
        self._scale, self.metadata = told["scale"], told["metadata"]
        self.inputs, self.outputs = (
            tuple(map(TensorSpec.from_json, self.metadata[side])) for side in ("inputs", "outputs")
        )

    def __call__(self, inputs):
        (array,) = inputs.values()
        return {self.outputs[0].name: array * array.dtype.type(self._scale)}


def _shell(artefact):
    return f"multiply {artefact.file}"


EXAMPLES = {"shell": _shell}
