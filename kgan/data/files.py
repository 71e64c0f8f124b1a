"""Finds image files in folders and reads their sizes."""

import contextlib
import os
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from kgan.data.decoding import MODES, damage
from kgan.utils import numbers
from kgan.utils.advice import advice, received
from kgan.utils.optional import Later
from kgan.utils.paths import check_path

Image = Later("PIL.Image")

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
HIDDEN = ("__MACOSX", "@eaDir", "$RECYCLE.BIN")  # with what begins with a dot
SHOWN = 5  # names in a message
TURNED = 5  # from this EXIF orientation on, width and height change places


def find_images(path: str | os.PathLike) -> list[Path]:
    """Returns the image files below a folder, sorted, and warns once about skipped files.

    Links are followed, and each folder is visited once. Hidden files are skipped: names that begin
    with a dot, and the preview folders of operating systems.

    Raises:
        ValueError: if the folder does not exist, is a file, or contains no image.
    """
    folder = check_path("path", path)
    found: list[Path] = []
    left_out: dict[str, list[str]] = {}
    for file, regular in _below(folder) if folder.is_dir() else ():
        image = file.suffix.lower() in SUFFIXES
        hidden = next((part for part in file.relative_to(folder).parts if _is_hidden(part)), None)
        if hidden and image:
            left_out.setdefault("hidden", []).append(hidden)
        elif not hidden and not regular:
            left_out.setdefault("not to be opened", []).append(str(file.relative_to(folder)))
        elif image:
            found.append(file)
        elif not hidden:
            left_out.setdefault("of other kinds", []).append(file.suffix.lower() or file.name)
    others = ", ".join(f"{len(names)} {why} ({_some(names)})" for why, names in left_out.items())
    if not found:
        state = "a file, not a folder" if folder.exists() else "no such folder"
        if folder.is_dir():
            state = "no image in it" + (f" but {others}" if others else "")
        raise ValueError(
            f"The folder must hold images ({', '.join(SUFFIXES)}), also in subfolders. "
            f"Received: {received('path', path)}, {state}"
        )
    if others:
        # From this line, whoever calls: so Python shows the same text once.
        warnings.warn(f"Of {path} {len(found)} images are read. Left out: {others}.", stacklevel=1)
    return sorted(found)


def _below(folder):
    """Yields the files below a folder, and whether each is a regular file."""
    root = Path(os.path.realpath(folder))
    links, seen = [folder], set()
    while links:
        waiting = [links.pop(0)]
        while waiting:
            place = waiting.pop()
            real = os.path.realpath(place)
            # A link that leads above the folder is a loop.
            if real in seen or (root != Path(real) and root.is_relative_to(real)):
                continue
            seen.add(real)
            try:
                entries = list(os.scandir(place))
            except OSError:
                yield Path(place), False
                continue
            for entry in entries:
                linked = entry.is_symlink()
                # Of an entry it costs no look at the disk, but a link to itself is an error.
                if os.path.isdir(entry.path) if linked else entry.is_dir():
                    (links if linked else waiting).append(entry.path)
                else:
                    regular = os.path.isfile(entry.path) if linked else entry.is_file()
                    yield Path(entry.path), regular
        links.sort()


def _is_hidden(name):
    return name.startswith(".") or name in HIDDEN


def _some(names):
    unique = sorted(set(names))
    return ", ".join(unique[:SHOWN]) + (", ..." if len(unique) > SHOWN else "")


def sizes_of(files: Iterable[Path]) -> dict[tuple[int, int], list[Path]]:
    """Groups files by their `(height, width)`, read from the headers only.

    Files without a readable header are skipped here, and reported when they are read.
    """
    sizes: dict[tuple[int, int], list[Path]] = {}
    for file in files:
        with contextlib.suppress(*damage()), Image.open(file) as image:
            # Pillow would decode the whole of an image without EXIF data to look for it.
            orientation = image.getexif().get(274, 1) if "exif" in image.info else 1
            width, height = image.size[::-1] if orientation >= TURNED else image.size
            sizes.setdefault((height, width), []).append(file)
    return sizes


def the_size(sizes: dict[tuple[int, int], list[Path]]) -> tuple[int, int]:
    """Returns the common size of the files of `sizes_of`.

    Raises:
        ValueError: if there are several sizes or none.
    """
    if len(sizes) == 1:
        return next(iter(sizes))
    shown = sorted(sizes.items(), key=lambda item: -len(item[1]))
    found = ", ".join(f"{h}x{w} ({len(of)} files, {of[0].name})" for (h, w), of in shown[:SHOWN])
    fix = advice("pass image_size=(height, width)", "add --image-size, as in --image-size 96x128")
    raise ValueError(
        f"Images that differ in height and width must be resized: {fix}. "
        f"Received: {advice('image_size=None', 'no --image-size')}, {found or 'no readable image'}"
        f"{', ...' if len(shown) > SHOWN else ''}"
    )


def check_size(image_size):
    """Returns `(height, width)` as a tuple.

    Raises:
        ValueError: if it is not a pair of positive integers.
    """
    return numbers.counts("image_size", image_size, ("height", "width"))


def check_channels(channels):
    """Validates the channels to read images with, 1 or 3.

    Raises:
        ValueError: if they are anything else.
    """
    if not numbers.is_integer(channels) or channels not in MODES:
        raise ValueError(f"channels must be 1 or 3. Received: channels={numbers.shown(channels)}")
    return int(channels)


def check_two_channels(channels):
    """Returns the channels of two kinds of images, from one number or two.

    Raises:
        ValueError: if they are not 1 or 3.
    """
    both = tuple(channels) if np.iterable(channels) else (channels, channels)
    if len(both) != 2:
        raise ValueError(f"channels must be 1, 3 or two of these. Received: channels={channels!r}")
    return tuple(map(check_channels, both))
