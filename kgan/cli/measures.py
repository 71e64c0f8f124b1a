"""The measures that `--metrics` and `--features` of the command stand for."""

import zipfile
from pathlib import Path

from kgan.cli.console import console

MEASURES = {
    "frechet_distance": "FrechetDistance",
    "kernel_distance": "KernelDistance",
    "precision_recall": "PrecisionRecall",
    "sliced_wasserstein": "SlicedWasserstein",
    "multi_scale_similarity": "MultiScaleSimilarity",
    "duplicate_rate": "DuplicateRate",
    "mode_coverage": "ModeCoverage",
}
FEATURES = (
    "What the measures look at: pixels, inception, classifier (trained on all images and labels of "
    "the data, of a set its training split, and kept for the next time), or a Keras model in a "
    ".keras file."
)


def names(text, features):
    """The measures of `--metrics`, each once.

    Args:
        text: the option.
        features: that of `--features`: "classifier" tells that the data have labels, without which
            "all" has no mode coverage.

    Raises:
        ValueError: for one that there is not.
    """
    chosen = [name.strip() for name in text.split(",")]
    if text == "all":
        chosen = [name for name in MEASURES if name != "mode_coverage" or features == "classifier"]
    unknown = [name for name in chosen if name not in MEASURES]
    if unknown:
        raise ValueError(
            f"--metrics takes {', '.join(MEASURES)}, separated by commas, or all. "
            f"Received: {', '.join(unknown)}"
        )
    return list(dict.fromkeys(chosen))


def metrics(chosen, features, images=None, labels=None):
    """Objects of the chosen measures.

    Args:
        chosen: their names.
        features: the option `--features`.
        images, labels: real ones that a classifier can learn from; None where there are none.

    Raises:
        ValueError: if there are no labels for a classifier, or no such file of features.
    """
    from kgan import metrics

    given = dict.fromkeys(chosen, (_features(features, images, labels),))
    given["multi_scale_similarity"] = ()  # of images alone
    if "mode_coverage" in chosen:
        given["mode_coverage"] = (_classifier(images, labels, "--metrics mode_coverage"),)
    return [getattr(metrics, MEASURES[name])(*given[name]) for name in chosen]


def _features(text, images, labels):
    from kgan.metrics.classifier import features_of
    from kgan.training import serialization

    if text in ("pixels", "inception"):
        return text
    if text == "classifier":
        return features_of(_classifier(images, labels, "--features classifier"))
    if not Path(text).is_file():
        raise ValueError(
            "--features takes pixels, inception, classifier, or the path of a Keras model. "
            f"Received: --features {text}"
        )
    if not zipfile.is_zipfile(text):
        raise ValueError(
            f"This file is damaged, or no model saved by Keras. Received: --features {text}"
        )
    try:
        return serialization.load(text, compile=False)
    except ValueError as error:
        raise ValueError(
            f"This file cannot be loaded as a Keras model. Received: --features {text} ({error})"
        ) from error


def _classifier(images, labels, option):
    """The classifier of the data, for an option that needs it."""
    from kgan.metrics.classifier import kept_classifier

    if labels is None:
        raise ValueError(
            "A classifier learns from labels, which these data do not have: choose pixels, "
            "inception or a model with --features, and other measures than mode_coverage. "
            f"Received: {option}"
        )
    with console.status("Training the classifier, or reading it where it was kept"):
        return kept_classifier(images, labels)
