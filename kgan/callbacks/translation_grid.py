"""Pictures of translations of fixed images during training."""

import os

import numpy as np
import numpy.typing as npt

from kgan import checks
from kgan.callbacks.epoch_picture import EpochPicture
from kgan.checks.value_range import shown
from kgan.images import in_color, save_columns


class TranslationGrid(EpochPicture):
    """Draws fixed images beside their translations after epochs.

    A row of `kgan.Pix2Pix` is input, output and, if given, target. A row of `kgan.CycleGAN` is an
    image of A, its translation to B and back to A, followed by rows of images of B.

    Args:
        folder: the folder for `epoch_0001.png`, ...
        images: images to translate, float32 NHWC in [-1, 1]; for CycleGAN, images of A.
        targets: the targets of `images`; for CycleGAN, any images of B. Default: None.
        every: epochs between pictures; the last epoch is always drawn. Default: 1.
        film: whether to combine the pictures as `film.gif` when training ends. Default: False.
        tensorboard: a folder of event files, such as `log_dir` of `keras.callbacks.TensorBoard`,
            to write the pictures to as well, on any backend. Default: none.

    Raises:
        ValueError: if `every` is not a positive integer, or the images cannot be shown.
        ImportError: if `tensorboard` is given but the package tensorboard is not installed.

    Example:

    ```python
    inputs, targets = kgan.data.image_pairs("pairs/val", image_size=(128, 128), batch_size=8)[0]
    model.fit(data, callbacks=[kgan.callbacks.TranslationGrid("samples", inputs, targets)])
    ```
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        images: npt.ArrayLike,
        targets: npt.ArrayLike | None = None,
        every: int = 1,
        film: bool = False,
        tensorboard: str | os.PathLike | None = None,
    ) -> None:
        super().__init__(folder, every, film, tensorboard)
        checks.check_images_of("images", images)
        if targets is not None:
            checks.check_images_of("targets", targets)
        self.images = images
        self.targets = targets

    def draw(self, path: str | os.PathLike) -> None:
        draw_translations(path, self.model, self.images, self.targets)


def draw_translations(path, model, images, targets=None):
    """Writes rows of images beside their translations as a PNG.

    Args:
        path: the file; its folder is created if needed.
        model: a `Pix2Pix` or `CycleGAN`.
        images, targets: as for `TranslationGrid`.
    """
    if model.directions:
        columns = _there_and_back(model, images, "ab", "ba")
        if targets is not None:
            of_b = _there_and_back(model, targets, "ba", "ab")
            columns = [np.concatenate(in_color(pair)) for pair in zip(columns, of_b, strict=True)]
    else:
        made = [model.translate(images), *([] if targets is None else [targets])]
        columns = [images, *(shown(each, model.generator) for each in made)]
    save_columns(path, *columns)


def _there_and_back(model, images, there, back):
    translated = model.translate(images, direction=there)
    again = model.translate(translated, direction=back)
    ours, theirs = (getattr(model, f"generator_{direction}") for direction in (back, there))
    return [shown(images, ours), shown(translated, theirs), shown(again, ours)]
