"""What stands in image files beside plain pixels, and what lies beside them in a folder."""

import os
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.data.decoding import Decoding
from kgan.data.files import find_images

RNG = np.random.default_rng(0)


def save(file, pixels, mode=None, **options):
    file.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(file, **options)
    return file


def grey(level, size=(8, 8)):
    return np.full((*size, 3), level, "uint8")


def read(folder, size=(8, 8), **options):
    """All images of a folder as pixels, in the order of their names."""
    data = kgan.data.folder(folder, size, shuffle=False, **options)
    images = np.concatenate([data[i] for i in range(len(data))])
    return np.round((images + 1) * 127.5).astype(int)


def hidden_colours(mode, transparent=0):
    """Noise under transparency around an opaque square of grey 100."""
    pixels = RNG.integers(0, 256, (8, 8, 4), dtype="uint8")
    pixels[..., 3] = transparent
    pixels[2:6, 2:6] = (100, 100, 100, 255)
    return Image.fromarray(pixels).convert(mode)


def of_a_palette():
    """The same with a palette, one of whose colours is transparent."""
    pixels = np.zeros((8, 8), "uint8")
    pixels[2:6, 2:6] = 1
    image = Image.fromarray(pixels).convert("P")
    image.putpalette([255, 0, 0, 100, 100, 100] + 254 * [0, 0, 0])
    image.info["transparency"] = 0
    return image


def of_one_colour_left_out():
    """The same as grey, one of whose levels is transparent."""
    image = Image.fromarray(np.zeros((8, 8), "uint8"))
    image.paste(100, (2, 2, 6, 6))
    image.info["transparency"] = 0
    return image


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "image",
    [hidden_colours("RGBA"), hidden_colours("LA"), of_a_palette(), of_one_colour_left_out()],
    ids=["RGBA", "LA", "P", "L"],
)
def test_the_background_shows_through_what_is_transparent(image, channels, tmp_path):
    save(tmp_path / "a.png", image)
    options = {"channels": channels}
    for background, level in ((None, 255), ("black", 0), ("#404040", 64)):
        options |= {} if background is None else {"background": background}
        with pytest.warns(UserWarning, match=f"laid on {background or 'white'}.*Received: .*a.png"):
            (pixels,) = read(tmp_path, **options)
        assert (pixels[2:6, 2:6] == 100).all()
        assert (pixels[:2] == level).all() and (pixels[:, 6:] == level).all()


def test_what_is_half_transparent_is_mixed_before_it_is_resized(tmp_path):
    """Else colours of hidden pixels would bleed over the edges."""
    save(tmp_path / "a.png", hidden_colours("RGBA"))
    save(tmp_path / "b.png", hidden_colours("RGBA", transparent=128))
    with pytest.warns(UserWarning, match="transparent"):
        clear, half = read(tmp_path, (4, 4))
    assert clear.min() >= 100 and (clear[..., 0] == clear[..., 2]).all()
    assert (half[..., 0] != half[..., 2]).any()
    pixels = np.dstack([grey(100), np.full((8, 8), 255, "uint8")])
    save(tmp_path / "opaque" / "a.png", pixels)
    assert (read(tmp_path / "opaque") == 100).all()  # without a word


def test_sixteen_bits_keep_their_range(tmp_path):
    ramp = np.linspace(0, 65535, 64).round().astype("uint16").reshape(8, 8)
    for name in ("a.png", "b.tif"):
        save(tmp_path / name, ramp)
    Image.fromarray(ramp.astype(">u2")).save(tmp_path / "c.tiff")
    for pixels in read(tmp_path, channels=1):
        np.testing.assert_array_equal(pixels[..., 0], ramp >> 8)


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_few_bits_of_sixteen_are_told_once(bits, tmp_path):
    for i in range(3):
        save(tmp_path / f"{i}.png", np.full((8, 8), 2**bits - 1, "uint16"))
    with pytest.warns(UserWarning, match=f"nearly black.*brighter than {2**bits - 1}") as told:
        assert read(tmp_path, channels=1).max() < 64
    assert len(told) == 1


