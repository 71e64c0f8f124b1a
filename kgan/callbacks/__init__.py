"""Callbacks for `fit`."""

from kgan.callbacks.sample_grid import SampleGrid

__all__ = ["SampleGrid"]
