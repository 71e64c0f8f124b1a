"""What a folder tells of the run that made it."""

import contextlib
import dataclasses
from pathlib import Path

from kgan.callbacks.epoch_picture import pictures_in
from kgan.export import files
from kgan.export.untrusted import archives, schema
from kgan.report import run_files
from kgan.report.pictures import check_picture
from kgan.report.saved_objects import written

USUAL = {"run_eagerly": False, "steps_per_execution": 1, "jit_compile": "auto"}  # of compile
# What files in another form may raise: the schemas a ValueError, the others what they let through.
UNREADABLE = (*archives.DAMAGE, MemoryError)
UNNAMED = "weights that are not named"


@dataclasses.dataclass
class Run:
    """A run as far as its folder tells of it; what is missing is empty.

    Attributes:
        folder: of the run.
        log: name to list of floats, one an epoch, NaN where the log has none.
        epochs: the numbers of the epochs, from 1.
        settings: name to text, what was asked for.
        model: name to text, what the saved model says of itself.
        versions: name to text.
        warnings: list of dictionaries with `epoch`, `rule`, `text` and `remedies`; None: no monitor
            was there to write them.
        pictures: paths of the grids by epoch.
        scores: list of dictionaries with `name`, `value`, `protocol`, `file`, and `of`, the file in
            the folder that was scored, or "weights that are not named".
        stale: names of files with scores of weights that are not in the folder (any more).
        hashes: hash to name, of saved models and exported files in the folder.
        exports: list of `(folder, rows, models)`: the header of the rows first; `models` has the
            hashes of the saved models that the files were made of, as far as they tell.
        unreadable: names of files that are there but cannot be read, or a line of them.
    """

    folder: Path
    log: dict = dataclasses.field(default_factory=dict)
    epochs: list = dataclasses.field(default_factory=list)
    settings: dict = dataclasses.field(default_factory=dict)
    model: dict = dataclasses.field(default_factory=dict)
    versions: dict = dataclasses.field(default_factory=dict)
    warnings: list | None = None
    pictures: list = dataclasses.field(default_factory=list)
    scores: list = dataclasses.field(default_factory=list)
    stale: list = dataclasses.field(default_factory=list)
    hashes: dict = dataclasses.field(default_factory=dict)
    exports: list = dataclasses.field(default_factory=list)
    unreadable: list = dataclasses.field(default_factory=list)


def read(folder):
    """Returns a `Run`.

    Raises:
        ValueError: if there is no such folder, or nothing of a run in it.
    """
    run = Run(Path(folder))
    if not run.folder.is_dir():
        raise ValueError(f"There is no such folder of a run. Received: {folder}")
    for picture in pictures_in(run.folder / "samples"):
        try:
            files.check_regular(picture, run.folder)
            check_picture(picture)
            run.pictures.append(picture)
        except ValueError:
            run.unreadable.append(str(picture.relative_to(run.folder)))
    _finish_exports(run)
    for file in sorted(run.folder.rglob("*")):
        reader = _reader(file, run.folder)
        if reader:
            try:
                files.check_regular(file, run.folder)
                reader(run, file)
            except UNREADABLE:
                run.unreadable.append(str(file.relative_to(run.folder)))
    _match_scores(run)
    if not (run.log or run.pictures or run.model or run.scores or run.stale or run.exports):
        raise ValueError(
            "This folder holds nothing of a run: name the folder given to kgan train --out, or one "
            f"with log.csv, samples/ or gan.keras. Received: {folder}"
        )
    return run


def _finish_exports(run):
    """Lets bundles whose export was killed be whole."""
    from kgan.export import ExportError, transaction

    for committed in sorted(run.folder.rglob(transaction.COMMITTED)):
        try:
            transaction.recover(committed.parent)
        except ExportError:
            run.unreadable.append(str(committed.parent.relative_to(run.folder)))


def _reader(file, folder):
    if file.name == "export_report.json":
        return _read_export
    if file.parent != folder:
        return None
    if file.name.startswith("scores") and file.suffix == ".json":
        return _read_scores
    return {
        "log.csv": _read_log,
        run_files.SETTINGS: _read_settings,
        "warnings.jsonl": _read_warnings,
        "gan.keras": _read_model,
    }.get(file.name)


def _read_log(run, file):
    run.epochs, run.log, cut = run_files.log(file)
    if cut:  # of a run that was killed as it wrote
        run.unreadable.append(f"a line of {file.name}")


def _read_settings(run, file):
    found, versions = run_files.settings(file)
    run.versions |= versions
    if "images" in found:  # what was asked for is part of what the images turned out
        found.pop("image_size", None)
        found.pop("channels", None)
    run.settings = {name: run_files.text(value) for name, value in found.items()}


def _read_warnings(run, file):
    found, damaged = run_files.warnings(file)
    run.unreadable += [f"a line of {file.name}"] * damaged
    # A run that was killed before its checkpoint tells again what it told after that.
    unique = {(entry["epoch"], entry["rule"], entry["text"]): entry for entry in found}
    run.warnings = [unique[key] for key in sorted(unique)]


def _read_scores(run, file):
    run.scores += [
        {
            **score,
            "protocol": _protocol(score["protocol"]),
            "file": file.name,
            "of": _hash_in(score["protocol"]),
        }
        for score in run_files.scores(file)
    ]


def _hash_in(protocol):
    digest = protocol.get("model_hash") if isinstance(protocol, dict) else None
    return None if digest is None else str(digest)


def _match_scores(run):
    """Names what each score is of, and leaves out those of other weights than are here."""
    from kgan.metrics.protocol import file_hash

    saved = {}
    for file in sorted(run.folder.glob("*.keras")):
        with contextlib.suppress(ValueError):  # told of where it is read
            files.check_regular(file, run.folder)
            saved[file.name] = file_hash(file)
    run.hashes |= {digest: name for name, digest in saved.items()}
    for score in run.scores:
        digest, named = score["of"], score["protocol"].get("model")
        score["of"] = UNNAMED if digest is None else run.hashes.get(digest)
        if digest is not None and saved.get(named) == digest:
            score["of"] = named
    run.stale = sorted({score["file"] for score in run.scores if score["of"] is None})
    run.scores = [score for score in run.scores if score["of"] is not None]


def _read_export(run, file):
    from kgan.export.report import read as read_report

    folder, report = file.parent.relative_to(run.folder), read_report(file)
    # What `kgan export` made says of which saved model.
    models = {each.metadata.get("model_hash") for each in report.artefacts} - {None}
    run.exports.append((str(folder), report.rows(), models))
    run.hashes |= {each.sha256[:12]: str(folder / each.file) for each in report.artefacts}


def _read_model(run, file):
    config, about = run_files.saved_model(file)
    compiled = config.get("compile_config") or {}
    run.model = {
        "model": config["class_name"],
        "saved": about.get("date_saved", "").replace("@", " "),
    }
    for name in ("generator", "discriminator", *(f"generator_{d}" for d in ("ab", "ba"))):
        network = config["config"].get(name)
        if network:
            schema.check(network, run_files.NETWORK, name)
            run.model[name] = str(network["config"].get("name", network["class_name"]))
    run.model |= {
        name: written(value)
        for name, value in compiled.items()
        if value is not None and value != USUAL.get(name)
    }
    run.versions.setdefault("keras", about["keras_version"])


def _protocol(protocol):
    protocol = protocol if isinstance(protocol, dict) else {"protocol": protocol}
    return {name: run_files.text(value) for name, value in protocol.items()}
