"""Names, contents and hashes of the files of a bundle."""

import hashlib
import os
import stat
from pathlib import Path

from kgan.export.untrusted import schema


def is_name(name):
    """Whether a text names a file in the folder itself, in characters that can be shown."""
    plain = name.isprintable() and len(name.encode()) < 256  # as long as file systems have them
    return plain and Path(name).name == name not in ("", ".", "..")


def inside(folder, name):
    """The path of a file or folder of its own in a folder, whose name a report gives.

    Raises:
        ValueError: the name leads elsewhere, or to a link, a device, a pipe or a socket.
    """
    if not is_name(name):
        raise ValueError(f"a file of a bundle is named by itself, without folders: {name!r}")
    path = Path(folder) / name
    if not _is_plain(path):
        raise ValueError(f"{path} is a link, a device, a pipe or a socket: not read")
    if path.exists():
        check_plain(path)
    return path


def check_plain(path):
    """Raises a ValueError unless it is a regular file, or a folder of such and of folders."""
    path = Path(path)
    if not path.is_dir():
        check_regular(path)
    for each in below(path):
        if not _is_plain(each):
            raise ValueError(f"{each} is a link, a device, a pipe or a socket: not read")


def below(path):
    """All that is in a folder, links not followed."""
    if path.is_dir() and not path.is_symlink():
        for root, folders, names in os.walk(path):
            yield from (Path(root) / name for name in (*folders, *names))


def _is_plain(path):
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return True  # which is another error
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)


def check_regular(path, folder=None):
    """Raises a ValueError for what is not a regular file, and may never end or act when read.

    Args:
        path: of the file.
        folder: where it must lie, links followed. Default: anywhere.
    """
    path = Path(path)
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from error
    if not regular:
        raise ValueError(f"{path} is a folder, a device, a pipe or a socket: not read")
    if folder is not None and not path.resolve().is_relative_to(Path(folder).resolve()):
        raise ValueError(f"{path} is a link out of its folder: not read")


def read_text(path, most=2**22, folder=None):
    """The text of a regular file.

    Args:
        path: of the file.
        most: bytes that it may have.
        folder: where it must lie, see `check_regular`.

    Raises:
        ValueError: it is not a regular file there, is larger, or is not UTF-8.
        OSError: it cannot be read.
    """
    check_regular(path, folder)
    with open(path, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{path} is larger than {most} bytes")
    return content.decode("utf-8")


def read_json(path, most=2**22, folder=None):
    """What a JSON file holds: as `read_text` and `schema.parse`."""
    return schema.parse(read_text(path, most, folder))


def sha256(path):
    """The SHA-256 of a file, or of a folder's file names and contents, as hexadecimal text."""
    path = Path(path)
    if path.is_dir():
        digest = hashlib.sha256()
        for file in members(path):
            digest.update(f"{file.relative_to(path).as_posix()} {sha256(file)}\n".encode())
        return digest.hexdigest()
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def size(path):
    """The bytes of a file, or of all files of a folder."""
    return sum(file.stat().st_size for file in members(path))


def members(path):
    """The file itself, or all files of a folder in a fixed order."""
    path = Path(path)
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
