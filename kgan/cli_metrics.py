"""The measures that `--metrics` and `--features` of the command stand for."""

import math
from pathlib import Path

from kgan.cli_shared import console

MEASURES = {
    "frechet_distance": "FrechetDistance",
    "kernel_distance": "KernelDistance",
    "precision_recall": "PrecisionRecall",
    "sliced_wasserstein": "SlicedWasserstein",
    "multi_scale_similarity": "MultiScaleSimilarity",
    "duplicate_rate": "DuplicateRate",
}
FEATURES = (
    "What the measures look at: pixels, inception, classifier (trained on the labels of the data, "
    "and kept for the next time), or a Keras model in a .keras file."
)


def names(text):
    """The measures of `--metrics`, each once.

    Raises:
        ValueError: for one that there is not.
    """
    chosen = list(MEASURES) if text == "all" else [name.strip() for name in text.split(",")]
    unknown = [name for name in chosen if name not in MEASURES]
    if unknown:
        raise ValueError(
            f"--metrics takes {', '.join(MEASURES)}, separated by commas, or all. "
            f"Received: {', '.join(unknown)}"
        )
    return list(dict.fromkeys(chosen))


def check_size(chosen, features, shape):
    """Raises a ValueError if images have too many pixels for a Fréchet distance of them."""
    from kgan.metrics.frechet_distance import MOST_FEATURES

    if features == "pixels" and "frechet_distance" in chosen and math.prod(shape) > MOST_FEATURES:
        others = ",".join(name for name in chosen if name != "frechet_distance")
        raise ValueError(
            f"A Fréchet distance takes at most {MOST_FEATURES} pixels an image: add --features "
            f"inception, or leave it out with --metrics {others or 'kernel_distance'}. "
            f"Received: --features pixels for images {'x'.join(map(str, shape))}"
        )


def metrics(chosen, features):
    """Objects of the chosen measures, which look at features."""
    from kgan import metrics

    return [
        # This one is of images alone.
        getattr(metrics, MEASURES[name])(*(() if name == "multi_scale_similarity" else (features,)))
        for name in chosen
    ]


def features(text, images=None, labels=None):
    """What `--features` stands for.

    Args:
        text: the option.
        images, labels: real ones that a classifier can learn from; None where there are none.

    Raises:
        ValueError: if there are no labels for a classifier, or no such file.
    """
    import keras

    from kgan.metrics import classifier_features

    if text in ("pixels", "inception"):
        return text
    if text == "classifier":
        if labels is None:
            raise ValueError(
                "A classifier learns from labels, which these data do not have: choose pixels, "
                "inception or a model with --features. Received: --features classifier"
            )
        with console.status("Training the classifier, or reading it where it was kept"):
            return classifier_features(images, labels)
    if not Path(text).is_file():
        raise ValueError(
            "--features takes pixels, inception, classifier, or the path of a Keras model. "
            f"Received: --features {text}"
        )
    return keras.saving.load_model(text, compile=False)
