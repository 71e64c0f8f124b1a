"""Files that one run writes at a time."""

import contextlib
import os
import socket
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where nothing is locked
    fcntl = None

HELD = set()  # by this process, which could lock a file twice


@contextlib.contextmanager
def locked(path, refusal):
    """A context in which no other run can enter this one with the same file.

    The lock belongs to the process and ends with it, however it ends. Where the file system knows
    no locks, nothing is refused.

    Args:
        path: of the lock, a file that is made and taken away again.
        refusal: the words of the error, without "Received: ".

    Raises:
        ValueError: if another run is in there.
    """
    path = Path(path).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    if path in HELD:
        raise ValueError(f"{refusal} Received: {path.parent}, in use by this very process")
    file = _lock(path, refusal)
    HELD.add(path)
    try:
        yield
    finally:
        HELD.discard(path)
        if file is not None:
            # While it is still locked: whoever has opened it meanwhile finds it gone, and looks.
            path.unlink(missing_ok=True)
            file.close()


def _lock(path, refusal):
    """Returns the open file that holds the lock, None where there are no locks."""
    while fcntl:
        file = path.open("a+", encoding="utf-8")
        try:
            # Not flock(), whose lock would live on in workers that a killed run leaves behind.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            file.seek(0)
            holder = file.read() or "another process"
            file.close()
            raise ValueError(f"{refusal} Received: {path.parent}, in use by {holder}") from None
        except OSError:
            file.close()
            path.unlink(missing_ok=True)
            return None
        if _is(file, path):
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}")
            file.flush()
            return file
        file.close()
    return None


def _is(file, path):
    """Whether an open file is still the one of its name."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False
