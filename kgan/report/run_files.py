"""The files of a run, each read by its schema: whoever wrote them, what comes out is of known form.

All raise a ValueError for a file that is damaged or of another form, is larger than such files are,
or is not a regular file in its folder: a link out of it, a device or a pipe.
"""

import csv
import math

from kgan.export import files
from kgan.export.untrusted import archives, schema

SETTINGS = "settings.json"
MOST_EPOCHS, MOST_COLUMNS = 10**7, 1000
LONG, LONGEST = 2**25, 2**27  # bytes, of a configuration and of a log
_NUMBER = (int, float, type(None))
_SETTINGS = {"versions?": {...: str}, ...: object}
_SCORE = {"name": str, "value": _NUMBER, "protocol?": (str, dict), ...: object}


def _epoch(value):
    if type(value) is not int or not 0 <= value < MOST_EPOCHS:
        raise ValueError(f"the number of an epoch is needed, not {schema.shown(value)}")


_WARNING = {"epoch": _epoch, "rule": str, "text": str, "remedies?": str, ...: object}
NETWORK = {"class_name": str, "config": {...: object}, ...: object}
_MODEL = NETWORK | {"compile_config?": (dict, type(None))}
_ABOUT = {"keras_version": str, "date_saved?": str, ...: object}


def settings(file):
    """The settings of `settings.json`: values of JSON by name, and the versions, text by name."""
    content = files.read_json(file, folder=file.parent)
    schema.check(content, _SETTINGS, "the settings")
    versions = content.pop("versions", {})
    return {name: value for name, value in content.items() if value is not None}, versions


def scores(file):
    """The scores of a `scores*.json`: list of dictionaries with `name`, `value`, `protocol`."""
    content = files.read_json(file, folder=file.parent)
    if isinstance(content, dict) and isinstance(content.get("scores"), (dict, list)):
        content = content["scores"]
    if isinstance(content, dict):
        schema.check(content, {...: {...: object}}, "the scores")
        content = [{**score, "name": name} for name, score in content.items()]
    schema.check(content, [_SCORE], "the scores")
    return [
        {
            "name": score["name"],
            "value": math.nan if score["value"] is None else float(score["value"]),
            "protocol": score.get("protocol", ""),
        }
        for score in content
    ]


def warnings(file):
    """The warnings of `warnings.jsonl`, and how many of its lines are damaged."""
    found, damaged = [], 0
    *lines, _ = files.read_text(file, LONGEST, file.parent).split("\n")  # of a run that was killed
    for line in lines:
        try:
            entry = schema.parse(line)
            schema.check(entry, _WARNING, "a warning")
            found.append(entry)
        except ValueError:
            damaged += 1
    return found, damaged


def log(file):
    """The epochs of `log.csv`, its columns of floats by name, and whether its end was cut off."""
    *lines, rest = files.read_text(file, LONGEST, file.parent).splitlines(keepends=True) or [""]
    if rest.endswith("\n"):
        lines.append(rest)
    try:
        # A run that was killed before its checkpoint and went on has written an epoch twice.
        rows = list({int(row["epoch"]): row for row in csv.DictReader(lines)}.values())
        epochs = [int(row["epoch"]) for row in rows]
        names = [name for name in (rows[0] if rows else ()) if name and name != "epoch"]
        columns = {name: [_number(row[name]) for row in rows] for name in names}
    except (KeyError, TypeError, csv.Error) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    for epoch in epochs:
        _epoch(epoch)
    if len(names) > MOST_COLUMNS:
        raise ValueError(f"more than {MOST_COLUMNS} columns")
    # Keras makes a column of validation for each name, also where there is none.
    empty = {name for name in names if all(row[name] in ("NA", "", None) for row in rows)}
    kept = {name: values for name, values in columns.items() if name not in empty}
    return [epoch + 1 for epoch in epochs], kept, bool(rest) and not rest.endswith("\n")


def saved_model(file):
    """The configuration of a `.keras` file, and what it says of when and how it was saved."""
    files.check_regular(file, file.parent)
    with archives.opened(file) as archive:
        config = schema.parse(archives.read(archive, "config.json", LONG), constants=True)
        about = schema.parse(archives.read(archive, "metadata.json", LONG))
    schema.check(config, _MODEL, "the model")
    schema.check(about, _ABOUT, "the metadata")
    return config, about


def text(value):
    """A value of JSON, as one would write it."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {text(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(text, value))
    return str(value)


def _number(text):
    return math.nan if text in ("NA", "", None) else float(text)
