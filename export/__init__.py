"""Ship a Keras model with proof: export it, compare it with Keras, verify it later.

Works on any Keras model with tensors in and out, and knows nothing of GANs. `load` and `verify`
need neither Keras nor TensorFlow.
"""

from kgan.export.errors import ExportError, ParityError, PreflightError, VerificationError
from kgan.export.job import Check
from kgan.export.report import Artefact, ExportReport
from kgan.export.road import check, export
from kgan.export.runtime import Runtime, load
from kgan.export.spec import ModelSpec, TensorSpec
from kgan.export.verification import verify

__all__ = [
    "Artefact",
    "Check",
    "ExportError",
    "ExportReport",
    "ModelSpec",
    "ParityError",
    "PreflightError",
    "Runtime",
    "TensorSpec",
    "VerificationError",
    "check",
    "export",
    "load",
    "verify",
]
