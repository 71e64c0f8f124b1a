"""Image files decoded: upright, opaque, in 8 bits, of one size."""

import contextlib
import dataclasses
import warnings

import numpy as np

from kgan.utils import numbers
from kgan.utils.advice import advice
from kgan.utils.optional import Later

Image, ImageColor, ImageOps = map(Later, ("PIL.Image", "PIL.ImageColor", "PIL.ImageOps"))

MODES = {1: "L", 3: "RGB"}
INTERPOLATIONS = ("bilinear", "nearest")
DARK = 2**14  # below this brightest pixel, 16 bits are hardly a quarter as bright as white
ANIMATED = ("GIF", "PNG", "TIFF", "WEBP")  # others that have frames keep a preview in the second


def damage():
    """Returns the exceptions that Pillow raises for damaged files."""
    return (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


class CorruptImageError(ValueError):
    """An image file that cannot be read.

    Attributes:
        file: its name.
        reason: why it cannot be read.
    """

    def __init__(self, file, reason):
        super().__init__(
            f"This image cannot be read: replace or remove it. Received: {file} ({reason})"
        )
        self.file, self.reason = file, str(reason)


class Remarks:
    """Collects remarks on how unusual images are read, and warns once about each kind."""

    def __init__(self):
        self.told, self.gathered = set(), {}

    def __call__(self, kind, text, received):
        if kind not in self.told:
            self.gathered.setdefault(kind, (text, []))[1].append(received)

    def tell(self):
        """Warns about the collected remarks: the number of images, and the name of the first."""
        for kind, (text, images) in self.gathered.items():
            self.told.add(kind)
            more = f" and {len(images) - 1} more of those read so far" if len(images) > 1 else ""
            warnings.warn(f"{text} Received: {min(images)}{more}", stacklevel=2)
        self.gathered = {}


@dataclasses.dataclass(frozen=True)
class Decoding:
    """How an image becomes pixels.

    Args:
        background: the colour behind transparent parts, as Pillow knows it. Default:
            `"white"`.
        interpolation: `"bilinear"` (default), with antialiasing, or `"nearest"`, which adds
            no new colours.

    Raises:
        ValueError: for an unknown colour or interpolation.
    """

    background: str = "white"
    interpolation: str = "bilinear"

    def __post_init__(self):
        numbers.choice("interpolation", self.interpolation, INTERPOLATIONS)
        if isinstance(self.background, str) and self.background == "white":
            return  # as a default, made before Pillow is loaded
        try:
            ImageColor.getrgb(self.background)
        except (ValueError, AttributeError, TypeError) as error:
            raise ValueError(
                'background must be a colour such as "white" or "#808080". '
                f"Received: background={numbers.shown(self.background)}"
            ) from error

    @contextlib.contextmanager
    def opened(self, file, name=None, remark=None):
        """Opens a file as a decoded image: upright, opaque, grey or RGB, 8 bits.

        Args:
            file: its path, or the open file.
            name: its name in messages. Default: the path.
            remark: a `Remarks` or similar function that collects how unusual images are read.
                Default: none.

        Raises:
            CorruptImageError: if the file cannot be read.
        """
        name = name or file
        remark = remark or (lambda kind, text, received: None)
        try:
            with Image.open(file) as image:
                if image.format in ANIMATED and getattr(image, "is_animated", False):
                    remark(
                        "frames",
                        "Of images with several frames or pages the first one is read.",
                        f"{name} with {image.n_frames}",
                    )
                # Pillow up to 11 has no mode of its own for PNG files of 16 bits.
                deep = image.mode.startswith("I;16") or (image.mode, image.format) == ("I", "PNG")
                cut = ";16" in str(image.tile)  # by Pillow, which keeps the upper eight of colours
                upright = ImageOps.exif_transpose(image)
                if deep:
                    upright = _eight_bits(upright, name, remark)
                elif cut:
                    colours = upright.convert("RGBA").getextrema()[:3]
                    _tell_of_dark(256 * max(high for _, high in colours) + 255, name, remark)
                plain = self._opaque(upright, name, remark)
        except damage() as error:
            raise CorruptImageError(name, error) from error
        yield plain

    def _opaque(self, image, name, remark):
        if image.mode in ("I", "F"):
            raise ValueError(
                f"pixels of mode {image.mode!r} have no known range: save them as 8 or 16 bits"
            )
        if image.mode in ("L", "RGB") and "transparency" not in image.info:
            image.load()
            return image
        if not image.has_transparency_data:
            return image.convert("L" if image.mode == "1" else "RGB")
        image = image.convert("RGBA")
        if image.getextrema()[3][0] < 255:
            remark(
                "transparent",
                f"Images with transparent parts are laid on {self.background}; "
                f"{advice('background=', '--background of kgan train')} names another colour.",
                str(name),
            )
        color = (*ImageColor.getrgb(self.background)[:3], 255)
        return Image.alpha_composite(Image.new("RGBA", image.size, color), image).convert("RGB")

    def to_array(self, image, size, channels, crop=False):
        """Returns the pixels of a Pillow image, uint8 `(height, width, channels)`.

        Args:
            image: of `opened`.
            size: `(height, width)` to resize to.
            channels: 1 for grey, 3 for colour.
            crop: whether to crop to the wanted proportions around the centre first, instead of
                changing the aspect ratio. Default: False.
        """
        height, width = size
        image = image.convert(MODES[channels])
        resize = ImageOps.fit if crop else Image.Image.resize
        method = Image.Resampling[self.interpolation.upper()]
        pixels = np.asarray(resize(image, (width, height), method))
        return pixels if pixels.ndim == 3 else pixels[..., None]


AS_EVER = Decoding()


class Reader:
    """Base class of readers of pixels: dataclasses, whose repr identifies the data set."""

    def __repr__(self):
        # A default decoding is not named, so that older checkpoints still match.
        shown = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in dataclasses.fields(self)
            if field.repr and not (field.name == "decoding" and self.decoding == field.default)
        ]
        return f"{type(self).__name__}({', '.join(shown)})"


def two_decodings(background, interpolation):
    """Returns two `Decoding`s, from one or two interpolations."""
    both = interpolation if isinstance(interpolation, (tuple, list)) else (interpolation,) * 2
    if len(both) != 2:
        raise ValueError(
            'interpolation must be "bilinear", "nearest" or two of these. '
            f"Received: interpolation={numbers.shown(interpolation)}"
        )
    return tuple(Decoding(background, each) for each in both)


def _eight_bits(image, name, remark):
    """Pillow itself would turn all but the darkest 16-bit pixels white."""
    pixels = np.asarray(image)
    _tell_of_dark(pixels.max(), name, remark)
    return Image.fromarray((pixels >> 8).astype("uint8"))


def _tell_of_dark(brightest, name, remark):
    if 0 < brightest < DARK:
        remark(
            "dark",
            "Images of 16 bits are read by their full range, to 65535, and are nearly black where "
            "they use little of it: spread values of 10, 12 or 14 bits over the range first.",
            f"{name}, with nothing brighter than {brightest}",
        )
