"""Which formats exist, and what a path, `formats=` and `precision=` ask for.

A format is one module. It has:
    NAME, TITLE                 what it is called, in options and in sentences
    SUFFIX                      how its files end; empty for a format of folders
    MARKER, is_own(path)        of a format of folders: the file by which one is known, and whether
                                one may be replaced
    SEAL                        of a format of files: the bytes before the hash at a file's end,
                                so that its readers pass over it (`untrusted/seal.py`); b"" for none
    PACKAGES                    what it needs installed, last what runs its files
    PRECISIONS                  which of `PRECISIONS` it can be written in
    LACKING                     names of Keras's layers and operations that it cannot express
    EXAMPLES                    code for the model card: by language, a function of an `Artefact`
    convert(model, spec, path, precision, options, metadata)    writes it; runs in the child process
    load(path, threads)         a runner: `.inputs`, `.outputs`, `.metadata`, `.batch_size`, and a
                                call from a dictionary of NumPy arrays to another
A new format is a new module and one more name in `MODULES`.
"""

import importlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from kgan.export.errors import ExportError
from kgan.utils.advice import received

MODULES = {
    "saved_model": "kgan.export.formats.saved_model",
    "tflite": "kgan.export.formats.tflite",
    "onnx": "kgan.export.formats.onnx",
}
# int8_io also takes and gives int8; the others take and give float32.
PRECISIONS = ("float32", "float16", "dynamic_range", "int8", "int8_io")


@dataclass(frozen=True)
class Plan:
    """One artefact to make: its format, its precision and the place it goes to."""

    format: ModuleType
    precision: str
    path: Path
    bundle: bool = False

    def check_place(self):
        """Raises ExportError when something is at the path that must not be replaced."""
        around = of_folder(self.path.parent)
        if around:
            raise ExportError(
                f"Cannot write there: the folder is a {around.TITLE}, which another file would "
                f"change. Choose another folder. Received: {received('path', self.path)}"
            )
        taken = self.path.is_dir() if self.format.SUFFIX else self.path.exists()
        if taken and (self.format.SUFFIX or not self.format.is_own(self.path)):
            kind = "folder" if self.path.is_dir() else "file"
            raise ExportError(
                f"Cannot write there: there is a {kind} of that name, which is not an export or "
                "holds other files too; move it or choose another name. "
                f"Received: {received('path', self.path)}"
            )


def get(name):
    """The module of a format. Raises ValueError for an unknown name."""
    if name not in MODULES:
        raise ValueError(f"Unknown format. Known formats: {_known()}. Received: format={name!r}")
    return importlib.import_module(MODULES[name])


def modules():
    """The modules of all formats."""
    return [get(name) for name in MODULES]


def of(path):
    """The module of the format that an exported file or folder has. Raises ValueError."""
    module = _of(path)
    if module:
        return module
    raise ValueError(
        f"Not an exported file. Known formats: {_known()}; for a bundle, name one of its files. "
        f"Received: {received('path', Path(path))}"
    )


def of_folder(path):
    """The module of the format that an exported folder has, None for another path."""
    folders = (module for module in modules() if not module.SUFFIX)
    return next((module for module in folders if (Path(path) / module.MARKER).is_file()), None)


def is_exported(path):
    """Whether a path is named as an exported file is, or is an exported folder."""
    return _of(path) is not None


def _of(path):
    suffix = Path(path).suffix.lower()
    files = (module for module in modules() if module.SUFFIX == suffix != "")
    return of_folder(path) or next(files, None)


def plan(path, formats=None, precision="float32", name="model"):
    """The artefacts that a path, formats and precisions ask for.

    Args:
        path: a file whose suffix is that of a format; without suffix a SavedModel folder, or with
            `formats` a folder for a bundle.
        formats: names of formats for a bundle; for a file None, or the one its suffix says.
        precision: one of `PRECISIONS`, or for a bundle several.
        name: what the file names in a bundle begin with.

    Returns:
        A list of `Plan`, the precisions that convert most safely first. A format that does not
        have one of several precisions is left out for it.

    Raises:
        ValueError: an unknown suffix, format or precision, or some that do not go together.
    """
    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
        raise ValueError(f"path must be a file or folder to write. Received: {path=!r}")
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w .+-]*", name):
        raise ValueError(
            "name is what file names begin with: letters, digits, '_', '-', '.', '+' and spaces. "
            f"Received: {name=!r}"
        )
    given, path = path, Path(path)
    chosen = [get(each) for each in dict.fromkeys(_several(formats))]
    if formats is not None and not chosen:
        raise ValueError(f"No format is asked for. Known formats: {_known()}. Received: {formats=}")
    wanted = precisions(precision)
    suffix = path.suffix.lower()
    if suffix or not chosen:
        module = next((each for each in modules() if suffix == each.SUFFIX), None)
        if module is None:
            raise ValueError(f"Unknown suffix. Known formats: {_known()}. Received: path={given!r}")
        if chosen and chosen != [module]:
            raise ValueError(
                f"The suffix means '{module.NAME}' but formats= for something else; for several "
                f"formats give a folder name without suffix. Received: path={given!r}, "
                f"formats={formats!r}"
            )
        if len(wanted) > 1:
            raise ValueError(
                "Several precisions make several files: give a folder name without suffix and "
                f"formats=. Received: path={given!r}, precision={precision!r}"
            )
        plans = [Plan(module, each, path) for each in wanted if each in module.PRECISIONS]
    else:
        plans = [
            Plan(module, each, path / _filename(name, each, module), bundle=True)
            for each in wanted
            for module in chosen
            if each in module.PRECISIONS
        ]
    asked = chosen or [module]
    missing = set(wanted) - {plan.precision for plan in plans}
    missing |= {each.NAME for each in asked} - {plan.format.NAME for plan in plans}
    if missing:
        known = "; ".join(f"{each.NAME}: {', '.join(each.PRECISIONS)}" for each in asked)
        raise ValueError(
            f"No file would be {', '.join(sorted(missing))}. The precisions are {known}. "
            f"Received: {precision=!r}, {formats=!r}"
        )
    return plans


def precisions(precision):
    """The names in `precision`, the safest to convert first. Raises ValueError for others."""
    names = _several(precision)
    if not names or set(names) - set(PRECISIONS):
        raise ValueError(
            f"precision is one or several of {', '.join(PRECISIONS)}. Received: {precision=!r}"
        )
    return sorted(set(names), key=PRECISIONS.index)


def _several(names):
    known = names is None or isinstance(names, (str, list, tuple))
    names = (names,) if isinstance(names, str) else tuple(names or ()) if known else (names,)
    if not all(isinstance(name, str) for name in names):
        raise ValueError(
            f"Formats and precisions are named by text, one or several. Received: {names!r}"
        )
    return names


def _filename(name, precision, module):
    stem = name if precision == "float32" else f"{name}_{precision}"
    return stem + (module.SUFFIX or f"_{module.NAME}")


def _known():
    return ", ".join(f"{each.NAME} ({each.SUFFIX or 'a folder'})" for each in modules())
