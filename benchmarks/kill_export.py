"""Is a bundle whole whenever its export is killed? Kills exports with SIGKILL and looks.

    KERAS_BACKEND=torch python benchmarks/kill_export.py --out benchmarks/results/kill_export.json

A bundle of one training holds every format. Exports of another training into it, with the real
converter, are killed: some at moments drawn uniformly from the time of a whole export, the others
before an operation on files, from the first of putting things into place to the last. Then `verify`
is called as anybody would. Whole means that it passes, that every file is of one training, old or
new, and that nothing hidden is left; a file of another name must stay as it was. All processes that
the export has started must end without anybody's help.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from report import machine

MARK = "KGAN_KILLED_EXPORT"
PATIENCE = 30  # seconds for the processes of a killed export to end
OPERATIONS = ("open", "os.", "shutil.", "tempfile.", "fcntl.")


def export(folder, seed, operation):
    """Exports in this process, which is killed before an operation of the last stage, from 0."""
    import keras

    import kgan

    keras.utils.set_random_seed(seed)
    generator = kgan.networks.dcgan_generator((16, 16, 1), latent_dim=8, width=8)
    seen = None

    def count(event, arguments):
        nonlocal seen
        if seen is not None and event.startswith(OPERATIONS):
            if seen == operation:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1

    def say(stage):
        nonlocal seen
        print(stage, flush=True)
        if stage == "write":
            seen = 0

    sys.addaudithook(count)
    kgan.export.export(generator, folder, ("saved_model", "tflite", "onnx"), progress=say)
    print(f"operations {seen}", flush=True)


def start(folder, seed, operation=-1):
    """The process of an export, and a mark that it and all it starts bear."""
    mark = uuid.uuid4().hex
    command = [sys.executable, __file__, "--export", str(folder), str(seed), str(operation)]
    process = subprocess.Popen(
        command,
        env={**os.environ, MARK: mark, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return process, mark


def alive(mark):
    """The processes that bear a mark and run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes():
                state = (folder / "stat").read_text().rsplit(")", 1)[1].split()[0]
                found += [int(folder.name)] if state != "Z" else []
        except (OSError, IndexError):
            continue  # it has ended
    return found


def whole_run(folder, seed):
    """Lets an export end; how long it took from its first stage, and the operations of its last."""
    process, _ = start(folder, seed)
    told, begun = [], None
    for line in process.stdout:
        begun = begun or time.perf_counter()
        told.append(line.strip())
    if process.wait():
        raise SystemExit(f"An export that nobody killed has failed after: {told}")
    return time.perf_counter() - begun, int(told[-1].split()[1])


def kill(folder, seconds=None, operation=-1):
    """Has an export killed; the stage it was in, and how long any process of it then lived."""
    process, mark = start(folder, seed=2, operation=operation)
    stage = process.stdout.readline().strip()
    if seconds is not None:
        time.sleep(seconds)
        process.kill()
    for line in process.stdout:
        stage = line.strip()
    process.wait()
    ended = time.perf_counter()
    while alive(mark) and time.perf_counter() - ended < PATIENCE:
        time.sleep(0.05)
    left, lived = alive(mark), time.perf_counter() - ended
    for each in left:
        os.kill(each, signal.SIGKILL)
    return {
        "killed": process.returncode == -signal.SIGKILL,
        "stage": stage,
        "processes_left": len(left),
        "seconds_until_all_ended": round(lived, 2),
    }


def look(folder, sources, kept):
    """What `verify` makes of a bundle: its age, and what is wrong with it if anything is."""
    from kgan.export import ExportError, verify

    interrupted = (folder / ".kgan-committed").exists()
    try:
        found = {sources[each.source_sha256] for each in verify(folder).artefacts}
        wrong = "" if len(found) == 1 else "old and new files"
    except ExportError as error:
        found, wrong = set(), str(error)
    hidden = [path.name for path in folder.iterdir() if path.name.startswith(".")]
    if hidden:
        wrong = f"{wrong} left: {', '.join(hidden)}"
    if (folder / "notes.txt").read_text() != kept:
        wrong = f"{wrong} another file was changed"
    age = found.pop() if len(found) == 1 else "mixed"
    return {"age": age, "finished_by_verify": interrupted, "whole": not wrong, "wrong": wrong}


def trials(count, folder, rng):
    """What became of each killed export."""
    from kgan.export import report

    older, bundle, kept = folder / "older", folder / "bundle", "of the user"
    whole_run(older, seed=1)
    (older / "notes.txt").write_text(kept)
    shutil.copytree(older, bundle)
    seconds, operations = whole_run(bundle, seed=2)
    sources = {
        report.read(each / report.FILE).artefacts[0].source_sha256: age
        for each, age in ((older, "old"), (bundle, "new"))
    }
    print(f"An export takes {seconds:.1f} s, its last stage {operations} operations", flush=True)
    timed = [{"seconds": rng.uniform(0, seconds)} for _ in range(count // 3)]
    rest = count - len(timed)
    counted = [{"operation": i * (operations - 1) // (rest - 1)} for i in range(rest)]
    for moment in timed + counted:
        while True:
            shutil.rmtree(bundle)
            shutil.copytree(older, bundle)
            fate = kill(bundle, **moment)
            if fate["killed"]:
                break
            moment = {"seconds": rng.uniform(0, seconds)}  # it was over before
        fate = {**moment, **fate, **look(bundle, sources, kept)}
        print(fate, flush=True)
        yield fate


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=32, help="how many (default 32)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default 0)")
    parser.add_argument("--out", type=Path, help="JSON with every kill")
    parser.add_argument("--export", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.export:
        folder, *numbers = arguments.export
        return export(folder, *map(int, numbers))
    with tempfile.TemporaryDirectory() as folder:
        found = list(trials(arguments.kills, Path(folder), random.Random(arguments.seed)))
    whole = sum(each["whole"] and not each["processes_left"] for each in found)
    ages = [each["age"] for each in found]
    slowest = max(each["seconds_until_all_ended"] for each in found)
    print(f"{whole} of {len(found)} whole ({ages.count('old')} old, {ages.count('new')} new)")
    print(f"All processes had ended after {slowest} s")
    if arguments.out:
        arguments.out.write_text(json.dumps({"machine": machine(), "runs": found}, indent=1) + "\n")
    return sys.exit(whole < len(found))


if __name__ == "__main__":
    main()
