"""Changes a folder in processes that are killed before each operation on files, and tells in JSON.

A program of its own, since a process without frameworks is copied in no time.
"""

import itertools
import json
import os
import shutil
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path

_KINDS = ("open", "os.", "shutil.", "tempfile.", "fcntl.")
NAMES = ("a.onnx", "b_saved_model", "c.tflite", "report.json")


def kill_before(moment):
    """Has this process killed, by itself, before its operation on files number `moment` from now.

    Python tells of each operation before it happens.
    """
    seen = 0

    def count(event, arguments):
        nonlocal seen
        if event.startswith(_KINDS) and event not in ("os.fork", "os.kill"):
            if seen == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1

    sys.addaudithook(count)


def killed(action, moment):
    """Whether `action`, in a copy of this process, was killed before operation `moment`, from 0."""
    process = os.fork()
    if not process:
        code = 1
        try:
            kill_before(moment)
            action()
            code = 0
        finally:
            if code:
                sys.excepthook(*sys.exc_info())
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert code in (0, -signal.SIGKILL), code
    return code != 0


def write(folder, age):
    """Files and a folder of one age; the older bundle lacks `c.tflite` and has another file."""
    folder.mkdir(exist_ok=True)
    (folder / "a.onnx").write_text(f"a {age}")
    (folder / "report.json").write_text(f"report {age}")
    (folder / "b_saved_model" / "variables").mkdir(parents=True)
    (folder / "b_saved_model" / "variables" / "data").write_text(f"b {age}")
    if age == "new":
        (folder / "c.tflite").write_text("c new")
    else:
        (folder / "b_saved_model" / "only_old").write_text("b old")
        (folder / "kept.onnx").write_text("of another export")


def contents(folder):
    """The texts of all files below a folder by their path in it."""
    found = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_text() for file in found}


def change(folder):
    """Puts the new files of `write` into a folder that may have the old ones."""
    from kgan.export import transaction

    with transaction.staging(folder / "a.onnx") as staged:
        write(staged, "new")
        (staged / "worker.log").write_text("what stays behind")
        with transaction.locked(folder):
            transaction.commit(folder, staged, NAMES)


def each_kill(prepare, action):
    """Yields the number of each operation of `action`, after a kill before it."""
    for moment in itertools.count():
        prepare()
        if not killed(action, moment):
            return
        yield moment


def main():
    """Prints the age found after each kill, and after each kill of who came to help."""
    from kgan.export import transaction

    # In memory, where there is such a place: a kill, unlike a power cut, loses nothing written.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as temporary:
        folder, halves, once, twice = Path(temporary) / "bundle", [], [], []

        def restart(source=None):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(source, folder) if source else write(folder, "old")

        def recovered():
            transaction.recover(folder)
            return {str(old): "old", str(new): "new"}.get(str(contents(folder)), "mixed")

        restart()
        old = contents(folder)
        change(folder)
        new = contents(folder)
        for moment in each_kill(restart, lambda: change(folder)):
            if (folder / transaction.COMMITTED).exists():
                halves.append(shutil.copytree(folder, Path(temporary) / f"half_{moment}"))
            once.append(recovered())
        for half in halves[::5]:
            for _ in each_kill(partial(restart, half), lambda: transaction.recover(folder)):
                twice.append(recovered())
        print(json.dumps({"once": once, "twice": twice, "old": old, "new": new}))


if __name__ == "__main__":
    sys.modules["keras"] = None  # not needed, and slow to import
    main()
