"""Data to train on: float32 NHWC images in [-1, 1], and points of known mixtures."""

from kgan.data.digits import digits
from kgan.data.folder import folder
from kgan.data.image_domains import image_domains
from kgan.data.image_pairs import image_pairs
from kgan.data.mixtures import Mixture, grid, ring
from kgan.data.stacked import stack, stacked_mnist
from kgan.data.tensorflow_datasets import tfds
from kgan.data.tfds_domains import tfds_domains

__all__ = [
    "Mixture",
    "digits",
    "folder",
    "grid",
    "image_domains",
    "image_pairs",
    "ring",
    "stack",
    "stacked_mnist",
    "tfds",
    "tfds_domains",
]
