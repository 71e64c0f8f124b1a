"""Ship a Keras model with proof: export it, compare it with Keras, verify it later.

Works on any Keras model with tensors in and out, and knows nothing of GANs.
"""

from kgan.export.errors import ExportError, ParityError, PreflightError, VerificationError
from kgan.export.report import Artefact, ExportReport
from kgan.export.road import export
from kgan.export.spec import ModelSpec, TensorSpec
from kgan.export.verification import verify

__all__ = [
    "Artefact",
    "ExportError",
    "ExportReport",
    "ModelSpec",
    "ParityError",
    "PreflightError",
    "TensorSpec",
    "VerificationError",
    "export",
    "verify",
]
