"""Data to train on: float32 NHWC images in [-1, 1]."""

from kgan.data.digits import digits
from kgan.data.folder import folder
from kgan.data.tensorflow_datasets import tfds

__all__ = ["digits", "folder", "tfds"]
