"""kgan: train a GAN with `model.fit` on TensorFlow, JAX or PyTorch, and export it with proof."""

from kgan import (
    augmentations,
    callbacks,
    data,
    latent,
    layers,
    losses,
    metrics,
    networks,
    penalties,
)
from kgan.adversarial import AdversarialModel
from kgan.models import ACGAN, GAN, ConditionalGAN

__version__ = "0.1.0"
__all__ = [
    "ACGAN",
    "GAN",
    "AdversarialModel",
    "ConditionalGAN",
    "augmentations",
    "callbacks",
    "data",
    "latent",
    "layers",
    "losses",
    "metrics",
    "networks",
    "penalties",
]
