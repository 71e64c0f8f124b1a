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
    schedules,
)
from kgan.adversarial import AdversarialModel
from kgan.models import ACGAN, GAN, ConditionalGAN, CycleGAN, Pix2Pix

__version__ = "0.1.0"
__all__ = [
    "ACGAN",
    "GAN",
    "AdversarialModel",
    "ConditionalGAN",
    "CycleGAN",
    "Pix2Pix",
    "augmentations",
    "callbacks",
    "data",
    "latent",
    "layers",
    "losses",
    "metrics",
    "networks",
    "penalties",
    "schedules",
]
