"""Pictures of the same latents as training goes."""

import os

from kgan.callbacks.epoch_picture import EpochPicture
from kgan.checks.value_range import shown
from kgan.generation.translate import Translated
from kgan.images import save_grid
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

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        if isinstance(self.model, Translated):
            raise ValueError(
                "A model that translates images has no latents to draw from: use "
                f"TranslationGrid(folder, images). Received: a {type(self.model).__name__}"
            )

    def draw(self, path):
        images = self.model.generate(self.count, seed=self.seed)
        save_grid(path, shown(images, self.model.generator))
