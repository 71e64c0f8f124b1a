"""The errors an export can end in, so that a caller can tell them apart."""


class ExportError(RuntimeError):
    """An export did not happen. What is not proven is not there, older files are untouched.

    Attributes:
        report: `ExportReport` of what was tried; None before anything was converted.
    """

    report = None


class PreflightError(ExportError):
    """The model cannot be exported as it is; said before any conversion, with the fix."""


class ParityError(ExportError):
    """An artefact does not compute what the Keras model computes. The message has the figures."""


class VerificationError(ExportError):
    """An exported file is missing, changed, or no longer reproduces its stored outputs."""
