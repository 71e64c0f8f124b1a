"""Callbacks for `fit`."""

from kgan.callbacks.progress import ProgressBar
from kgan.callbacks.sample_grid import SampleGrid

__all__ = ["ProgressBar", "SampleGrid"]
