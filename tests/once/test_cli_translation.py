"""The command line for translators: training, translating files, drawing."""

import json
import shutil
import warnings

import keras
import numpy as np
import pytest
from conftest import command as kgan
from PIL import Image

from kgan.export import load
from kgan.images import from_pixels, to_pixels

TRAIN = ["--image-size", "16x24", "--width", 2, "--epochs", 1]


def photos(folder, count, mode="RGB", size=(30, 20), ending="png"):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(count)
    shape = size[::-1] if mode == "L" else (*size[::-1], 3)
    for i in range(count):
        pixels = rng.integers(256, size=shape, dtype="uint8")
        Image.fromarray(pixels).save(folder / f"{i}.{ending}")
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    photos(folder / "in", 3)
    photos(folder / "out", 3, "L")
    photos(folder / "pairs", 3, size=(60, 20))
    photos(folder / "square", 1, size=(20, 20))
    photos(folder / "domains" / "trainA", 3)
    photos(folder / "domains" / "trainB", 2)
    return folder


@pytest.fixture(scope="module")
def pix2pix(folders, tmp_path_factory):
    """From colour to grey, of two folders."""
    out = tmp_path_factory.mktemp("pix2pix")
    options = ["--targets", folders / "out", "--channels", "3,1", "--out", out]
    printed = kgan("train", folders / "in", "--model", "pix2pix", *options, *TRAIN)
    assert "Training on 3 pairs of images (16, 24, 3) -> (16, 24, 1)" in printed
    settings = json.loads((out / "settings.json").read_text())
    assert not {"network", "latent_dim"} & set(settings)
    return out


@pytest.fixture(scope="module")
def cyclegan(folders, tmp_path_factory):
    out = tmp_path_factory.mktemp("cyclegan")
    options = ["--model", "cyclegan", "--decay", "--out", out]
    printed = kgan("train", folders / "domains", *options, *TRAIN)
    assert "Training on 3 and 2 images (16, 24, 3)" in printed
    return out


def test_train_leaves_a_model_and_rows_of_pictures(pix2pix, cyclegan):
    for out, rows in [(pix2pix, 3), (cyclegan, 3 + 3)]:
        assert (out / "gan.keras").is_file()
        assert (out / "log.csv").read_text().count("\n") == 2
        with Image.open(out / "samples" / "epoch_0001.png") as picture:
            assert picture.size == (2 * (3 * 25 - 1), 2 * (rows * 17 - 1))


def test_a_run_goes_on(pix2pix, folders, tmp_path):
    out = shutil.copytree(pix2pix, tmp_path / "run")
    options = ["--targets", folders / "out", "--channels", "3,1", "--out", out, *TRAIN[:-1], 2]
    train = ["train", folders / "in", "--model", "pix2pix", *options]
    kgan(*train, "--resume")
    assert (out / "log.csv").read_text().count("\n") == 1 + 2
    refused = kgan(*train, "--width", 3, "--no-jitter", "--resume", code=2)
    assert "Received (what the run has): --width 3 (2), without --jitter" in refused


def test_a_run_that_decays_keeps_its_epochs(cyclegan, folders):
    options = ["--model", "cyclegan", "--decay", "--out", cyclegan, *TRAIN[:-1], 2]
    assert "--epochs 2 (1)" in kgan("train", folders / "domains", *options, "--resume", code=2)


def test_a_warning_is_a_line(folders, tmp_path):
    options = ["--targets", folders / "out", "--out", tmp_path, "--image-size", 34, "--width", 1]
    options += ["--loss", "none"]
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        printed = kgan("train", folders / "in", "--model", "pix2pix", *options, code=2)
    warning, error = printed.splitlines()
    assert warning.startswith("kgan: warning: This size can be halved once only")
    assert "Received: --loss none" in error


def test_pairs_side_by_side_the_other_way(folders, tmp_path):
    options = ["--model", "pix2pix", "--swap", "--no-jitter", "--out", tmp_path]
    kgan("train", folders / "pairs", *options, *TRAIN)
    out, gan = tmp_path / "grid.png", tmp_path / "gan.keras"
    printed = kgan("grid", gan, folders / "pairs", "--out", out, "--count", 2)
    assert "as in training (--swap)" in printed
    with Image.open(out) as picture:
        target = picture.crop((2 * 50, 0, 2 * 50 + 48, 32)).resize(
            (24, 16), Image.Resampling.NEAREST
        )
    lefts = []
    for i in range(3):
        with Image.open(folders / "pairs" / f"{i}.png") as pair:
            left = pair.crop((0, 0, 30, 20)).resize((24, 16), Image.Resampling.BILINEAR)
        lefts.append(np.abs(np.asarray(left, int) - target).max())
    assert min(lefts) <= 1
    drawn = out.read_bytes()
    kgan("grid", tmp_path, folders / "pairs", "--no-swap", "--out", out, "--count", 2)
    assert out.read_bytes() != drawn
    arguments = ["translate", tmp_path, folders / "pairs", "--out", tmp_path / "new"]
    assert "Received: 3 of 3 files" in kgan(*arguments, code=2)
    assert "Translated 3 of 3" in kgan(*arguments, "--whole")


