"""Layers that GANs need and Keras does not have."""

from kgan.layers.minibatch_standard_deviation import MinibatchStandardDeviation
from kgan.layers.spectral_normalization import SpectralNormalization

__all__ = ["MinibatchStandardDeviation", "SpectralNormalization"]
