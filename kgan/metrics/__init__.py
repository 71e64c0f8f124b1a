"""Measures of what a generator makes, as Keras metrics."""

from kgan.metrics.classifier import stacked_classifier, train_classifier
from kgan.metrics.mode_coverage import ModeCoverage

__all__ = ["ModeCoverage", "stacked_classifier", "train_classifier"]
