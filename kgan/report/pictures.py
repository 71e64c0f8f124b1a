"""The grids of a run, small enough to go into a page."""

import base64
import io
import tempfile
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from kgan.callbacks.epoch_picture import epoch_of
from kgan.export.untrusted import archives
from kgan.images import save_film

WIDEST, SMALL = 900, 420  # pixels, of the film and of the pictures in the strip
MOST_FRAMES, SHOWN = 48, 6
_TOO_LARGE = (Image.DecompressionBombWarning, Image.DecompressionBombError)


def check_picture(picture):
    """Decodes a picture once; a ValueError says that it is damaged or too large."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(picture, formats=["PNG"]) as image:
                image.load()
    except (*archives.DAMAGE, MemoryError, *_TOO_LARGE) as error:
        raise ValueError(f"{picture} cannot be read: {error}") from error


def film(pictures):
    """The pictures one after the other, as the address of a GIF in the page."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.gif"
        save_film(path, pictures, most=MOST_FRAMES, widest=WIDEST)
        return _address(path.read_bytes(), "gif")


def still(picture, widest=WIDEST):
    """A picture, as the address of a PNG in the page."""
    with Image.open(picture) as image:
        if image.width <= widest:
            return _address(Path(picture).read_bytes(), "png")
        height = round(image.height * widest / image.width)
        buffer = io.BytesIO()
        image.resize((widest, height), Image.Resampling.LANCZOS).save(buffer, "PNG")
        return _address(buffer.getvalue(), "png")


def strip(pictures):
    """A few of the pictures, evenly taken: list of `(epoch, address)`."""
    chosen = np.unique(np.linspace(0, len(pictures) - 1, SHOWN).round().astype(int))
    return [(epoch_of(pictures[i]), still(pictures[i], SMALL)) for i in chosen]


def _address(content, kind):
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
