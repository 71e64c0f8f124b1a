"""An exported generator that can be measured like a GAN in memory."""

import contextlib
import os
from pathlib import Path

import keras

from kgan.export import load, report
from kgan.generation.inputs import Label, Latent


class Exported:
    """A generator or translator in a file that `gan.export` wrote.

    Args:
        path: an `.onnx` or `.tflite` file, or a SavedModel folder.

    Raises:
        ValueError: if the file is neither a generator of latents nor a translator.

    Attributes:
        scored_domains, draws_latents, generator_in_use: as in `evaluation`.
        num_classes: of a conditional generator, else None.
        direction: of a translator between domains, `"ab"` or `"ba"`, else None.
        given, made: shapes of the images it takes (None for a generator of latents) and gives.
        context: what a protocol is to say of it: a hash of the network and weights it was made of,
            that of the `.keras` file if `kgan export` made it of one, its precision where its
            export report is beside it, its direction if it has one.
    """

    scored_domains = ("",)

    def __init__(self, path: str | os.PathLike):
        self.run = load(path)
        self.takes = self.run.takes or ()
        self.direction = self.run.metadata.get("direction")
        conditions = [each for each in self.takes if not isinstance(each, Latent)]
        labels = [each for each in conditions if isinstance(each, Label)]
        self.num_classes = labels[0].num_classes if labels else None
        self.draws_latents = len(conditions) < len(self.takes)
        if not self.draws_latents and [each.name for each in self.takes] != ["image"]:
            raise ValueError(
                "Only a generator of latents or a translator can be measured: export it with "
                f"gan.export(). Received: {path} with the inputs "
                f"{', '.join(tensor.name for tensor in self.run.inputs)}"
            )
        self.conditions = [each.name for each in conditions]
        self.given = None if self.draws_latents else self.run.inputs[0].shape
        self.made = self.run.outputs[0].shape
        self.generator_in_use = f"exported file, {Path(path).suffix.lstrip('.') or 'saved_model'}"
        own = {
            "source_hash": self.run.metadata.get("source_sha256", "")[:12],
            "saved_model_hash": self.run.metadata.get("model_hash"),
            "precision": _precision(Path(path)),
            "direction": self.direction,
        }
        self.context = {name: value for name, value in own.items() if value}

    def real_and_generated(self, data, rng, domain=""):
        """Returns the real images of a batch and as many made by the file."""
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        if self.draws_latents:
            values = y if isinstance(y, (tuple, list)) else [y]
            return x, self.run.sample(
                len(x), rng, **dict(zip(self.conditions, values, strict=False))
            )
        real, inputs = (x, y) if self.direction == "ba" else (y, x)
        return real, self.run(inputs)


def _precision(path):
    """The precision of an exported file, from the report beside it; None without one."""
    with contextlib.suppress(OSError, ValueError):
        artefacts = report.read(path.parent / report.FILE).artefacts
        return next((each.precision for each in artefacts if each.file == path.name), None)
