"""The results of an export as an object, a table and `export_report.json`."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from kgan.export import files, formats, metadata
from kgan.export.signature import TensorSpec
from kgan.export.untrusted import schema
from kgan.export.untrusted.escape import terminal

FILE = "export_report.json"
SCHEMA = 1
PASSED, FAILED, NOT_EXPORTED = "passed", "failed", "not exported"
_NUMBER = (int, float, type(None))
_LATENCY = {"batch": int, "threads": int, ...: _NUMBER}


def _name(value):
    if not isinstance(value, str) or not (value == "" or files.is_name(value)):
        raise ValueError(f"a file in the folder itself is needed, not {schema.shown(value)}")


def _latency(value):
    if value not in (None, {}):
        schema.check(value, _LATENCY)


_ARTEFACT = {
    "file": _name,
    "format": frozenset(formats.MODULES),
    "precision": frozenset(formats.PRECISIONS),
    "verdict": frozenset((PASSED, FAILED, NOT_EXPORTED)),
    "inputs": [TensorSpec.from_json],
    "outputs": [TensorSpec.from_json],
    "batch_sizes": [int],
    "compared_on": [str],
    "versions": {...: str},
    "latency?": _latency,
    "batch_size?": (int, type(None)),
    "samples?": _name,
    **dict.fromkeys(("training_backend", "source_sha256"), str),
    **dict.fromkeys(("reason?", "sha256?", "samples_sha256?"), str),
    "options": {...: object},
    "metadata?": metadata.check,
    **dict.fromkeys(("max_abs_error?", "max_error?", "psnr?"), _NUMBER),
    **dict.fromkeys(("tolerance?", "min_psnr?"), _NUMBER),
    **dict.fromkeys(("seconds?", "child_seconds?"), (int, float)),
    "bytes?": int,
}
_REPORT = {"schema?": int, "sha256?": str, "artefacts": [_ARTEFACT]}


@dataclass(frozen=True)
class Artefact:
    """One exported file or folder, with the results of its comparison.

    Attributes:
        file: its name in the folder of the report.
        format, precision: such as "onnx", "float32".
        verdict: "passed", "failed" (converted, but not equal to Keras) or "not exported".
        reason: why it did not pass, else empty. The figures below are then None or empty.
        bytes, sha256: size and hash of the file, or of all files of the folder.
        samples, samples_sha256: the `.npz` of inputs and expected outputs kept with it.
        max_abs_error: largest absolute difference from Keras on the judged inputs.
        max_error: the same, relative to max(1, largest expected value of a batch), and to ten where
            the inputs were ten times as large as usual.
        psnr: peak signal-to-noise ratio in dB, see `parity.Parity`; None if nothing differs.
        tolerance, min_psnr: the bounds for `max_error` and `psnr`; None if not used.
        batch_sizes: the batch sizes that were compared.
        compared_on: the kinds of inputs whose values were judged.
        batch_size: the fixed batch size of the file, or None for any.
        latency: dictionary of `median_ms`, `p90_ms`, `keras_median_ms`, `threads` and `batch`.
        inputs, outputs: tuples of `TensorSpec`.
        training_backend: the backend of the model: "tensorflow", "jax" or "torch".
        source_sha256: hash of the model's configuration and weights.
        versions: versions of kgan, Keras and the converter's packages.
        options: options of the conversion, such as the ONNX opset.
        metadata: the metadata of the file.
        seconds, child_seconds: duration of the whole export call, and of its child process.
    """

    file: str
    format: str
    precision: str
    verdict: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    training_backend: str
    source_sha256: str
    versions: dict[str, str]
    options: dict
    reason: str = ""
    bytes: int = 0
    sha256: str = ""
    samples: str = ""
    samples_sha256: str = ""
    max_abs_error: float | None = None
    max_error: float | None = None
    psnr: float | None = None
    tolerance: float | None = None
    min_psnr: float | None = None
    batch_sizes: tuple[int, ...] = ()
    compared_on: tuple[str, ...] = ()
    batch_size: int | None = None
    latency: dict | None = None
    metadata: dict = field(default_factory=dict)
    seconds: float = 0.0
    child_seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the file was proven."""
        return self.verdict == PASSED

    def figures(self) -> str:
        """Returns the figures with their bounds, as text."""
        figures = []
        if self.tolerance is not None:
            figures.append(f"largest error {self.max_error:.1e}, tolerance {self.tolerance:.0e}")
        if self.min_psnr is not None:
            psnr = "no difference" if self.psnr is None else f"PSNR {self.psnr:.0f} dB"
            figures.append(f"{psnr}, bound {self.min_psnr:g} dB")
        return "; ".join(figures)

    @classmethod
    def from_json(cls, entry: Any) -> Self:
        """Builds an artefact from its entry in an `export_report.json` that `read` has checked."""
        tensors = {
            side: tuple(map(TensorSpec.from_json, entry[side])) for side in ("inputs", "outputs")
        }
        lists = {name: tuple(entry[name]) for name in ("batch_sizes", "compared_on")}
        return cls(**{**entry, **tensors, **lists})


