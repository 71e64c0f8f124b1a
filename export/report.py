"""What an export made, as an object, a table and `export_report.json`."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from kgan.export.spec import TensorSpec

FILE = "export_report.json"
SCHEMA = 1
PASSED, FAILED, NOT_EXPORTED = "passed", "failed", "not exported"


@dataclass(frozen=True)
class Artefact:
    """One exported file and the proof that belongs to it.

    Attributes:
        file: its name in the folder of the report.
        format, precision: such as "onnx", "float32".
        verdict: "passed", "failed" (converted, but not equal to Keras) or "not exported".
        bytes, sha256: of the file.
        samples, samples_sha256: the `.npz` of inputs and expected outputs kept with it.
        max_abs_error: largest absolute difference from Keras.
        max_error: the judged figure, relative to max(1, largest expected value of a batch).
        tolerance: the bound for `max_error`.
        batch_sizes: the batch sizes that were compared.
        inputs, outputs: tuples of `TensorSpec`.
        training_backend: where the model lived: "tensorflow", "jax" or "torch".
        versions: of kgan, Keras and the converter's packages.
        options: options of the conversion, such as the ONNX opset.
        seconds, child_seconds: of the whole export call, and of its child process.
        reason: why it is not "passed", else empty.
    """

    file: str
    format: str
    precision: str
    verdict: str
    bytes: int
    sha256: str
    samples: str
    samples_sha256: str
    max_abs_error: float
    max_error: float
    tolerance: float
    batch_sizes: tuple[int, ...]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    training_backend: str
    versions: dict[str, str]
    options: dict
    seconds: float
    child_seconds: float
    reason: str = ""

    @classmethod
    def from_json(cls, entry):
        """Builds an artefact from its entry in `export_report.json`."""
        tensors = {
            side: tuple(map(TensorSpec.from_json, entry[side])) for side in ("inputs", "outputs")
        }
        return cls(**{**entry, **tensors, "batch_sizes": tuple(entry["batch_sizes"])})


@dataclass(frozen=True)
class ExportReport:
    """The artefacts of one export, or of one folder. Printing it gives a table.

    Attributes:
        folder: where the artefacts are.
        artefacts: tuple of `Artefact`.

    Example:
        >>> report = kgan.export.export(model, "generator.onnx")
        >>> print(report)
        >>> report.artefacts[0].max_abs_error
    """

    folder: Path
    artefacts: tuple[Artefact, ...]

    @property
    def passed(self):
        """True when every artefact passed."""
        return all(artefact.verdict == PASSED for artefact in self.artefacts)

    def to_json(self):
        """The report as JSON text, the content of `export_report.json`."""
        entries = [asdict(artefact) for artefact in self.artefacts]
        return json.dumps({"schema": SCHEMA, "artefacts": entries}, indent=2, sort_keys=True)

    def __str__(self):
        rows = [("file", "format", "precision", "size", "max error", "tolerance", "verdict")]
        rows += [
            (
                artefact.file,
                artefact.format,
                artefact.precision,
                _size(artefact.bytes),
                f"{artefact.max_error:.1e}",
                f"{artefact.tolerance:.0e}",
                artefact.verdict,
            )
            for artefact in self.artefacts
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join([*lines, *self._footer()])

    def _footer(self):
        seen = {}
        for artefact in self.artefacts:
            inputs = ", ".join(map(str, artefact.inputs))
            outputs = ", ".join(map(str, artefact.outputs))
            sizes = ", ".join(map(str, artefact.batch_sizes))
            seen[
                f"{inputs} -> {outputs}\n"
                f"trained on {artefact.training_backend}; compared on batches of {sizes}; "
                f"{artefact.seconds:.1f} s, of which {artefact.child_seconds:.1f} s converting"
            ] = None
        return [line for footer in seen for line in ("", *footer.splitlines())]


def read(path):
    """Reads an `export_report.json`."""
    path = Path(path)
    content = json.loads(path.read_text(encoding="utf-8"))
    return ExportReport(path.parent, tuple(map(Artefact.from_json, content["artefacts"])))


def merge(report, staging):
    """Writes a report into its folder, beside the entries already there.

    An entry of the same file is replaced; other entries stay while their file does.

    Args:
        report: `ExportReport` of what was just made.
        staging: temporary folder on the same disk, for the move into place.
    """
    path = report.folder / FILE
    new = {artefact.file for artefact in report.artefacts}
    kept = ()
    if path.exists():
        kept = tuple(
            artefact
            for artefact in read(path).artefacts
            if artefact.file not in new and (report.folder / artefact.file).exists()
        )
    merged = ExportReport(report.folder, kept + report.artefacts)
    (staging / FILE).write_text(merged.to_json() + "\n", encoding="utf-8")
    os.replace(staging / FILE, path)


def _size(count):
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
