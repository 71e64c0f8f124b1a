"""Which formats exist, and what a path and `formats=` ask for.

A format is one module. It has:
    NAME, SUFFIX, PACKAGES      what it is called, how its files end, what it needs installed
    filename(precision)         the name of its file in a bundle
    convert(model, spec, path, options, metadata)   writes the file; runs in the child process
    load(path)                  a `Runner`: `.inputs`, `.outputs`, and a call with NumPy arrays
A new format is a new module and one more name in `MODULES`.
"""

import importlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

MODULES = {"onnx": "kgan.export.onnx"}


@dataclass(frozen=True)
class Plan:
    """One artefact to make: its format, its precision and the place it goes to."""

    format: ModuleType
    precision: str
    path: Path


def get(name):
    """The module of a format. Raises ValueError for an unknown name."""
    if name not in MODULES:
        raise ValueError(f"Unknown format. Known formats: {_known()}. Received: format={name!r}")
    return importlib.import_module(MODULES[name])


def plan(path, formats=None):
    """The artefacts that `path` and `formats` ask for.

    Args:
        path: a file whose suffix is that of a format, or a folder (no suffix) for a bundle.
        formats: names of formats for a bundle; for a file None, or the one its suffix says.

    Returns:
        A list of `Plan`.

    Raises:
        ValueError: unknown suffix or format, or the two disagree.
    """
    given, path = path, Path(path)
    names = (formats,) if isinstance(formats, str) else tuple(formats or ())
    chosen = [get(name) for name in dict.fromkeys(names)]
    if not path.suffix:
        if not chosen:
            raise ValueError(
                "The path has no suffix to choose a format by; give it one, or pass formats= for "
                f"a bundle folder. Known formats: {_known()}. Received: path={given!r}"
            )
        return [Plan(each, "float32", path / each.filename("float32")) for each in chosen]
    by_suffix = {get(name).SUFFIX: get(name) for name in MODULES}
    if path.suffix not in by_suffix:
        raise ValueError(f"Unknown suffix. Known formats: {_known()}. Received: path={given!r}")
    suffixed = by_suffix[path.suffix]
    if chosen and chosen != [suffixed]:
        raise ValueError(
            f"The suffix asks for '{suffixed.NAME}' but formats= for something else; for several "
            f"formats give a folder name without suffix. Received: path={given!r}, "
            f"formats={formats!r}"
        )
    return [Plan(suffixed, "float32", path)]


def _known():
    return ", ".join(f"{name} ({get(name).SUFFIX})" for name in MODULES)
