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


@contextlib.contextmanager
def staging(target):
    """A temporary folder beside `target`, on the same disk, so that a move into place is atomic.

    Making it also proves, before any work, that the place can be written to. It is removed at the
    end, and so are folders that had to be made for it if they are still empty.

    Raises:
        ExportError: nothing can be written there.
    """
    target = Path(target)
    made = [folder for folder in (target.parent, *target.parent.parents) if not folder.exists()]
    try:
        if target.is_dir():
            raise IsADirectoryError("there is a folder of that name")
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".kgan-export-", dir=target.parent))
    except OSError as error:
        raise ExportError(f"Cannot write there: {error}. Received: path={str(target)!r}") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for empty in made:
            with contextlib.suppress(OSError):
                empty.rmdir()


@contextlib.contextmanager
def locked(folder):
    """Lets one process at a time change the files and the report of `folder`."""
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sha256(path):
    """The SHA-256 of a file, as hexadecimal text."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
