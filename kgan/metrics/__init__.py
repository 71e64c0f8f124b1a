"""Measures of generated images, as Keras metrics."""

from kgan.metrics.classifier import classifier_features, stacked_classifier, train_classifier
from kgan.metrics.duplicate_rate import DuplicateRate
from kgan.metrics.frechet_distance import FrechetDistance
from kgan.metrics.image_metric import ImageMetric
from kgan.metrics.kernel_distance import KernelDistance
from kgan.metrics.mode_coverage import ModeCoverage
from kgan.metrics.multi_scale_similarity import MultiScaleSimilarity
from kgan.metrics.precision_recall import PrecisionRecall
from kgan.metrics.protocol import report
from kgan.metrics.sliced_wasserstein import SlicedWasserstein

__all__ = [
    "DuplicateRate",
    "FrechetDistance",
    "ImageMetric",
    "KernelDistance",
    "ModeCoverage",
    "MultiScaleSimilarity",
    "PrecisionRecall",
    "SlicedWasserstein",
    "classifier_features",
    "report",
    "stacked_classifier",
    "train_classifier",
]
