"""Zip archives that others may have written: bounded before anything of them is unpacked."""

import hashlib
import zipfile
import zlib
from contextlib import contextmanager

from kgan.export import files

MEMBERS = 10_000
# Keras and NumPy store weights as they are; beyond this an archive must not be mostly air.
ALLOWANCE, EXPANSION = 2**26, 16
ENCRYPTED = 0x1
DAMAGE = (
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a damaged archive raises, by the place of the damage."""


@contextmanager
def opened(path, most=None):
    """A zip archive in a regular file, whose members together are not too large.

    Args:
        path: the file.
        most: bytes that it may unpack to. Default: 16 times its own, or 64 MB more than its own.

    Raises:
        ValueError: it is not a regular file or not a zip archive, is encrypted or damaged, or
            unpacks to more.
    """
    files.check_regular(path)
    try:
        with zipfile.ZipFile(path) as archive:
            size = files.size(path)
            _check(archive, max(size * EXPANSION, size + ALLOWANCE) if most is None else most)
            yield archive
    except DAMAGE as error:
        if isinstance(error, ValueError) and str(error).startswith(str(path)):
            raise
        raise ValueError(f"{path} is damaged: {type(error).__name__}: {error}") from error


def check(path):
    """Reads all of an archive once: a ValueError names what is damaged, or too large unpacked."""
    with opened(path) as archive:
        damaged = archive.testzip()
        if damaged is not None:
            raise ValueError(f"its part {damaged!r} is damaged")


def read(archive, name, most):
    """The bytes of a member of an open archive; a ValueError if it is missing or larger."""
    if name not in archive.namelist():
        raise ValueError(f"it has no {name}")
    with archive.open(name) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"its {name} is larger than {most} bytes")
    return content


def sha256(archive, name):
    """The SHA-256 of a member of an open archive, as hexadecimal text."""
    with archive.open(name) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(archive, most):
    members = archive.infolist()
    if len(members) > MEMBERS or sum(member.file_size for member in members) > most:
        raise ValueError(f"it unpacks to more than {most} bytes or {MEMBERS} files")
    if any(member.flag_bits & ENCRYPTED for member in members):
        raise ValueError("it is encrypted")
    names = [member.filename for member in members]
    if len(set(names)) < len(names):
        raise ValueError("it has a file twice")
