"""Is a bundle whole whenever its export is killed? Kills exports with SIGKILL and looks.

    KERAS_BACKEND=torch python benchmarks/kill_export.py --out benchmarks/results/kill_export.json

A bundle of one training holds every format. Exports of another training into it, with the real
converter, are killed: some at moments drawn uniformly from the time of a whole export. Of one more
the process is copied as it begins to put things into place, and each copy, which goes on in the
bundle as it then was, is killed before another of the operations on files that are left. Then
`verify` is called for the ONNX file. Whole means that it passes, that every file of the bundle has
the hash that the report gives, and all are of one training, old or new, and that nothing hidden is
left; a file of another name must stay as it was. All processes that the export has started must end
without anybody's help.
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
NOTES = "of the user"
PATIENCE = 30  # seconds for the processes of a killed export to end
OPERATIONS = ("open", "os.", "shutil.", "tempfile.", "fcntl.")


def export(folder, seed, states=None, kills=0):
    """Exports in this process; with a folder for `states`, in copies of it that are killed."""
    import keras

    import kgan

    keras.utils.set_random_seed(seed)
    generator = kgan.networks.dcgan_generator((16, 16, 1), latent_dim=8, width=8)

    done = int

    def say(stage):
        nonlocal done
        print(stage, flush=True)
        if stage == "write" and states:
            done = kill_copies(Path(folder), Path(states), kills)

    kgan.export.export(generator, folder, ("saved_model", "tflite", "onnx"), progress=say)
    sys.stdout.flush()
    done()
    os._exit(0)  # what frameworks still do at their end is not looked at


def kill_copies(folder, states, kills):
    """Lets copies of this process go on, and keeps what each leaves in `folder`.

    Returns:
        In a copy alone, what it is to call when it is done.
    """
    before = shutil.copytree(folder, states / "before")
    reading, writing = os.pipe()
    operations = None
    while len(list(states.iterdir())) < kills + 2:  # `before`, and one that is never killed
        moment = len(list(states.iterdir())) - 2
        number = -1 if operations is None else moment * (operations - 1) // (kills - 1)
        process = os.fork()
        if not process:
            return count_operations(number, writing)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        if operations is None:
            operations = int(os.read(reading, 100))
        elif code != -signal.SIGKILL:
            raise RuntimeError(f"the copy was not killed before operation {number}: {code}")
        shutil.move(folder, states / ("new" if number < 0 else f"operation_{number}"))
        shutil.copytree(before, folder)
    os._exit(0)


def count_operations(number, writing):
    """Has this process killed before an operation on files; returns what tells their number."""
    seen = 0

    def count(event, arguments):
        nonlocal seen
        if event.startswith(OPERATIONS) and event != "os.kill":
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1

    sys.addaudithook(count)
    return lambda: os.write(writing, str(seen).encode())


def start(*arguments):
    """The process of an export, and a mark that it and all it starts bear."""
    mark = uuid.uuid4().hex
    process = subprocess.Popen(
        [sys.executable, __file__, "--export", *map(str, arguments)],
        env={**os.environ, MARK: mark, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=None if len(arguments) > 2 else subprocess.DEVNULL,
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


def whole_run(*arguments):
    """Lets an export end; how long it took from its first stage to its last."""
    process, _ = start(*arguments)
    told = [(line.strip(), time.perf_counter()) for line in process.stdout]
    if process.wait():
        raise SystemExit(f"An export that nobody killed has failed after: {told}")
    stages = dict(reversed(told))
    return stages["write"] - stages["check"]


def kill(folder, seconds):
    """Has an export killed; the stage it was in, and how long any process of it then lived."""
    process, mark = start(folder, 2)
    stage = process.stdout.readline().strip()
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


def look(folder, sources):
    """What `verify` makes of a bundle: its age, and what is wrong with it if anything is."""
    from kgan.export import ExportError, files, report, verify

    interrupted = (folder / ".kgan-committed").exists()
    try:
        verify(folder / "model.onnx")
        artefacts = report.read(folder / report.FILE).artefacts
        found = {sources[each.source_sha256] for each in artefacts}
        pairs = [(each.file, each.sha256) for each in artefacts]
        pairs += [(each.samples, each.samples_sha256) for each in artefacts]
        changed = [name for name, sha256 in pairs if files.sha256(folder / name) != sha256]
        wrong = "" if len(found) == 1 and len(artefacts) == 3 else "old and new files"
        wrong += f"changed: {changed}" if changed else ""
    except ExportError as error:
        found, wrong = set(), str(error)
    hidden = [path.name for path in folder.iterdir() if path.name.startswith(".")]
    if hidden:
        wrong = f"{wrong} left: {', '.join(hidden)}"
    if (folder / "notes.txt").read_text() != NOTES:
        wrong = f"{wrong} another file was changed"
    age = found.pop() if len(found) == 1 else "mixed"
    return {"age": age, "finished_by_verify": interrupted, "whole": not wrong, "wrong": wrong}


def trials(count, folder, rng):
    """What became of each killed export."""
    from kgan.export import report

    older, bundle, states = (folder / name for name in ("older", "bundle", "states"))
    whole_run(older, 1)
    (older / "notes.txt").write_text(NOTES)
    shutil.copytree(older, bundle)
    states.mkdir()
    timed = count // 5
    seconds = whole_run(bundle, 2, states, count - timed)
    sources = {
        report.read(each / report.FILE).artefacts[0].source_sha256: age
        for each, age in ((older, "old"), (states / "new", "new"))
    }
    print(f"An export takes {seconds:.1f} s until its last stage", flush=True)
    for state in sorted(states.glob("operation_*"), key=lambda each: int(each.name[10:])):
        fate = {"operation": int(state.name[10:]), "stage": "write", **look(state, sources)}
        print(fate, flush=True)
        yield fate
    while timed:
        shutil.rmtree(bundle)
        shutil.copytree(older, bundle)
        moment = rng.uniform(0, seconds)
        fate = kill(bundle, moment)
        if fate.pop("killed"):  # else it was over before
            timed -= 1
            fate = {"seconds": moment, **fate, **look(bundle, sources)}
            print(fate, flush=True)
            yield fate


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=32, help="how many (default 32)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default 0)")
    parser.add_argument("--out", type=Path, help="JSON with every kill")
    parser.add_argument("--export", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.export:
        folder, seed, *rest = arguments.export
        return export(folder, int(seed), *rest[:1], *map(int, rest[1:]))
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for fate in trials(arguments.kills, Path(folder), random.Random(arguments.seed)):
            found.append(fate)
            if arguments.out:
                content = {"machine": machine(), "runs": found}
                arguments.out.write_text(json.dumps(content, indent=1) + "\n")
    whole = sum(each["whole"] and not each.get("processes_left") for each in found)
    ages = [each["age"] for each in found]
    slowest = max(each.get("seconds_until_all_ended", 0) for each in found)
    print(f"{whole} of {len(found)} whole ({ages.count('old')} old, {ages.count('new')} new)")
    print(f"All processes had ended after {slowest} s")
    return sys.exit(whole < len(found))


if __name__ == "__main__":
    main()
