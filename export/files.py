"""Files that appear whole or not at all: staging beside the target, a lock, hashes."""

import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from kgan.export.errors import ExportError

try:
    import fcntl
except ImportError:  # Windows: exports into one folder at the same moment are not serialised
    fcntl = None


_PREFIX = ".kgan-export-"


@contextlib.contextmanager
def staging(target):
    """A temporary folder beside `target`, on the same disk, so that a move into place is atomic.

    Making it also proves, before any work, that the place can be written to. It is removed at the
    end, and so are folders that had to be made for it if they are still empty.

    Raises:
        ExportError: nothing can be written there, or the disk is full.
    """
    target = Path(target)
    made = [folder for folder in (target.parent, *target.parent.parents) if not folder.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(target.parent):
            _remove_abandoned(target.parent)
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=target.parent))
            alive = _lock(folder)
    except OSError as error:
        raise ExportError(f"Cannot write there: {error}. Received: path={str(target)!r}") from error
    try:
        yield folder
    except OSError as error:
        raise ExportError(f"Cannot write there: {error}. Received: path={str(target)!r}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if alive is not None:
            os.close(alive)
        for empty in made:
            with contextlib.suppress(OSError):
                empty.rmdir()


@contextlib.contextmanager
def locked(folder):
    """Lets one process at a time change the files and the report of `folder`."""
    descriptor = _lock(folder)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _lock(folder, wait=True):
    """Locks a folder until the descriptor that is returned is closed, or its process ends.

    Raises:
        BlockingIOError: another process has it, and `wait` is False.
    """
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove_abandoned(folder):
    """Removes what a killed export left: staging folders that no living process has locked."""
    if fcntl is None:
        return
    for left in folder.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            descriptor = _lock(left, wait=False)
            shutil.rmtree(left, ignore_errors=True)
            os.close(descriptor)


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


def replace(source, target):
    """Moves a file or folder into place; an older one of that name goes."""
    source, target = Path(source), Path(target)
    if target.is_dir() and source.is_dir():
        # A folder that holds something cannot be replaced in one move.
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=target.parent) as aside:
            older = Path(aside) / target.name
            os.replace(target, older)
            try:
                os.replace(source, target)
            except OSError:
                os.replace(older, target)
                raise
        return
    os.replace(source, target)
