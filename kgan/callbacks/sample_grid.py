"""Sample pictures from fixed latents during training."""

import os
from typing import Any

import keras
import numpy as np

from kgan import checks
from kgan.callbacks.epoch_picture import EpochPicture
from kgan.utils import numbers


class SampleGrid(EpochPicture):
    """Draws a grid of generated images after epochs, always from the same latents.

    Args:
        folder: the folder for `epoch_0001.png`, ...
        count: images in the grid. Default: 64.
        every: epochs between pictures; the last epoch is always drawn. Default: 1.
        seed: seed of the latents. Default: 0.
        film: whether to combine the pictures as `film.gif` when training ends. Default: False.
        tensorboard: a folder of event files, such as `log_dir` of `keras.callbacks.TensorBoard`,
            to write the pictures to as well, on any backend. Default: none.

    Raises:
        ValueError: if `count` or `every` is not a positive integer, the seed is not an integer from
            0, or a file is in the place of a folder; when training begins, for a model that
            translates images.
        ImportError: if `tensorboard` is given but the package tensorboard is not installed.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        count: int = 64,
        every: int = 1,
        seed: int = 0,
        film: bool = False,
        tensorboard: str | os.PathLike | None = None,
    ) -> None:
        super().__init__(folder, every, film, tensorboard)
        self.count = numbers.count("count", count)
        self.seed = numbers.fixed_seed(seed)
        self._given: dict[str, Any] = {}

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        if not self.model.draws_latents:
            raise ValueError(
                "A model that translates images has no latents: use "
                f"TranslationGrid(folder, images). Received: a {type(self.model).__name__}"
            )
        self._given = {} if self.model.draws_all else self._conditions()

    def see(self, batch: Any, batch_size: int) -> None:
        """Receives samples of the training data, for given inputs; `fit` calls this."""
        self._shown = batch

    def _conditions(self):
        """Returns the given inputs for all pictures, from the training data."""
        batch = keras.tree.map_structure(checks.to_numpy, self.model.unpack(self._shown))
        given = self.model.given_in(batch)
        drawn = {each.name for each in self.model.takes if each.is_drawn}
        return {
            name: np.resize(value, (self.count, *value.shape[1:]))
            for name, value in given.items()
            if name not in drawn
        }

    def draw(self, path: str | os.PathLike) -> None:
        made = self.model.generate(self.count, seed=self.seed, **self._given)
        self.model.save_picture(path, made)