@pytest.mark.parametrize("kind", [2, 4, 6], ids=["RGB", "LA", "RGBA"])
def test_few_bits_of_sixteen_are_told_of_colours_too(kind, tmp_path):
    """Pillow reads these as 8 bits, and writes none of them, so the file is put together here."""
    channels = {2: 3, 4: 2, 6: 4}[kind]
    for name, level in (("dark", 4095), ("light", 60000)):
        pixels = np.full((8, 8, channels), level, ">u2")
        if kind > 2:
            pixels[..., -1] = 65535
        rows = b"".join(b"\0" + row.tobytes() for row in pixels)
        header = struct.pack(">IIBBBBB", 8, 8, 16, kind, 0, 0, 0)
        parts = (b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
        content = b"".join(
            struct.pack(">I", len(part)) + key + part + struct.pack(">I", zlib.crc32(key + part))
            for key, part in parts
        )
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    assert (read(tmp_path / "light") == 60000 >> 8).all()  # without a word
    with pytest.warns(UserWarning, match="nearly black.*brighter than 4095"):
        assert (read(tmp_path / "dark") == 4095 >> 8).all()


def test_pixels_without_a_known_range_are_left_out_with_the_reason(tmp_path):
    save(tmp_path / "a.tif", np.full((8, 8), 0.5, "float32"))
    save(tmp_path / "b.tif", np.full((8, 8), 7, "int32"))
    with pytest.raises(ValueError, match=r"None of the 2 .*a\.tif .*mode 'F'.*b\.tif .*mode 'I'"):
        read(tmp_path)
    save(tmp_path / "c.png", grey(3))
    data = kgan.data.folder(tmp_path, (8, 8))
    assert np.unique(data[0]).size == 1
    with pytest.warns(UserWarning, match="2 of 3 images cannot be read.*mode 'F' have no known"):
        data.on_epoch_end()


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "1", "L", "P", "LAB"])
def test_every_mode_becomes_colour_or_is_left_out(mode, tmp_path):
    """None of them ends training: LAB, which Pillow does not convert, is passed over."""
    save(tmp_path / "a.png", grey(0))
    save(tmp_path / "b.tif", grey(255) if mode != "LAB" else Image.new("LAB", (8, 8)))
    if mode != "LAB":
        save(tmp_path / "b.tif", grey(255), mode)
    dark, light = read(tmp_path)
    assert dark.max() == 0
    assert light.min() >= 250 or mode == "LAB"


@pytest.mark.parametrize("ending", ["jpg", "png", "tif"])
def test_turned_images_stand_upright(ending, tmp_path):
    exif = Image.Exif()
    exif[274] = 6  # a quarter turn to the right
    pixels = np.zeros((8, 16, 3), "uint8")
    pixels[:, :8] = 255
    save(tmp_path / f"a.{ending}", pixels, exif=exif)
    (turned,) = read(tmp_path, (16, 8))
    assert turned[:6].min() > 200 and turned[10:].max() < 50


@pytest.mark.parametrize("ending", ["gif", "png", "webp", "tif"])
def test_of_an_animation_the_first_frame_is_read(ending, tmp_path):
    frames = [Image.fromarray(grey(level)) for level in (0, 255)]
    frames[0].save(tmp_path / f"a.{ending}", save_all=True, append_images=frames[1:])
    with pytest.warns(UserWarning, match="the first one is read. Received: .*with 2"):
        assert read(tmp_path).max() < 5


def test_colours_of_label_maps_stay_what_they_are(tmp_path):
    classes = RNG.integers(0, 256, (4, 3), dtype="uint8")
    labels = classes[RNG.integers(0, 4, (40, 40))]
    names = {tuple(color) for color in classes.tolist()}

    def colours(images):
        pixels = np.round((np.asarray(images) + 1) * 127.5).astype(int).reshape(-1, 3)
        return {tuple(color) for color in pixels.tolist()}

    for i in range(2):
        save(tmp_path / "photos" / f"{i}.png", grey(i, (40, 40)))
        save(tmp_path / "labels" / f"{i}.png", labels, "P")
        save(tmp_path / "pairs" / f"{i}.png", np.hstack([labels, labels]))
    folders = tmp_path / "photos", tmp_path / "labels"
    assert not colours(kgan.data.image_pairs(*folders, (16, 16))[0][1]) <= names
    options = {"interpolation": ("bilinear", "nearest")}
    kept = colours(kgan.data.image_pairs(*folders, (16, 16), **options)[0][1])
    assert kept and kept <= {tuple(c) for c in np.unique(_as_saved(folders[1]), axis=0).tolist()}
    left, right = kgan.data.image_pairs(tmp_path / "pairs", None, (16, 16), **options)[0]
    assert colours(right) <= names and not colours(left) <= names
    _, b = kgan.data.image_domains(*folders, (16, 16), **options)[0]
    assert colours(b) == kept
    assert (
        colours(kgan.data.folder(tmp_path / "pairs", (9, 9), interpolation="nearest")[0]) <= names
    )


def _as_saved(folder):
    with Image.open(folder / "0.png") as image:
        return np.asarray(image.convert("RGB")).reshape(-1, 3)


