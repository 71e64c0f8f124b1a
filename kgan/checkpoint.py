"""A run that was killed goes on as if it had never stopped."""

import json
import os
import re
import zipfile
import zlib
from pathlib import Path

import keras
import numpy as np

from kgan import backend
from kgan.batches import Batches, with_callback
from kgan.data.folder import ImageFolder

MEMBER = "kgan_checkpoint.json"
SHOWN = 12


class Checkpoint(keras.callbacks.Callback):
    """Saves the whole state of training after each epoch, and restores it.

    The file is a saved model as `gan.save` writes it (networks, averages, optimizers with their
    loss scales and schedules, seeds), which `keras.saving.load_model` reads, with one member
    more: the epoch, the settings, and the state of the backend's own random numbers. It is
    written beside its place and then put there in one move, so that a crash leaves the last good
    one.

    Args:
        path: of the file, ending in `.keras`.
        model: a compiled `AdversarialModel`.
        data: what it trains on. Arrays are told apart by shape, type and checksum, streams by
            their type.
        options: the other arguments of `fit`.

    Raises:
        ValueError: if the path does not end in `.keras`.
    """

    def __init__(self, path, model, data, options):
        super().__init__()
        self.path = Path(path)
        if self.path.suffix != ".keras":
            raise ValueError(
                "A checkpoint is a saved model, so its name must end in .keras. "
                f"Received: checkpoint={str(path)!r}"
            )
        self.set_model(model)
        settings = {
            "backend": keras.backend.backend(),
            "model": model.settings(),
            "data": keras.tree.map_structure(_fingerprint, data),
            "fit": {name: options.get(name) for name in ("batch_size", "shuffle")},
        }
        self.settings = json.loads(json.dumps(settings))

    def resume(self, options):
        """Restores the state and returns the arguments of `fit` with which to go on."""
        epochs = self.restore()
        # Last, so that what the other callbacks change at the end of an epoch is saved.
        options = {**options, "callbacks": with_callback(options, self)}
        return {**options, "initial_epoch": epochs} if epochs else options

    def restore(self):
        """Puts the state of the file, if there is one, into the model.

        Returns:
            The number of epochs the checkpoint has seen, 0 without a file.

        Raises:
            ValueError: if the file cannot be read, or is of a run with other settings.
        """
        if not self.path.exists():
            return 0
        try:
            with zipfile.ZipFile(self.path) as file:
                damaged = file.testzip()
                saved = json.loads(file.read(MEMBER))
        except (zipfile.BadZipFile, KeyError, json.JSONDecodeError, EOFError) as error:
            raise self._unreadable(error) from error
        if damaged:
            raise self._unreadable(f"its part {damaged} is damaged")
        differences = _differences(saved["settings"], self.settings)
        if differences:
            raise ValueError(
                f"The checkpoint {self.path} is of a run with other settings, so it cannot go on "
                "from there. Take the settings back, name another checkpoint, or delete this one "
                "to start anew. Received (what the checkpoint has): " + "; ".join(differences)
            )
        self.model.load_weights(self.path)
        backend.set_random_state(bytes.fromhex(saved["random_state"]))
        return saved["epochs"]

    def on_epoch_end(self, epoch, logs=None):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_name(f".{self.path.stem}.unfinished.keras")
        self.model.save(unfinished)
        state = {
            "epochs": epoch + 1,
            "settings": self.settings,
            "random_state": backend.random_state().hex(),
        }
        with zipfile.ZipFile(unfinished, "a") as file:
            file.writestr(MEMBER, json.dumps(state))
        # On the disk first, else a power cut could leave the new name with nothing behind it.
        with open(unfinished, "rb") as file:
            os.fsync(file.fileno())
        os.replace(unfinished, self.path)

    def _unreadable(self, reason):
        return ValueError(
            f"{self.path} is no checkpoint that can be read: delete it to start anew, or name "
            f"another file. Received: {reason}"
        )


def _fingerprint(data):
    if isinstance(data, Batches):
        steps = f"{data.steps} batches of {data.batch_size}"
        return [*keras.tree.map_structure(_fingerprint, data.data), steps]
    if isinstance(data, ImageFolder):
        names = zlib.crc32("\n".join(sorted(map(str, data.files))).encode())
        return f"{len(data.files)} files, crc32 of names {names:08x}, {data.image_size}"
    if isinstance(data, np.ndarray):
        checksum = zlib.crc32(np.ascontiguousarray(data))
        return f"{data.dtype} {data.shape} crc32 {checksum:08x}"
    return type(data).__name__


def _differences(saved, now):
    """What differs, in words; a layer's automatic number is no difference."""
    before, after = _leaves(saved), _leaves(now)
    differences = [
        f"{name} {after.get(name)!r} ({before.get(name)!r})"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]
    more = len(differences) - SHOWN
    return differences[:SHOWN] + ([f"and {more} more"] if more > 0 else [])


def _leaves(settings):
    """Every setting by its path, such as `compile_config.loss.class_name`."""
    if not isinstance(settings, (dict, list)):
        plain = re.sub(r"_\d+$", "", settings) if isinstance(settings, str) else settings
        return {"": plain}
    items = settings.items() if isinstance(settings, dict) else enumerate(settings)
    return {
        f"{key}.{name}".rstrip("."): value
        for key, part in items
        for name, value in _leaves(part).items()
    }
