"""Data to train on: float32 NHWC images in [-1, 1], and points of known mixtures."""

from kgan.data.digits import digits
from kgan.data.folder import folder
from kgan.data.mixtures import Mixture, grid, ring
from kgan.data.stacked import stack, stacked_mnist
from kgan.data.tensorflow_datasets import tfds

__all__ = ["Mixture", "digits", "folder", "grid", "ring", "stack", "stacked_mnist", "tfds"]
