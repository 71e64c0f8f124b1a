"""Files that are written whole or not at all: atomic writes, and what is on the disk for good."""

import contextlib
import errno
import os
from pathlib import Path

from kgan.utils.advice import received

try:
    import fcntl
except ImportError:  # Windows: two writers of one file at the same moment are not kept apart
    fcntl = None


@contextlib.contextmanager
def atomic(path):
    """A place to write a file to, which takes the place of `path` once it is whole and on the disk.

    A crash at any moment leaves the older file or the new one. What a killed process left
    unfinished is overwritten by the next that writes the same file. Links are followed; what is not
    a regular file, such as a device, is written to directly. Missing folders are made.

    Args:
        path: of the file.

    Yields:
        The path of an empty file with the same suffix, to be overwritten.

    Raises:
        OSError: it cannot be written, such as on a full disk or without permission; the message
            names the file, and an older one is as it was.
    """
    with _explained(path):
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            yield target
            return
        with _unfinished(target) as unfinished:
            yield unfinished
            sync(unfinished)
            os.replace(unfinished, target)
        sync(target.parent)


def check_place(path):
    """Raises an OSError, as `atomic` would, if a file cannot be written there; writes nothing."""
    with _explained(path), _unfinished(Path(os.path.realpath(path))) as unfinished:
        unfinished.unlink()


def write_text(path, text):
    """Writes a text file in UTF-8, as `atomic`."""
    with atomic(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def append_line(path, line):
    """Adds a line to a text file in UTF-8, whole or not at all; a line cut short is ended first.

    Raises:
        OSError: as `atomic`.
    """
    path = Path(path)
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a+b", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(end - 1, 0))
            start = b"" if file.read(1) in (b"", b"\n") else b"\n"
            text = start + line.encode() + b"\n"
            try:
                if file.write(text) < len(text):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError:
                file.truncate(end)
                raise


def sync(path):
    """Has the system put a file on the disk, or a folder's list of names.

    Without it, a power cut could leave a new name with nothing behind it.
    """
    # Not every system can open a folder, or put it on the disk: it then is as safe as it can be.
    with contextlib.suppress(*[OSError] if os.path.isdir(path) else []):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _explained(path):
    try:
        yield
    except OSError as error:
        message = (
            "The file cannot be written, and an older one is as it was: "
            f"{error.strerror or error}. Received: {received('path', path)}"
        )
        # With its number it becomes a PermissionError and the like.
        number = () if error.errno is None else (error.errno,)
        raise OSError(*number, message) from error


@contextlib.contextmanager
def _unfinished(target):
    """Makes an empty file beside `target` that no other process writes to until it is renamed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    path = target.with_name(f".{target.stem}.unfinished{target.suffix}")
    descriptor = _locked(path)
    try:
        yield path
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _locked(path):
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if fcntl is not None:
            with contextlib.suppress(OSError):  # not every network's disk has locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                os.ftruncate(descriptor, 0)
                return descriptor if fcntl is not None else os.close(descriptor)
        os.close(descriptor)  # while this one waited, the other has renamed it
