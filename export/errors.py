"""The errors of an export."""


class ExportError(RuntimeError):
    """An export failed. Files that were not proven do not appear, and older files are unchanged.

    Attributes:
        report: `ExportReport` of what was tried; None before anything was converted.
    """

    report = None


class PreflightError(ExportError):
    """The model cannot be exported as it is. Raised before conversion, with the fix."""


class ParityError(ExportError):
    """An artefact does not compute what the Keras model computes. The message has the figures."""


class VerificationError(ExportError):
    """An exported file is missing, changed, or no longer reproduces its stored outputs."""
