"""Callbacks for `fit`."""

from kgan.callbacks.monitor.collapse_monitor import CollapseMonitor
from kgan.callbacks.progress import ProgressBar
from kgan.callbacks.sample_grid import SampleGrid
from kgan.callbacks.terminate_on_nan import TerminateOnNaN
from kgan.callbacks.translation_grid import TranslationGrid

__all__ = ["CollapseMonitor", "ProgressBar", "SampleGrid", "TerminateOnNaN", "TranslationGrid"]
