"""kgan: train a GAN with `model.fit` on TensorFlow, JAX or PyTorch, and export it with proof."""

import importlib
import importlib.util

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
    "export",
    "latent",
    "layers",
    "losses",
    "metrics",
    "networks",
    "penalties",
    "schedules",
]

if importlib.util.find_spec("keras"):
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


def __getattr__(name):
    if name == "export":  # on first use; it needs neither Keras nor a backend to run files
        return importlib.import_module("kgan.export")
    if name in __all__:
        raise AttributeError(f"kgan.{name} needs Keras. Run: pip install keras")
    raise AttributeError(f"module 'kgan' has no attribute {name!r}")
