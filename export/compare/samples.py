"""The file of inputs and answers from which `verify` repeats a comparison."""

import math
from dataclasses import dataclass

import numpy as np

from kgan.export.untrusted import archives

STORED_BYTES = 4_000_000
CONSTANT = "constant zeros"  # of images, see `parity.expected`
TENFOLD = ("tens", "negative tens", "10 x normal")
OWN = ("sample", "calibration")  # kinds of inputs that the user gave, and that come first
# One batch is kept however large it is.
UNPACKED_BYTES = 2**30


@dataclass(frozen=True)
class Batch:
    """One batch: the kind of its values, its inputs and the outputs Keras gave, both by name.

    `typical` tells values the model is made for from those that only test its limits.
    """

    kind: str
    inputs: dict
    outputs: dict
    typical: bool = True

    @property
    def size(self):
        return len(next(iter(self.inputs.values())))

    @property
    def magnitude(self):
        """How many times as large as usual its inputs are, and with them what rounding leaves."""
        return 10.0 if self.kind in TENFOLD else 1.0

    @property
    def first(self):
        """A batch of its first row alone."""
        sides = (self.inputs, self.outputs)
        rows = ({name: array[:1] for name, array in side.items()} for side in sides)
        return Batch(self.kind, *rows, self.typical)

    @property
    def bytes(self):
        return sum(array.nbytes for array in (*self.inputs.values(), *self.outputs.values()))


def save(path, batches, spans):
    """Writes batches to an `.npz`, smallest first, until they reach 4 MB.

    The bound keeps the file modest for large images; below it everything is kept. One typical
    input is always there, since by those alone the narrow precisions are judged.
    """
    arrays, kinds, typical, total = {}, [], [], 0
    ordered = sorted(batches, key=lambda batch: (not batch.typical, batch.size))
    ordered[1:] = sorted(ordered[1:], key=lambda batch: (batch.size, not batch.typical))
    if ordered[0].bytes > STORED_BYTES:
        ordered.insert(0, ordered[0].first)
    for batch in ordered:
        total += batch.bytes
        if kinds and total > STORED_BYTES:
            break
        for side in ("inputs", "outputs"):
            for name, array in getattr(batch, side).items():
                arrays[f"{len(kinds)}.{side}.{name}"] = array
        kinds.append(batch.kind)
        typical.append(batch.typical)
    arrays.update({f"span.{name}": np.array(span) for name, span in spans.items()})
    np.savez_compressed(path, kinds=np.array(kinds), typical=np.array(typical), **arrays)


def load(path, spec):
    """Reads the batches and spans of `save`, for the tensors that `spec` names.

    Raises:
        ValueError: the file is none of these, damaged, or unpacks to more than it may.
    """
    with archives.opened(path, UNPACKED_BYTES) as archive:
        _check_sizes(archive)
        with np.load(path, allow_pickle=False) as file:
            batches = [
                Batch(
                    str(kind),
                    {each.name: file[f"{index}.inputs.{each.name}"] for each in spec.inputs},
                    {each.name: file[f"{index}.outputs.{each.name}"] for each in spec.outputs},
                    bool(typical),
                )
                for index, (kind, typical) in enumerate(
                    zip(file["kinds"], file["typical"], strict=True)
                )
            ]
            return batches, {each.name: float(file[f"span.{each.name}"]) for each in spec.outputs}


def _check_sizes(archive):
    """Raises a ValueError, before anything is unpacked, for arrays larger than `save` writes."""
    for member in archive.infolist():
        with archive.open(member) as file:
            version = np.lib.format.read_magic(file)
            read = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
            shape, _, dtype = read(file)
            declared = math.prod(shape) * dtype.itemsize
            if dtype.hasobject or declared > member.file_size:
                raise ValueError(f"{member.filename} declares {declared} bytes that it lacks")
