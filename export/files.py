"""Names, contents and hashes of the files of a bundle."""

import hashlib
import json
import os
import stat
from pathlib import Path


def is_name(name):
    """Whether a text names a file in the folder itself, and none elsewhere."""
    return Path(name).name == name not in ("", ".", "..") and "\0" not in name


def inside(folder, name):
    """The path of a file or folder of its own in a folder, whose name a report gives.

    Raises:
        ValueError: the name leads elsewhere, or to a link, a device, a pipe or a socket.
    """
    if not is_name(name):
        raise ValueError(f"a file of a bundle is named by itself, without folders: {name!r}")
    path = Path(folder) / name
    kept_out = [each for each in (path, *below(path)) if not _is_plain(each)]
    if kept_out:
        raise ValueError(f"{kept_out[0]} is a link, a device, a pipe or a socket: not looked at")
    return path


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


def read_text(path, most=2**24):
    """The text of a regular file.

    Raises:
        ValueError: it is no regular file, or larger than `most` bytes, or no UTF-8.
        OSError: it cannot be read.
    """
    path = Path(path)
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError(f"{path} is no regular file")
    with open(path, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"{path} is larger than {most} bytes")
    return content.decode("utf-8")


def read_json(path, most=2**24):
    """What a JSON file holds.

    Raises:
        ValueError: as `read_text`, or it is no JSON, has NaN or infinity, or is nested too deep.
        OSError: it cannot be read.
    """

    def refuse(constant):
        raise ValueError(f"{constant} is no JSON")

    try:
        return json.loads(read_text(path, most), parse_constant=refuse)
    except RecursionError:
        raise ValueError(f"{path} is nested too deep") from None


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