def test_images_are_read_as_in_training_by_every_command(folders, tmp_path):
    """The options of a run are those of what measures, draws and translates after it."""
    source, out = photos(tmp_path / "clear", 3), tmp_path / "run"
    for file in source.iterdir():
        with Image.open(file) as photo:
            photo.putalpha(Image.linear_gradient("L").resize(photo.size))
            photo.save(file)
    shutil.copytree(source, tmp_path / "targets")
    data = [source, "--targets", tmp_path / "targets"]
    options = ["--model", "pix2pix", "--out", out, *TRAIN]
    options += ["--background", "black", "--interpolation", "bilinear,nearest"]
    measured = ["--metrics", "sliced_wasserstein", "--out", out / "scores.json"]
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        for command in (
            ["train", *data, *options],
            ["grid", out, source, tmp_path / "targets", "--out", tmp_path / "grid.png"],
            ["translate", out, source, "--out", tmp_path / "translated"],
            ["evaluate", out, *data, *measured],
        ):
            assert kgan(*command).count("laid on black") == 1
        options[options.index("black")] = "white"
        refused = kgan("train", *data, *options, "--resume", code=2)
        assert "--background white (black)" in refused
    protocol = json.loads((out / "scores.json").read_text())["sliced_wasserstein"]["protocol"]
    assert protocol["reference_resize"].startswith("bilinear with antialiasing and nearest")
    for option, value in (("--background", "whitish"), ("--interpolation", "nearest,bicubic")):
        refused = kgan("train", *data, *options, option, value, code=2)
        assert f"Received: {option} {value}" in refused
    gan = ["train", folders / "in", "--image-size", 16, "--interpolation", "nearest,nearest"]
    assert "Received: --interpolation nearest,nearest" in kgan(*gan, code=2)


