"""Ship a Keras model with proof: export it, compare it with Keras, verify it later.

It works on any Keras model with tensors in and out, not only on GANs. `load` and `verify`
need neither Keras nor TensorFlow.
"""

from kgan.export.compare.verification import verify
from kgan.export.errors import ExportError, ParityError, PreflightError, VerificationError
from kgan.export.pipeline import check, export
from kgan.export.preparation import Check
from kgan.export.report import Artefact, ExportReport
from kgan.export.runtime import Runtime, load
from kgan.export.signature import ModelSpec, TensorSpec

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
