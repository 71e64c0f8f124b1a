"""kgan: train a GAN with `model.fit` on TensorFlow, JAX or PyTorch, and export it with proof."""

import importlib
import sys
from pathlib import Path

__version__ = "0.1.0"
__all__ = [
    "ACGAN",
    "GAN",
    "VAE",
    "AdversarialModel",
    "ConditionalGAN",
    "CycleGAN",
    "Given",
    "Label",
    "Latent",
    "Pix2Pix",
    "augmentations",
    "callbacks",
    "data",
    "export",
    "latent",
    "layers",
    "likelihoods",
    "losses",
    "metrics",
    "networks",
    "penalties",
    "schedules",
]

_HOMES = {
    "ACGAN": "models",
    "GAN": "models",
    "VAE": "models",
    "AdversarialModel": "models",
    "ConditionalGAN": "models",
    "CycleGAN": "models",
    "Given": "generation.inputs",
    "Label": "generation.inputs",
    "Latent": "generation.inputs",
    "Pix2Pix": "models",
}
_missing = None


def _load():
    """Imports all but `kgan.export`, and tells Keras of what it may find in a saved model."""
    global _missing
    try:
        for name in __all__:
            if name != "export":
                module = importlib.import_module(f"kgan.{_HOMES.get(name, name)}")
                globals()[name] = getattr(module, name) if name in _HOMES else module
    except ModuleNotFoundError as error:
        # Without Keras, or without its backend, kgan.export still runs files.
        _missing = (error.name or "").partition(".")[0]
        if _missing not in ("keras", "tensorflow", "jax", "torch"):
            raise


def __getattr__(name):
    if name == "export":  # on first use; it needs neither Keras nor a backend to run files
        return importlib.import_module("kgan.export")
    if f"kgan.{name}" in sys.modules:  # asked for by its own parts, in the middle of its import
        return sys.modules[f"kgan.{name}"]
    if "keras" in sys.modules and name in __all__ and name not in _HOMES:
        return importlib.import_module(f"kgan.{name}")  # a part of what is being imported
    if name in __all__ and _missing is None:
        _load()
        if name in globals():
            return globals()[name]
    if name in __all__:
        raise AttributeError(
            f"kgan.{name} needs Keras and the backend that KERAS_BACKEND names (default: "
            f"tensorflow). Run: pip install {_missing}"
        )
    raise AttributeError(f"module 'kgan' has no attribute {name!r}")


def _started_as_command():
    """Whether this is the `kgan` command, which needs Keras for no more than some of its verbs."""
    return Path(sys.argv[0] if sys.argv else "").name in ("kgan", "kgan.exe", "-m")


if "keras" in sys.modules or not _started_as_command():
    _load()
