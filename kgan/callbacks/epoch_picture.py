"""What callbacks that draw share: when, and where to."""

import os
from pathlib import Path

import keras

from kgan.callbacks.board import Board
from kgan.images import save_film


class EpochPicture(keras.callbacks.Callback):
    """Calls `draw(path)` after epochs; a subclass says what is drawn.

    Args:
        folder: where `epoch_0001.png`, ... go.
        every: epochs between pictures; the last epoch is always drawn. Default: 1.
        film: whether to put all pictures in the folder together when training ends, as the GIF
            `film.gif`. Default: False.
        tensorboard: a folder of event files, such as `log_dir` of `keras.callbacks.TensorBoard`,
            that gets the pictures too. Default: none.

    Raises:
        ValueError: if `every` is not a positive integer.
        ImportError: if `tensorboard` is given and the package of this name is not installed.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        every: int = 1,
        film: bool = False,
        tensorboard: str | os.PathLike | None = None,
    ):
        super().__init__()
        check_count(every=every)
        self.folder = Path(folder)
        self.every = every
        self.film = film
        self.board = None if tensorboard is None else Board(tensorboard)

    def draw(self, path):
        """Draws what the model makes now and writes it to a PNG file."""
        raise NotImplementedError(f"{type(self).__name__} must define draw(path)")

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0 or epoch + 1 == self.params.get("epochs"):
            path = self.folder / f"epoch_{epoch + 1:04d}.png"
            self.draw(path)
            if self.board:
                self.board.show(self.folder.name, path, epoch)

    def on_train_end(self, logs=None):
        pictures = sorted(self.folder.glob("epoch_*.png"))
        if self.film and pictures:
            save_film(self.folder / "film.gif", pictures)
        if self.board:
            self.board.close()


def check_count(**counts):
    """Raises a ValueError for an argument that is not a positive integer."""
    for name, value in counts.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a positive integer. Received: {name}={value!r}")