@dataclass(frozen=True)
class ExportReport:
    """The artefacts of an export or a folder. Printing it shows a table.

    Attributes:
        folder: the folder of the artefacts.
        artefacts: tuple of `Artefact`.

    Example:
        >>> report = kgan.export.export(model, "generator.onnx")
        >>> print(report)
        >>> report.artefacts[0].max_abs_error
    """

    folder: Path
    artefacts: tuple[Artefact, ...]

    @property
    def passed(self) -> bool:
        """Whether every artefact passed."""
        return all(artefact.passed for artefact in self.artefacts)

    def to_json(self) -> str:
        """Returns the report as JSON text, the content of `export_report.json`."""
        entries = [asdict(artefact) for artefact in self.artefacts]
        content = {"schema": SCHEMA, "sha256": _sha256(entries), "artefacts": entries}
        return json.dumps(content, indent=2, sort_keys=True, allow_nan=False)

    def rows(self) -> list[tuple[str, ...]]:
        """Returns the table as rows of text, the header first."""
        times = ["median ms", "p90 ms", "Keras ms"]
        header = ["file", "precision", "size", "max error", "PSNR", *times, "verdict"]
        return [header, *map(_row, self.artefacts)]

    def table(self) -> str:
        """Returns the table as text, without the footer."""
        rows = [[terminal(cell) for cell in row] for row in self.rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join(lines)

    def __str__(self):
        return "\n".join([self.table(), *self._footer()])

    def _footer(self):
        lines, told = [], {}
        for artefact in self.artefacts:
            if artefact.reason:
                lines += ["", terminal(about(artefact.file, artefact.reason), keep="\n")]
        for artefact in filter(lambda each: each.passed, self.artefacts):
            inputs = ", ".join(map(str, artefact.inputs))
            outputs = ", ".join(map(str, artefact.outputs))
            signature = f"{inputs} -> {outputs}; trained on {artefact.training_backend}"
            seconds = f"{artefact.seconds:.1f} s, {artefact.child_seconds:.1f} s of it converting"
            compared = f"compared on {', '.join(artefact.compared_on)}"
            of_signature = told.setdefault(f"{signature}; {seconds}", {})
            of_signature.setdefault(compared, []).append(artefact.file)
        for signature, compared in told.items():
            lines += ["", terminal(signature)]
            told_of = (f"{', '.join(names)}: {what}" for what, names in compared.items())
            lines += map(terminal, told_of)
        return lines


def about(file, reason):
    """A reason that begins with the name of its file, once."""
    return reason if reason.startswith(file) else f"{file}: {reason}"


def read(path):
    """Reads an `export_report.json`.

    Raises:
        ValueError: it is not one, or damaged.
    """
    path = Path(path)
    content = files.read_json(path, folder=path.parent)
    schema.check(content, _REPORT, "the report")
    return ExportReport(path.parent, tuple(map(Artefact.from_json, content["artefacts"])))


def check_hash(path):
    """Raises a ValueError if the hash in a readable report does not match its content.

    Reports of earlier versions of kgan have no hash.
    """
    content = files.read_json(path)
    if "sha256" in content and content["sha256"] != _sha256(content["artefacts"]):
        raise ValueError("it has changed since the export: its SHA-256 is not the one it carries")


def _sha256(entries):
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()


def merge(report):
    """Returns the report of a folder, with older entries and those of a new report.

    An entry is replaced by a new one of the same file, unless the new one did not pass and the
    older file is still there. Entries of files that are gone are dropped.

    Args:
        report: the new `ExportReport`, whose files need not be in place yet.

    Returns:
        The whole `ExportReport` of the folder.
    """
    path = report.folder / FILE
    new = {artefact.file for artefact in report.artefacts if artefact.passed}
    kept = ()
    if path.exists():
        kept = tuple(
            artefact
            for artefact in read(path).artefacts
            if artefact.file not in new and (report.folder / artefact.file).exists()
        )
    old = {artefact.file for artefact in kept}
    added = tuple(artefact for artefact in report.artefacts if artefact.file not in old)
    return ExportReport(report.folder, kept + added)


def _row(artefact):
    def show(value, form):
        return "-" if value is None else form.format(value)

    latency = artefact.latency or {}
    judged = (
        "same" if artefact.passed and artefact.psnr is None else show(artefact.psnr, "{:.0f} dB")
    )
    return [
        artefact.file,
        artefact.precision,
        _size(artefact.bytes) if artefact.bytes else "-",
        show(artefact.max_error, "{:.1e}"),
        judged,
        *(show(latency.get(key), "{:.2f}") for key in ("median_ms", "p90_ms", "keras_median_ms")),
        artefact.verdict,
    ]


def _size(count):
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
