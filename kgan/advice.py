"""Advice in the language of where one is: Python in a program, options in a shell."""

_in_shell = False


def speak_shell():
    """From now on advice is for someone at a shell; the `kgan` command calls this."""
    global _in_shell
    _in_shell = True


def advice(python, shell):
    """Returns the one of two pieces of advice that can be followed where one is."""
    return shell if _in_shell else python
