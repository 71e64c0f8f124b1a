"""Layers that GANs need and Keras does not have."""

from kgan.layers.conditional_batch_normalization import ConditionalBatchNormalization
from kgan.layers.image_pool import ImagePool
from kgan.layers.instance_normalization import InstanceNormalization
from kgan.layers.jitter import jitter
from kgan.layers.labels import LabelPlane, ProjectionLogit
from kgan.layers.minibatch_standard_deviation import MinibatchStandardDeviation
from kgan.layers.reflection_padding import ReflectionPadding2D
from kgan.layers.spectral_normalization import SpectralNormalization

__all__ = [
    "ConditionalBatchNormalization",
    "ImagePool",
    "InstanceNormalization",
    "LabelPlane",
    "MinibatchStandardDeviation",
    "ProjectionLogit",
    "ReflectionPadding2D",
    "SpectralNormalization",
    "jitter",
]
