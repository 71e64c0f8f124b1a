"""What callbacks that draw share: when, and where to."""

import os
from pathlib import Path

import keras


class EpochPicture(keras.callbacks.Callback):
    """Calls `draw(path)` after epochs; a subclass says what is drawn.

    Args:
        folder: where `epoch_0001.png`, ... go.
        every: epochs between pictures; the last epoch is always drawn. Default: 1.

    Raises:
        ValueError: if `every` is not a positive integer.
    """

    def __init__(self, folder: str | os.PathLike, every: int = 1):
        super().__init__()
        check_count(every=every)
        self.folder = Path(folder)
        self.every = every

    def draw(self, path):
        """Draws what the model makes now and writes it to a PNG file."""
        raise NotImplementedError(f"{type(self).__name__} must define draw(path)")

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0 or epoch + 1 == self.params.get("epochs"):
            self.draw(self.folder / f"epoch_{epoch + 1:04d}.png")


def check_count(**counts):
    """Raises a ValueError for an argument that is not a positive integer."""
    for name, value in counts.items():
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} must be a positive integer. Received: {name}={value!r}")
