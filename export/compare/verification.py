"""Repeats the comparison of an export later, without Keras, TensorFlow or the model."""

import math
from dataclasses import asdict, replace
from pathlib import Path

from kgan.export import files, formats, report, transaction
from kgan.export.compare import parity, samples
from kgan.export.errors import ExportError, ParityError, VerificationError
from kgan.export.signature import ModelSpec
from kgan.utils.advice import received
from kgan.utils.paths import check_path


def verify(path: str | Path) -> report.ExportReport:
    """Checks exported files against their report: present, unchanged, and still computing the same.

    It detects damage but not forgery: nothing is signed, and the model card is not checked. Only
    regular files in the folder itself are read, not links, and each file runs in a separate process
    with limits of time and memory. But a SavedModel is a program: verifying an untrusted one runs
    it with your rights.

    It needs only NumPy and the runtime of the format (onnxruntime, LiteRT, or TensorFlow for a
    SavedModel).

    Args:
        path: an exported file, the folder it is in, or an `export_report.json`. A folder or a
            report means all artefacts of the report.

    Returns:
        An `ExportReport` of the checked artefacts, with errors measured on this machine.

    Raises:
        VerificationError: there is no report, or a file is missing, has changed, does not load, or
            does not reproduce the stored outputs. The message names each such file and the
            difference. Also if an export there was killed and cannot be finished in a read-only
            folder.
        ImportError: the runtime of a file is not installed; the other files have been checked.

    Example:
        >>> print(kgan.export.verify("generator.onnx"))
    """
    path = Path(check_path("path", path))
    whole = path.is_dir() and not formats.of_folder(path)
    alone = not whole and path.name != report.FILE
    folder = path if whole else path.parent
    try:
        transaction.recover(folder)
    except ExportError as error:
        raise VerificationError(str(error)) from error
    if not path.exists():
        raise VerificationError(f"There is nothing to verify. Received: {received('path', path)}")
    written = _read(folder / report.FILE, path)
    artefacts = tuple(each for each in written.artefacts if each.passed)
    if alone:
        artefacts = tuple(each for each in artefacts if each.file == path.name)
    if not artefacts:
        raise VerificationError(
            f"{folder / report.FILE} does not describe any such artefact. "
            f"Received: {received('path', path)}"
        )
    checked, wrong, missing = [], [], None
    for artefact in artefacts:
        try:
            checked.append(_verify(folder, artefact))
        except VerificationError as error:
            wrong.append(str(error))
        except ImportError as error:
            missing = error
    if wrong:
        if checked:
            wrong.append(f"Verified: {', '.join(artefact.file for artefact in checked)}.")
        raise VerificationError("\n".join(wrong))
    _check_report(folder / report.FILE)
    if missing:
        raise missing
    return report.ExportReport(folder, tuple(checked))


def _read(path, given):
    if not path.exists():
        raise VerificationError(
            f"There is no {path.name} beside the files, which is needed to verify them. "
            f"Received: {received('path', given)}"
        )
    try:
        return report.read(files.inside(path.parent, path.name))
    except (OSError, ValueError) as error:
        raise VerificationError(f"{path} is damaged: {type(error).__name__}: {error}") from error


def _check_report(path):
    # Last, since what is wrong with a file says more than that something is.
    try:
        report.check_hash(path)
    except ValueError as error:
        raise VerificationError(f"{path} is damaged: {error}") from error


def _verify(folder, artefact):
    try:
        file, kept = (files.inside(folder, each) for each in (artefact.file, artefact.samples))
    except ValueError as error:
        raise VerificationError(f"{folder / report.FILE}: {error}") from error
    _check_bounds(artefact)
    _check_file(file, artefact.sha256, artefact.bytes)
    _check_file(kept, artefact.samples_sha256)
    spec = ModelSpec(artefact.inputs, artefact.outputs)
    try:
        batches, spans = samples.load(kept, spec)
    except ValueError as error:
        raise VerificationError(str(error)) from error
    try:
        bound = parity.Bound(
            artefact.tolerance, artefact.min_psnr, limits=artefact.precision == "float32"
        )
        runner = parity.load(formats.get(artefact.format), file, file)
        measured = parity.compare(runner, spec, batches, spans, bound, file)
    except ParityError as error:
        raise VerificationError(str(error)) from error
    return replace(artefact, **asdict(measured))


def _check_bounds(artefact):
    """Raises a VerificationError for missing or invalid bounds."""
    bounds = artefact.tolerance, artefact.min_psnr
    given = [bound for bound in bounds if bound is not None]
    if not given or not all(math.isfinite(bound) and bound >= 0 for bound in given):
        raise VerificationError(
            f"{artefact.file}: a bound is a number of at least 0, and at least one is needed. "
            f"Received: tolerance={artefact.tolerance}, min_psnr={artefact.min_psnr}"
        )


def _check_file(path, sha256, size=None):
    if not path.exists():
        raise VerificationError(f"{path}: the file is missing.")
    found = files.size(path)
    if size is not None and found != size:
        raise VerificationError(f"{path}: {found} bytes, but {size} were exported.")
    found = files.sha256(path)
    if found != sha256:
        raise VerificationError(
            f"{path}: the content changed since the export: SHA-256 {found}, expected {sha256}."
        )
