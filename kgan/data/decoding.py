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
    """What Pillow raises over damaged bytes, by their place in the file."""
    return (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


class CorruptImageError(ValueError):
    """An image file that cannot be read.

    Attributes:
        file: what it is called.
        reason: why, in words.
    """

    def __init__(self, file, reason):
        super().__init__(
            f"This image cannot be read: replace or remove it. Received: {file} ({reason})"
        )
        self.file, self.reason = file, str(reason)


class Remarks:
    """Gathers what is done to images that are not plain ones, and warns of each kind once."""

    def __init__(self):
        self.told, self.gathered = set(), {}

    def __call__(self, kind, text, received):
        if kind not in self.told:
            self.gathered.setdefault(kind, (text, []))[1].append(received)

    def tell(self):
        """Warns of what was gathered since: how many images, and the first of them by name."""
        for kind, (text, images) in self.gathered.items():
            self.told.add(kind)
            more = f" and {len(images) - 1} more of those read so far" if len(images) > 1 else ""
            warnings.warn(f"{text} Received: {min(images)}{more}", stacklevel=2)
        self.gathered = {}


@dataclasses.dataclass(frozen=True)
class Decoding:
    """How an image becomes pixels.

    Args:
        background: what shows through transparent parts, a colour that Pillow knows. Default:
            `"white"`.
        interpolation: `"bilinear"` (default), with antialiasing, or `"nearest"`, which makes no
            colours that were not in the image.

    Raises:
        ValueError: for other colours or interpolations.
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
        """The decoded image of a file: upright, opaque, grey or in colour, of 8 bits.

        Args:
            file: its path, or the open file.
            name: what to call it in a message. Default: the path.
            remark: a `Remarks`, or a function like it, that gathers what is done to images that
                are not plain ones. Default: nobody does.

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
            crop: whether to cut to the wanted proportions around the centre first, in place of
                changing the image's own. Default: False.
        """
        height, width = size
        image = image.convert(MODES[channels])
        resize = ImageOps.fit if crop else Image.Image.resize
        method = Image.Resampling[self.interpolation.upper()]
        pixels = np.asarray(resize(image, (width, height), method))
        return pixels if pixels.ndim == 3 else pixels[..., None]


AS_EVER = Decoding()


class Reader:
    """What reads an item of a data set as pixels: a dataclass, whose repr tells data sets apart."""

    def __repr__(self):
        # A decoding as ever is not named: runs that were begun before there were others go on.
        shown = [
            f"{field.name}={getattr(self, field.name)!r}"
            for field in dataclasses.fields(self)
            if field.repr and not (field.name == "decoding" and self.decoding == field.default)
        ]
        return f"{type(self).__name__}({', '.join(shown)})"


def two_decodings(background, interpolation):
    """Returns a `Decoding` of each of two kinds of images, whose interpolation is one or two."""
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
