"""Pictures of the same translations as training goes."""

import os

import numpy as np

from kgan import checks
from kgan.callbacks.epoch_picture import EpochPicture
from kgan.checks.value_range import shown
from kgan.images import in_color, save_columns


class TranslationGrid(EpochPicture):
    """Draws images beside their translations after epochs, always of the same images.

    A row of `kgan.Pix2Pix` is input, output and, if given, target. A row of `kgan.CycleGAN` is an
    image of A, its translation to B, and that back again to A; then follow rows of images of B.

    Args:
        folder: where `epoch_0001.png`, ... go.
        images: what to translate, float32 NHWC in [-1, 1]; of CycleGAN, images of A.
        targets: the targets of `images`; of CycleGAN, any images of B. Default: None.
        every: epochs between pictures; the last epoch is always drawn. Default: 1.
        film: whether to put the pictures together as `film.gif` when training ends. Default: False.
        tensorboard: a folder of event files, such as `log_dir` of `keras.callbacks.TensorBoard`,
            that gets the pictures too, on any backend. Default: none.

    Raises:
        ValueError: if `every` is not a positive integer, or images are no batch that can be shown.
        ImportError: if `tensorboard` is given and the package of this name is not installed.

    Example:

    ```python
    inputs, targets = kgan.data.image_pairs("pairs/val", image_size=(128, 128), batch_size=8)[0]
    model.fit(data, callbacks=[kgan.callbacks.TranslationGrid("samples", inputs, targets)])
    ```
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        images,
        targets=None,
        every: int = 1,
        film: bool = False,
        tensorboard: str | os.PathLike | None = None,
    ):
        super().__init__(folder, every, film, tensorboard)
        checks.check_images_of("images", images)
        if targets is not None:
            checks.check_images_of("targets", targets)
        self.images = images
        self.targets = targets

    def draw(self, path):
        draw_translations(path, self.model, self.images, self.targets)


def draw_translations(path, model, images, targets=None):
    """Writes rows of images beside their translations as a PNG.

    Args:
        path: the file; its folder is made if needed.
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
