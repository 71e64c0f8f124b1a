"""The measures that `--metrics` and `--features` of the command stand for."""

import zipfile
from pathlib import Path

from kgan.cli.console import console

# Each is the `option` of a class in kgan.metrics. They stand here, too, because the help of kgan
# evaluate names them before Keras is loaded, in this order; tests/quick/test_measures.py fails if
# one is missing.
MEASURES = (
    "frechet_distance",
    "kernel_distance",
    "precision_recall",
    "sliced_wasserstein",
    "multi_scale_similarity",
    "duplicate_rate",
    "mode_coverage",
)
FEATURES = (
    "What the measures look at: pixels, inception, classifier (trained on all images and labels of "
    "the data, of a set its training split, and kept for the next time), or a Keras model in a "
    ".keras file."
)


def classes():
    """The classes of the measures by name, in the order of `MEASURES`."""
    from kgan import metrics

    public = [getattr(metrics, name) for name in metrics.__all__]
    known = {getattr(each, "option", None): each for each in public}
    return {name: known[name] for name in MEASURES}


def names(text, features):
    """The measures of `--metrics`, each once.

    Args:
        text: the option.
        features: that of `--features`: "classifier" tells that the data have labels, without which
            "all" has no measures that need a classifier.

    Raises:
        ValueError: for one that there is not.
    """
    chosen = [name.strip() for name in text.split(",")]
    if text == "all":
        chosen = [
            name
            for name, measure in classes().items()
            if measure.takes != "classifier" or features == "classifier"
        ]
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
    known = classes()
    given = {"features": (_features(features, images, labels),), None: ()}
    classifying = [name for name in chosen if known[name].takes == "classifier"]
    if classifying:
        option = f"--metrics {classifying[0]}"
        given["classifier"] = (_classifier(images, labels, option),)
    return [known[name](*given[known[name].takes]) for name in chosen]


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
