"""Advice in the language of where one is: Python in a program, options in a shell."""

import contextlib

_in_shell = False


@contextlib.contextmanager
def speaking_shell():
    """A context in which advice is for someone at a shell: what the `kgan` command does in it."""
    global _in_shell
    before, _in_shell = _in_shell, True
    try:
        yield
    finally:
        _in_shell = before


def advice(python, shell):
    """Returns the one of two pieces of advice that can be followed where one is."""
    return shell if _in_shell else python


def received(name, path):
    """Returns a path as a message ends with it: a program gave an argument, a shell the path."""
    return advice(f"{name}={str(path)!r}", str(path))
