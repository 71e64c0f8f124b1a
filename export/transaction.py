"""The files of a folder change together: after a crash at any moment all are old, or all are new.

New files are written to a hidden folder beside those they replace, and put on the disk. One rename
then gives that folder the name `COMMITTED`. Before it nothing has happened; after it, whoever comes
next moves what is left in there into place (`recover`). So that folder is itself the journal of
what is still to be done, and it does not matter how often one begins anew.
"""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from kgan.export import files
from kgan.export.errors import ExportError
from kgan.utils.advice import received
from kgan.utils.files import sync

try:
    import fcntl
except ImportError:  # Windows: exports into one folder at the same moment are not serialised
    fcntl = None  # type: ignore[assignment]


PREFIX = ".kgan-export-"
COMMITTED = ".kgan-committed"
_COMPLETE = "complete"


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
    with _explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(target.parent):
            _remove_abandoned(target.parent)
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=target.parent))
            alive = _lock(folder)
    try:
        with _explained(target):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if alive is not None:
            os.close(alive)
        for empty in made:
            with contextlib.suppress(OSError):
                empty.rmdir()


def commit(folder, staged, names):
    """Puts files and folders from a staging folder into place, all of them or none.

    Args:
        folder: whose files they become; `locked` by the caller.
        staged: a folder of `staging` in it.
        names: of the files and folders in it.

    Raises:
        OSError: on a full disk, say. Either all is as it was, or the next `recover` goes on.
    """
    folder, complete = Path(folder), staged / _COMPLETE
    complete.mkdir()
    for name in names:
        os.rename(staged / name, complete / name)
        for path in (complete / name, *files.below(complete / name)):
            sync(path)
    sync(complete)
    os.rename(complete, folder / COMMITTED)
    sync(folder)
    _finish(folder)


def recover(folder):
    """Finishes what a killed export had committed, and takes back what it had not.

    Raises:
        ExportError: the folder cannot be changed, so that its files are neither old nor new.
    """
    folder = Path(folder)
    if os.path.lexists(folder / COMMITTED):
        try:
            with locked(folder):
                pass
        except OSError as error:
            raise ExportError(
                "An export was killed while moving its files into place, and cannot be finished: "
                f"{error}. Make the folder writable, and repeat the call. "
                f"Received: {received('folder', folder)}"
            ) from error
    if any(folder.glob(f"{PREFIX}*")):
        with contextlib.suppress(OSError), locked(folder):  # what is left there harms nobody
            _remove_abandoned(folder)


@contextlib.contextmanager
def locked(folder):
    """Lets one process at a time change the files of `folder`, which then are whole."""
    descriptor = _lock(folder)
    try:
        _finish(Path(folder))
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _finish(folder):
    committed = folder / COMMITTED
    if not os.path.lexists(committed):
        return
    try:
        if not files.inside(folder, COMMITTED).is_dir():
            raise ValueError("It is a file.")
        for name in sorted(os.listdir(committed)):
            _move(files.inside(committed, name), folder / name)
    except ValueError as error:
        raise OSError(f"{committed} is not what an export leaves: remove it. {error}") from error
    sync(folder)
    committed.rmdir()


def _move(source, target):
    if target.is_dir() and source.is_dir():
        # A folder that holds something cannot be replaced in one move. Whenever that ends, `source`
        # is there or in place; what is set aside is needed no more.
        with tempfile.TemporaryDirectory(
            prefix=PREFIX, dir=target.parent, ignore_cleanup_errors=True
        ) as aside:
            os.rename(target, Path(aside) / target.name)
            os.rename(source, target)
    else:
        os.replace(source, target)


@contextlib.contextmanager
def _explained(target):
    try:
        yield
    except OSError as error:
        raise ExportError(
            f"Cannot write there: {error}. Received: {received('path', target)}"
        ) from error


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
    for left in folder.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            descriptor = _lock(left, wait=False)
            shutil.rmtree(left, ignore_errors=True)
            os.close(descriptor)
