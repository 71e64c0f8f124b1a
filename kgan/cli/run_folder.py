"""The folder of a run: one run at a time writes there, which goes on or starts anew."""

import contextlib
import shutil

GAN = "gan.keras"
CHECKPOINT = "checkpoint.keras"
PARTS = (GAN, CHECKPOINT, "export_report.json")  # in the folder of a run or bundle


@contextlib.contextmanager
def the_only_run(out):
    """A context in which no other run can write into a folder, which is made if it is missing.

    Folders that were made and hold nothing at the end are taken away again.

    Raises:
        ValueError: if another run writes there, or a file is in the place of the folder.
    """
    from kgan.utils.locks import locked

    blocked = next((place for place in (out, *out.parents) if place.is_file()), None)
    if blocked:
        raise ValueError(
            f"A run needs a folder, but {blocked} is a file: name another. Received: --out {out}"
        )
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        with locked(
            out / ".run.lock",
            "Another run writes into this folder: wait for its end, or name another with --out.",
        ):
            yield
    finally:
        for folder in made:
            with contextlib.suppress(OSError):  # it holds something
                folder.rmdir()


def check(out, resume, overwrite):
    """Raises a ValueError unless a run can go on, or start, as was asked for."""
    if resume and not (out / CHECKPOINT).is_file():
        raise ValueError(
            "There is no checkpoint to go on from: leave out --resume, or name the folder of the "
            f"run with --out. Received: --resume with --out {out}"
        )
    if not (resume or overwrite) and any(file.is_file() for file in _saved(out)):
        raise ValueError(
            f"There is a run in {out} already: add --resume to go on with it, or --overwrite "
            f"to start anew, or name another folder with --out. Received: --out {out}"
        )


def clear(out):
    """Removes what would be taken for that of the run to come, if there is a run in the folder."""
    saved = [file for file in _saved(out) if file.is_file()]
    if saved:
        shutil.rmtree(out / "samples", ignore_errors=True)
        for file in (*saved, out / "report.html", *out.glob("scores*.json")):
            file.unlink(missing_ok=True)


def epochs_done(out):
    """How many epochs the checkpoint in a folder has seen.

    Raises:
        ValueError: if it is damaged, or no checkpoint.
    """
    from kgan.export.untrusted import archives, schema
    from kgan.training.checkpoint import MEMBER

    path = out / CHECKPOINT
    try:
        archives.check(path)
        with archives.opened(path) as file:
            if MEMBER not in file.namelist():
                raise ValueError("a saved model, without the state of a run")
            state = schema.parse(file.read(MEMBER), constants=True)
        schema.check(state, {"epochs": int, ...: object}, "its state")
    except ValueError as error:
        raise ValueError(
            "There is no checkpoint that can be gone on from: start anew with --overwrite, or name "
            f"another folder with --out. Received: {path} ({error})"
        ) from error
    return state["epochs"]


def finish(out):
    """Saves the GAN of a run whose last epoch was whole, but which was stopped before it did.

    Returns:
        Whether there was anything to save.
    """
    from kgan.cli import saved_gans
    from kgan.metrics.protocol import file_hash

    saved, checkpoint = out / GAN, out / CHECKPOINT
    if saved.is_file() and file_hash(saved) == file_hash(checkpoint):
        return False
    saved_gans.load_model(checkpoint).save(saved)
    return True


def _saved(out):
    return [out / name for name in (CHECKPOINT, GAN, "best.keras")]
