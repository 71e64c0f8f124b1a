"""Checkpoints, from which a killed run continues exactly."""

import json
import warnings
import zipfile

import keras
import numpy as np

from kgan import backend
from kgan.export.untrusted import archives, schema
from kgan.training.callback_state import Memories
from kgan.training.data_order import with_callbacks
from kgan.training.fingerprint import differences, of_networks, settings_of
from kgan.utils import files
from kgan.utils.advice import advice
from kgan.utils.locks import locked
from kgan.utils.paths import check_path

MEMBER = "kgan_checkpoint.json"
_STATE = {"epochs": int, "ended": bool, "settings": {...: object}, "random_state": str}


class Checkpoint(keras.callbacks.Callback):
    """Saves the whole state of training after each epoch, and restores it.

    The file is a saved model as `gan.save` writes it (networks, averages, optimizers with their
    loss scales and schedules, seeds), which `keras.saving.load_model` reads. It has additional
    members: the epoch, the settings and the state of the backend's random numbers, and what
    callbacks such as `ModelCheckpoint` know about the best epoch. It is written to a temporary file
    and then moved into place, so that a crash leaves the last good one.

    Args:
        path: the file, ending in `.keras`.
        model: a compiled `AdversarialModel`.
        data, options: see `settings_of`.

    Raises:
        ValueError: if the path does not end in `.keras`.
    """

    def __init__(self, path, model, data, options):
        super().__init__()
        self.path = check_path("checkpoint", path)
        self.sound = self.warned = False
        self.epochs = 0
        if self.path.suffix != ".keras":
            raise ValueError(
                "A checkpoint is a saved model, so its name must end in .keras. "
                f"Received: checkpoint={str(path)!r}"
            )
        self.set_model(model)
        self.settings = settings_of(model, data, options)
        self.losses = [f"{player}_loss" for player in model.players]
        callbacks = options.get("callbacks") or []
        self.memories = Memories(getattr(callbacks, "callbacks", callbacks))

    def locked(self):
        """A context in which no other run can use the same checkpoint.

        Raises:
            ValueError: if another run uses it.
            OSError: if the file cannot be written.
        """
        files.check_place(self.path)
        return locked(
            self.path.with_name(f".{self.path.stem}.lock"),
            f"Another run goes on from and writes the checkpoint {self.path.name}: wait for its "
            "end, or name another file.",
        )

    def resume(self, options):
        """Restores the state and returns the arguments of `fit` to continue with.

        Prints a message unless `fit` is silent, and warns if nothing is left to train.
        """
        epochs, ended = self.restore()
        self.epochs = epochs
        # Last, so that what the other callbacks change at the end of an epoch is saved.
        options = with_callbacks(options, self)
        if not epochs:
            return options
        wanted = options.get("epochs", 1)
        if ended or epochs >= wanted:
            end = "a callback ended the run there" if ended else f"fit was asked for {wanted}"
            warnings.warn(
                f"Nothing is left to train: {self.path} has seen {epochs} epochs, and {end}. "
                "The model now has its weights. Delete the checkpoint or name another one to "
                f"train again. Received: epochs={wanted}",
                stacklevel=4,
            )
            epochs = max(epochs, wanted)
        elif options.get("verbose", "auto") != 0:
            print(f"Going on after epoch {epochs}, from {self.path}")
        return {**options, "initial_epoch": epochs}

    def restore(self):
        """Restores the model from the file, if there is one.

        Returns:
            The number of epochs the checkpoint has seen, 0 without a file, and whether a callback
            such as `EarlyStopping` has ended the run.

        Raises:
            ValueError: if the file cannot be read, or belongs to a run with other settings.
        """
        if not self.path.exists():
            return 0, False
        try:
            archives.check(self.path)
            with archives.opened(self.path) as file:
                whole = MEMBER in file.namelist()
                if whole:
                    saved = schema.parse(file.read(MEMBER), constants=True)
                    schema.check(saved, _STATE, "its state")
                    random_state = bytes.fromhex(saved["random_state"])
                    self.memories.read(file)
        except ValueError as error:
            raise self._unreadable(error) from error
        if not whole:
            raise ValueError(
                f"{self.path} is a saved model and not a checkpoint: name another "
                f"{advice('file', 'folder with --out')}"
                + advice(
                    ". To go on training that model, load it with keras.saving.load_model()", ""
                )
                + f". Received: checkpoint={str(self.path)!r}"
            )
        different = differences(saved["settings"], self.settings)
        if different:
            raise ValueError(
                f"The checkpoint {self.path} belongs to a run with other settings, so training "
                f"cannot continue from it. {_remedy(different)}, name another checkpoint, or "
                "delete this one to start again. Received (what the checkpoint has): "
                + "; ".join(different)
            )
        self.model.load_weights(self.path)
        backend.set_random_state(random_state)
        return saved["epochs"], saved["ended"]

    def on_train_begin(self, logs=None):
        self.memories.bring_back()

    def on_epoch_end(self, epoch, logs=None):
        losses = {name: (logs or {}).get(name, 0.0) for name in self.losses}
        # What cannot be gone on from must not take the place of what can.
        self.sound = bool(np.isfinite([*losses.values()]).all())
        if self.sound:
            self.save(epoch + 1)
        elif not self.warned:
            self.warned = True
            warnings.warn(
                f"The losses are no longer finite, so the checkpoint {self.path} stays as it was "
                f"after epoch {self.epochs}: continue from there with a lower learning rate. "
                f"Received in epoch {epoch + 1}: {losses}",
                stacklevel=2,
            )

    def on_train_end(self, logs=None):
        if self.model.stop_training and self.sound:
            # EarlyStopping brings back the best weights only now.
            self.save(self.epochs, ended=True)

    def save(self, epochs, ended=False):
        """Writes the file atomically.

        Raises:
            OSError: if it cannot be written; an older one stays unchanged.
        """
        self.epochs, self.ended = epochs, ended
        state = {
            "epochs": self.epochs,
            "ended": self.ended,
            "settings": self.settings,
            "random_state": backend.random_state().hex(),
        }
        with files.atomic(self.path) as unfinished:
            keras.Model.save(self.model, unfinished)
            with zipfile.ZipFile(unfinished, "a") as file:
                file.writestr(MEMBER, json.dumps(state))
                self.memories.write(file)

    def _unreadable(self, reason):
        return ValueError(
            f"{self.path} is not a readable checkpoint: delete it to start again, or name another "
            f"file. Received: {reason}"
        )


def _remedy(different):
    """Returns what to do about different settings, for the message."""
    if of_networks(different):
        return "Build the networks as in that run, with the same " + advice(
            "arguments (width, depth, image_shape)", "options (--width, --image-size)"
        )
    return "Take the settings back"
