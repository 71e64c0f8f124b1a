"""A hash that an exported file carries of itself, so that damage is found before it is run.

The last bytes of a file are the SHA-256 of all before them, and its metadata says so, so that
neither can be lost alone. What stands before them, so that readers of the format pass over them, is
its `SEAL`. A folder has a list of its files as `sha256sum` writes it.
It finds damage, not forgery. Files of earlier versions of kgan have none.
"""

import hashlib
from pathlib import Path

from kgan.export import files, formats

MARK = {"sealed": "sha256"}
"""What the metadata of a sealed file has."""
KEY = "kgan_sha256"  # of ONNX's metadata
LIST = "kgan.sha256"  # in a folder
DIGITS = 64


def put(path):
    """Seals a file or folder that is otherwise done, if its format has a place for it."""
    path = Path(path)
    if path.is_dir():
        (path / LIST).write_text(_listed(path), encoding="utf-8")
        return
    before = formats.of(path).SEAL
    if not before:
        return
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with open(path, "ab") as file:
        file.write(before + digest.encode())


def check(path):
    """Compares a file or folder with its seal.

    Returns:
        True if it is as it was sealed, False if it has no seal.

    Raises:
        ValueError: it has changed, or is not a regular file.
    """
    path = Path(path)
    files.check_plain(path)
    found = _of_folder(path) if path.is_dir() else _of_file(path)
    if found is None:
        return False
    sealed, now = found
    if sealed != now:
        raise ValueError(
            "it has changed since it was exported: its SHA-256 is not the one it carries. Export "
            "it again, "
            "or use another copy"
        )
    return True


def _of_folder(path):
    sealed = path / LIST
    return (files.read_text(sealed), _listed(path)) if sealed.exists() else None


def _of_file(path):
    before = formats.of(path).SEAL
    length = len(before) + DIGITS
    size = path.stat().st_size - length
    if not before or size < 0:
        return None
    with open(path, "rb") as file:
        file.seek(size)
        end = file.read()
        if not end.startswith(before):
            return None
        file.seek(0)
        return end[len(before) :].decode("latin-1"), _digest(file, size)


def _digest(file, size):
    """The SHA-256 of the first bytes of an open file."""
    digest = hashlib.sha256()
    while size:
        part = file.read(min(size, 2**20))
        digest.update(part)
        size -= len(part)
    return digest.hexdigest()


def _listed(folder):
    members = [each for each in files.members(folder) if each.name != LIST]
    return "".join(
        f"{files.sha256(each)}  {each.relative_to(folder).as_posix()}\n" for each in members
    )