@pytest.mark.parametrize(
    ("options", "received"),
    [
        ({"background": "whitish"}, "background='whitish'"),
        ({"background": 255}, "background=255"),
        ({"interpolation": "bicubic"}, "interpolation='bicubic'"),
        ({"interpolation": ("nearest",)}, r"interpolation=\('nearest',\)"),
    ],
)
def test_what_is_no_decoding(options, received, tmp_path):
    save(tmp_path / "a.png", grey(0))
    with pytest.raises(ValueError, match=f"Received: {received}"):
        kgan.data.image_domains(tmp_path, tmp_path, **options)


def test_a_run_of_before_goes_on_and_another_decoding_is_another_run(tmp_path):
    save(tmp_path / "a.png", grey(0))
    (source,) = kgan.data.folder(tmp_path, (8, 8)).describe()["sources"]
    assert source["read"] == "ReadImage(size=(8, 8), channels=3, crop=True)"
    (other,) = kgan.data.folder(tmp_path, (8, 8), background="black").describe()["sources"]
    assert "black" in other["read"]
    (pairs,) = kgan.data.image_pairs(tmp_path, tmp_path).describe()["sources"]
    assert pairs["read"] == "ReadTwoFiles(size=(8, 8), channels=(3, 3))"


def test_hidden_images_are_left_out_and_said(tmp_path):
    kept = [save(tmp_path / "a.png", grey(0)), save(tmp_path / "b" / "c.png", grey(0))]
    (tmp_path / ".DS_Store").write_bytes(b"litter that nobody takes for an image")
    find_images(tmp_path)  # without a word
    for hidden in (".thumbnails/a.png", "__MACOSX/._a.png", "b/@eaDir/x.jpg", "b/._c.png"):
        save(tmp_path / hidden, grey(255), format="PNG")
    with pytest.warns(UserWarning, match="2 images are read. Left out: 4 hidden") as told:
        assert find_images(tmp_path) == kept
    for name in (".thumbnails", "__MACOSX", "@eaDir", "._c.png"):
        assert name in str(told[0].message)
    save(tmp_path / "empty" / ".a.png", grey(0))
    with pytest.raises(ValueError, match="no image in it but 1 hidden"):
        find_images(tmp_path / "empty")


def test_a_hidden_folder_that_is_named_is_read(tmp_path):
    file = save(tmp_path / ".cache" / "photos" / "a.png", grey(0))
    assert find_images(tmp_path / ".cache") == [file]


def test_other_files_are_said(tmp_path):
    save(tmp_path / "a.png", grey(0))
    for name in ("notes.txt", "b.heic", "b2.HEIC", "README"):
        (tmp_path / name).write_text("something")
    (tmp_path / "folder.png").mkdir()  # not a file, and nothing in it
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.warns(UserWarning, match="1 images are read") as told:
        assert [file.name for file in find_images(tmp_path)] == ["a.png"]
    (text,) = (str(warning.message) for warning in told)
    assert "4 of other kinds (.heic, .txt, README)" in text
    assert "2 not to be opened (gone.png, pipe.png)" in text


def test_links_are_followed_and_loops_are_not(tmp_path):
    folder, elsewhere = tmp_path / "photos", tmp_path / "elsewhere"
    save(folder / "a.png", grey(0))
    save(elsewhere / "deep" / "b.png", grey(1))
    (folder / "c.png").symlink_to(elsewhere / "deep" / "b.png")
    (folder / "more").symlink_to(elsewhere)
    (folder / "again").symlink_to(elsewhere / "deep")
    (folder / "above").symlink_to(tmp_path)
    (folder / "itself").symlink_to(folder)
    (elsewhere / "back").symlink_to(folder)
    (elsewhere / "own").symlink_to(elsewhere / "own")
    with pytest.warns(UserWarning, match=r"1 not to be opened \(more/own\)"):
        found = [str(file.relative_to(folder)) for file in find_images(folder)]
    assert found == ["a.png", "again/b.png", "c.png"]
    (tmp_path / "link").symlink_to(elsewhere / "deep")
    assert [file.name for file in find_images(tmp_path / "link")] == ["b.png"]


def test_a_remark_of_a_part_is_not_made_again(tmp_path):
    for i in range(4):
        save(tmp_path / f"{i}.png", hidden_colours("RGBA"))
    (source,) = kgan.data.folder(tmp_path, (8, 8), shuffle=False).sources
    parts = source.part([0, 1]), source.part([2, 3])
    with pytest.warns(UserWarning, match="transparent") as told:
        assert [len(list(part.once())) for part in parts] == [2, 2]
    assert len(told) == 1


def test_a_plain_image_costs_no_remark(tmp_path):
    save(tmp_path / "a.png", grey(7))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Decoding().opened(tmp_path / "a.png") as image:
            assert image.mode == "RGB"
