"""The base class of callbacks that draw a picture per epoch."""

import os
from pathlib import Path
from typing import Any

import keras

from kgan import checks
from kgan.callbacks.tensorboard import Board
from kgan.images import save_film
from kgan.utils import numbers


class EpochPicture(keras.callbacks.Callback):
    """Calls `draw(path)` after epochs; subclasses define what is drawn.

    Args:
        folder: the folder for `epoch_0001.png`, ...
        every: epochs between pictures; the last epoch is always drawn, also if training ends early.
            Default: 1.
        film: whether to combine the pictures as the GIF `film.gif` when training ends, including
            earlier ones if training continues from a later epoch. Default: False.
        tensorboard: a folder of event files, such as `log_dir` of `keras.callbacks.TensorBoard`,
            to write the pictures to as well. Default: none.

    Raises:
        ValueError: if `every` is not a positive integer, or a file is in the place of a folder.
        ImportError: if `tensorboard` is given but the package tensorboard is not installed.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        every: int = 1,
        film: bool = False,
        tensorboard: str | os.PathLike | None = None,
    ) -> None:
        super().__init__()
        self.folder = checks.check_folder(folder, "folder")
        self.every = numbers.count("every", every)
        self.film = numbers.flag("film", film)
        self.board = None
        if tensorboard is not None:
            self.board = Board(checks.check_folder(tensorboard, "tensorboard"))
        self._begun = False
        self._left_out: int | None = None
        self._pictures: set[Path] = set()

    def draw(self, path: str | os.PathLike) -> None:
        """Draws the current outputs of the model to a PNG file."""
        raise NotImplementedError(f"{type(self).__name__} must define draw(path)")

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._begun = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not self._begun:  # others than these are of an earlier run that went further
            self._begun = True
            self._pictures = {path for path in pictures_in(self.folder) if epoch_of(path) <= epoch}

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        last = self.model.stop_training or epoch + 1 == self.params.get("epochs")
        self._left_out = None if last or (epoch + 1) % self.every == 0 else epoch
        if self._left_out is None:
            self._show(epoch)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self._left_out is not None:  # a callback after this one has ended the run
            self._show(self._left_out)
        if self.film and self._pictures:
            save_film(self.folder / "film.gif", sorted(self._pictures, key=epoch_of))
        if self.board:
            self.board.close()

    def _show(self, epoch):
        self._left_out = None
        path = self.folder / f"epoch_{epoch + 1:04d}.png"
        self.draw(path)
        self._pictures.add(path)
        if self.board:
            self.board.show(self.folder.name, path, epoch)


def pictures_in(folder):
    """Returns the pictures in a folder, sorted by epoch (names alone fail beyond 9,999)."""
    pictures = (path for path in folder.glob("epoch_*.png") if path.stem[6:].isdecimal())
    return sorted(pictures, key=epoch_of)


def epoch_of(picture):
    """Returns the epoch in the name of a picture."""
    return int(picture.stem.removeprefix("epoch_"))
