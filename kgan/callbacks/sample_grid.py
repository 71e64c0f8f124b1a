"""Pictures of the same latents as training goes."""

import os
from pathlib import Path

import keras

from kgan.images import save_grid


class SampleGrid(keras.callbacks.Callback):
    """Draws a grid of generated images after epochs, always from the same latents.

    Args:
        folder: where `epoch_0001.png`, ... go.
        count: images in the grid. Default: 64.
        every: epochs between pictures; the last epoch is always drawn. Default: 1.
        seed: seed of the latents. Default: 0.

    Raises:
        ValueError: if `count` or `every` is not a positive integer.
    """

    def __init__(self, folder: str | os.PathLike, count: int = 64, every: int = 1, seed: int = 0):
        super().__init__()
        for name, value in {"count": count, "every": every}.items():
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive integer. Received: {name}={value!r}")
        self.folder = Path(folder)
        self.count = count
        self.every = every
        self.seed = seed

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every == 0 or epoch + 1 == self.params.get("epochs"):
            images = self.model.generate(self.count, seed=self.seed)
            save_grid(self.folder / f"epoch_{epoch + 1:04d}.png", images)
