"""Scores with their protocols."""

import json
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras

from kgan.utils import files
from kgan.utils.paths import check_path

WEIGHTS = "model.weights.h5"  # in a .keras file


def report(
    metrics: keras.metrics.Metric | Iterable[keras.metrics.Metric],
    path: str | os.PathLike | None = None,
    **context: Any,
) -> dict:
    """Returns the scores of metrics with their protocols, and writes them as JSON.

    A value means little without its protocol: published scores of the same method differ by more
    than a factor of 2 with the features, the number of images and the reference.

    Args:
        metrics: measures of `kgan.metrics` that have seen their images; the protocol of
            other Keras metrics is only their class.
        path: a file to write the scores to, as JSON. Default: none.
        **context: further entries of all protocols, such as `reference="test split"`.

    Returns:
        A dictionary for each score, by name: `value`, a float, and `protocol`, a JSON-able
        dictionary.

    Raises:
        ValueError: if two scores have the same name, or a metric has seen too few images.

    Example:

    ```python
    distance = kgan.metrics.FrechetDistance()
    distance.update_state(test_images, gan.generate(len(test_images), seed=0))
    kgan.metrics.report([distance], "scores.json", reference="MNIST, test split")
    ```
    """
    from kgan import __version__

    if path is not None:
        check_path("path", path)
    several = metrics if isinstance(metrics, (list, tuple)) else [metrics]
    for metric in several:
        if not isinstance(metric, keras.metrics.Metric):
            raise ValueError(
                "metrics must be measures such as kgan.metrics.FrechetDistance(). "
                f"Received: {metric!r}"
            )
    versions = {"kgan": __version__, "keras": keras.__version__}
    scores = {}
    for metric in several:
        own = getattr(metric, "protocol", None) or {"measure": type(metric).__name__}
        protocol = {**own, **context, **versions, "backend": keras.backend.backend()}
        for name, value in values(metric).items():
            if name in scores:
                raise ValueError(
                    "Each score needs a name of its own: pass name= to one of the two metrics. "
                    f"Received: two scores {name!r}"
                )
            scores[name] = {"value": value, "protocol": protocol}
    if path is not None:
        write(scores, path)
    return scores


def file_hash(path):
    """Returns the first 12 digits of the SHA-256 of a file, or of all that is in a folder.

    Of a saved model it is that of the weights: the rest tells when it was saved, too.

    Raises:
        ValueError: if a saved model is damaged.
    """
    from kgan.export import files
    from kgan.export.untrusted import archives

    if Path(path).suffix == ".keras":
        with archives.opened(path) as archive:
            return archives.sha256(archive, WEIGHTS)[:12]
    return files.sha256(path)[:12]


def write(scores, path):
    """Writes what `report` returned, or `gan.scores`, as JSON; the folder is made if needed."""
    # JSON has no NaN: a score that is none is null.
    known = {
        name: {**score, "value": score["value"] if math.isfinite(score["value"]) else None}
        for name, score in scores.items()
    }
    text = json.dumps(known, indent=2, ensure_ascii=False, allow_nan=False)
    files.write_text(path, text + "\n")


def in_common(protocols):
    """Returns what several protocols have in common, a dictionary; of one alone nothing."""
    first, *others = protocols
    return {
        name: value
        for name, value in first.items()
        if others and all(name in other and other[name] == value for other in others)
    }


def values(metric):
    """Returns the scores of a Keras metric, floats by name."""
    result = metric.result()
    result = result if isinstance(result, dict) else {metric.name: result}
    return {name: float(value) for name, value in result.items()}