def test_translate_keeps_names_and_sizes(pix2pix, folders, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(folders / "in", source / "deep")
    photos(source / "wide", 1, size=(77, 11), ending="jpg")
    photos(source / "grey", 1, "L", size=(8, 50))
    (source / "broken.png").write_bytes(b"no picture")
    Image.new("RGB", (9, 9), "white").save(source / "white.png")
    arguments = ["translate", pix2pix / "gan.keras", source, "--out", tmp_path / "new"]
    printed = kgan(*arguments, "--batch-size", 1)
    assert "Translated 6 of 7 images" in printed
    assert "1 cannot be read" in printed and "broken.png (cannot identify" in printed
    sizes = {}
    for file in (tmp_path / "new").rglob("*.*"):
        with Image.open(file) as image:
            sizes[str(file.relative_to(tmp_path / "new"))] = image.size
            assert image.mode == "L"
    deep = {f"deep/{i}.png": (30, 20) for i in range(3)}
    assert sizes == {**deep, "wide/0.jpg": (77, 11), "grey/0.png": (8, 50), "white.png": (9, 9)}
    assert "add --overwrite" in kgan(*arguments, code=2)
    assert "among what is translated" in kgan(*arguments[:-1], source / "new", code=2)
    assert "one way only" in kgan(*arguments, "--overwrite", "--direction", "ba", code=2)
    kgan(*arguments, "--overwrite")


def test_each_direction_is_that_of_the_model(cyclegan, folders, tmp_path):
    """The files hold what `translate` gives in Python, resized."""
    file = folders / "domains" / "trainA" / "0.png"
    gan = keras.saving.load_model(cyclegan / "gan.keras")
    with Image.open(file) as image:
        pixels = np.asarray(image.resize((24, 16), Image.Resampling.BILINEAR))
    for direction in ("ab", "ba"):
        options = ["--out", tmp_path / direction, "--direction", direction]
        kgan("translate", cyclegan / "gan.keras", file, *options)
        (expected,) = to_pixels(gan.translate(from_pixels(pixels)[None], direction=direction))
        expected = Image.fromarray(expected).resize((30, 20), Image.Resampling.BICUBIC)
        with Image.open(tmp_path / direction / "0.png") as translated:
            np.testing.assert_array_equal(np.asarray(translated), np.asarray(expected))
    assert (tmp_path / "ab" / "0.png").read_bytes() != (tmp_path / "ba" / "0.png").read_bytes()


def test_export_of_the_way_back(cyclegan, pix2pix, folders, tmp_path):
    kgan("export", cyclegan / "gan.keras", "--direction", "ba", "--out", tmp_path)
    gan = keras.saving.load_model(cyclegan / "gan.keras")
    images = np.random.default_rng(0).uniform(-1, 1, (2, 16, 24, 3)).astype("float32")
    (file,) = tmp_path.glob("*.onnx")
    expected = gan.translate(images, direction="ba")
    np.testing.assert_allclose(load(file)(images), expected, atol=1e-4)
    picture = folders / "domains" / "trainA" / "0.png"
    for gan, *way in [(file,), (cyclegan, "--direction", "ba")]:
        kgan("translate", gan, picture, "--out", tmp_path / gan.stem, *way)
    pixels = [np.asarray(Image.open(tmp_path / x.stem / "0.png"), int) for x in (file, cyclegan)]
    assert np.abs(pixels[0] - pixels[1]).max() <= 1
    assert "one way only" in kgan("translate", file, picture, "--direction", "ab", code=2)
    assert "name the saved GAN here" in kgan("grid", file, folders / "domains", code=2)
    refused = kgan("export", pix2pix / "gan.keras", "--direction", "ba", code=2)
    assert "Only a CycleGAN has directions" in refused


def test_int8_of_a_translator_takes_its_ranges_from_a_folder(pix2pix, folders, tmp_path):
    asked = ["--to", "tflite", "--precision", "int8", "--out", tmp_path]
    refused = kgan("export", pix2pix / "gan.keras", *asked, code=2)
    assert "--calibration" in refused and list(tmp_path.iterdir()) == []
    refused = kgan("export", pix2pix / "gan.keras", *asked, "--calibration", folders / "in", code=2)
    assert "100 typical inputs or more" in refused and "Received: 3 rows" in refused
    photos(tmp_path / "many", 104)
    options = ["--calibration", tmp_path / "many", "--int8-psnr", 10, "--batch-size", 2]
    kgan("export", pix2pix / "gan.keras", *asked, *options)
    runtime = load(tmp_path / "generator_int8.tflite")
    assert runtime.batch_size == 2 and runtime.metadata["precision"] == "int8"


def test_grid_draws_both_domains_and_back(cyclegan, folders, tmp_path):
    gan, out = cyclegan / "gan.keras", tmp_path / "grid.png"
    kgan("grid", gan, folders / "domains", "--out", out, "--count", 2)
    with Image.open(out) as picture:
        assert picture.size == (2 * (3 * 25 - 1), 2 * (4 * 17 - 1))
    refused = kgan("grid", gan, folders / "in", code=2)
    assert "name the second folder" in refused and "testA and testB or trainA" in refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "domains", "--model", "pix2pix"], "without pairs: learn them with"),
        (["train", "square", "--model", "pix2pix"], "with --targets, or learn from two folders"),
        (["train", "in", "--model", "pix2pix", "--latent-dim", "9"], "Received: --latent-dim 9"),
        (["train", "in/0.png", "--image-size", "8"], "in/0.png, a file, not a folder"),
        (["train", "in", "--model", "cyclegan"], "name the second folder"),
        (["train", "in", "--model", "pix2pix", "--targets", "domains"], "without a partner"),
        (["train", "in", "--targets", "out", "--image-size", "8"], "Received: --targets"),
        (["train", "in", "--image-size", "8x"], "Received: --image-size 8x"),
        (["train", "in", "--channels", "2"], "Received: --channels 2"),
        (["translate", "none.keras", "in"], "no saved GAN here"),
    ],
    ids=lambda value: " ".join(value[1:]) if isinstance(value, list) else "",
)
def test_bad_input_is_a_message(arguments, message, folders, monkeypatch):
    monkeypatch.chdir(folders)
    assert message in kgan(*arguments, code=2)


def test_each_command_names_the_one_for_the_other_kind(pix2pix, folders, tmp_path):
    assert "use kgan translate" in kgan("sample", pix2pix / "gan.keras", code=2)
    options = ["--network", "mlp", "--width", 8, "--epochs", 1, "--out", tmp_path]
    kgan("train", "digits", *options)
    message = kgan("translate", tmp_path / "gan.keras", folders / "in", code=2)
    assert "use kgan sample" in message
