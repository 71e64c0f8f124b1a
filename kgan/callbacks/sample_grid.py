"""Pictures of the same latents as training goes."""

import os

import keras
import numpy as np

from kgan import checks
from kgan.callbacks.epoch_picture import EpochPicture
from kgan.utils import numbers


class SampleGrid(EpochPicture):
    """Draws a grid of generated images after epochs, always from the same latents.

    Args:
        folder: where `epoch_0001.png`, ... go.
        count: images in the grid. Default: 64.
        every: epochs between pictures; the last epoch is always drawn. Default: 1.
        seed: seed of the latents. Default: 0.
        film: whether to put the pictures together as `film.gif` when training ends. Default: False.
        tensorboard: a folder of event files, such as `log_dir` of `keras.callbacks.TensorBoard`,
            that gets the pictures too, on any backend. Default: none.

    Raises:
        ValueError: if `count` or `every` is not a positive integer, the seed no integer from 0, or
            a file is where a folder is to be; when training begins, for a model that translates
            images.
        ImportError: if `tensorboard` is given and the package of this name is not installed.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        count: int = 64,
        every: int = 1,
        seed: int = 0,
        film: bool = False,
        tensorboard: str | os.PathLike | None = None,
    ):
        super().__init__(folder, every, film, tensorboard)
        self.count = numbers.count("count", count)
        self.seed = numbers.fixed_seed(seed)
        self._given = {}

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        if not self.model.draws_latents:
            raise ValueError(
                "A model that translates images has no latents to draw from: use "
                f"TranslationGrid(folder, images). Received: a {type(self.model).__name__}"
            )
        self._given = {} if self.model.draws_all else self._conditions()

    def see(self, batch, batch_size):
        """Takes samples of the training data, for what the model is given; `fit` calls this."""
        self._shown = batch

    def _conditions(self):
        """What of the training data stands beside the latents, the same in each picture."""
        batch = keras.tree.map_structure(checks.to_numpy, self.model.unpack(self._shown))
        given = self.model.given_in(batch)
        drawn = {each.name for each in self.model.takes if each.is_drawn}
        return {
            name: np.resize(value, (self.count, *value.shape[1:]))
            for name, value in given.items()
            if name not in drawn
        }

    def draw(self, path):
        made = self.model.generate(self.count, seed=self.seed, **self._given)
        self.model.save_picture(path, made)
