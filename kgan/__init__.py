"""kgan: train a GAN with `model.fit` on TensorFlow, JAX or PyTorch, and export it with proof."""

import importlib

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

_missing = None
try:
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
except ModuleNotFoundError as error:
    # Without Keras, or without its backend, kgan.export still runs files.
    _missing = (error.name or "").partition(".")[0]
    if _missing not in ("keras", "tensorflow", "jax", "torch"):
        raise


def __getattr__(name):
    if name == "export":  # on first use; it needs neither Keras nor a backend to run files
        return importlib.import_module("kgan.export")
    if name in __all__:
        raise AttributeError(
            f"kgan.{name} needs Keras and the backend that KERAS_BACKEND names (default: "
            f"tensorflow). Run: pip install {_missing}"
        )
    raise AttributeError(f"module 'kgan' has no attribute {name!r}")
