"""Imports of packages that only some uses need."""

import importlib


def require(module, extra, purpose):
    """Returns the module, or says how to install it.

    Args:
        module: its import name.
        extra: the extra of kgan that brings it.
        purpose: what needs it, the beginning of the message.

    Raises:
        ImportError: with the pip command, if the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f'{purpose} needs {module}. Install it with: pip install "kgan[{extra}]". '
            f"Received: {error}"
        ) from error


class Later:
    """A module that is imported when something of it is first wanted.

    Args:
        module: its import name.
    """

    def __init__(self, module):
        self._module = module

    def __getattr__(self, name):
        return getattr(importlib.import_module(self._module), name)
