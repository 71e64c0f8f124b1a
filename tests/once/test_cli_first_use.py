"""What someone meets who uses the command for the first time, and mistypes."""

import re
import shlex
import shutil
import sys
import warnings

import numpy as np
import pytest
from conftest import ROOT, command
from PIL import Image

import kgan
from kgan.metrics.protocol import file_hash
from kgan.utils import locks

SMALL = ["--network", "mlp", "--width", 8, "--image-size", 8]
COUNT = 6


def photos(folder, mode="RGB"):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for i in range(COUNT):
        pixels = rng.integers(256, size=(9, 9, len(mode)), dtype="uint8")
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Photos, and in `run` what two epochs with them left."""
    place = tmp_path_factory.mktemp("first")
    data = photos(place / "photos")
    printed = command("train", data, *SMALL, "--epochs", 2, "--out", place / "run")
    assert "Going on" not in printed
    return place


@pytest.fixture
def run(trained, tmp_path):
    return shutil.copytree(trained / "run", tmp_path / "run")


@pytest.mark.parametrize(
    "arguments",
    [
        ["sample", "nothing"],
        ["sample", "run/nothing.keras"],
        ["interpolate", "nothing"],
        ["grid", "nothing", "photos"],
        ["translate", "nothing", "photos"],
        ["translate", "nothing.onnx", "photos"],
        ["evaluate", "nothing", "photos"],
        ["evaluate", "nothing.tflite", "photos"],
        ["evaluate", "photos", "photos"],
        ["evaluate", "run", "./nothing"],
        ["export", "nothing"],
        ["verify", "nothing"],
        ["verify", "nothing.onnx"],
        ["verify", "nothing/export_report.json"],
        ["verify", "photos"],
        ["verify", "photos/0.png"],
        ["verify", "run"],
        ["report", "nothing"],
        ["report", "photos"],
        ["train", "nothing/"],
        ["train", "photos/nothing"],
        ["train", "nothing", "--model", "pix2pix"],
        ["train", "nothing/", "--model", "cyclegan"],
        ["train", "photos", "--image-size", "8", "--out", "photos/0.png"],
    ],
    ids=" ".join,
)
def test_what_is_not_there_is_bad_input_in_words_of_the_shell(arguments, trained, monkeypatch):
    monkeypatch.chdir(trained)
    printed = command(*arguments, code=2)
    assert re.search(r"kgan: .*Received: ", printed)
    assert not re.search(r"\b(path|folder|name)=", printed)


def test_a_file_without_its_report_is_not_proven(tmp_path):
    (tmp_path / "generator.onnx").write_bytes(b"exported, perhaps")
    for path in (tmp_path, tmp_path / "generator.onnx"):
        assert f"Received: {path}" in command("verify", path, code=1)


@pytest.mark.parametrize("data", ["photso", "run", "photos/../photso", "/photso"])
@pytest.mark.parametrize("model", ["gan", "cyclegan"])
def test_a_mistyped_folder_is_told_of_first(data, model, trained, monkeypatch):
    monkeypatch.chdir(trained)
    options = ["--model", model, "--image-size", 8, "--no-download", "--out", "new"]
    printed = command("train", data, *options, code=2)
    if (data, model) != ("run", "cyclegan"):  # of which each folder is one of images
        assert re.match("kgan: There is no such folder", printed)


def test_a_mistyped_folder_is_told_of_where_sets_cannot_be_read(trained, monkeypatch):
    monkeypatch.chdir(trained)
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    for arguments in (["train", "photso", *SMALL], ["evaluate", "run", "photso"]):
        printed = command(*arguments, code=2)
        assert printed.startswith("kgan: There is no such folder of images: photso. If it is a set")
        assert 'pip install "kgan[' in printed


def test_a_run_that_goes_on_says_from_where(run, trained):
    arguments = ["train", trained / "photos", *SMALL, "--out", run, "--resume"]
    printed = command(*arguments, "--epochs", 3)
    assert printed.count("Going on after epoch 2 of 3") == 1
    refused = command(*arguments, "--epochs", 4, "--overwrite", code=2)
    assert "Received: --resume --overwrite" in refused


@pytest.mark.parametrize("epochs", [1, 2])
def test_a_run_with_nothing_left_to_train_says_so_before_it_reads_images(run, epochs):
    arguments = ["train", "./nothing", *SMALL, "--out", run, "--resume", "--epochs", epochs]
    before = (run / "gan.keras").read_bytes()
    printed = command(*arguments)
    assert f"has had 2 epochs, and --epochs {epochs} asks for no more" in printed
    assert len(printed.splitlines()) == 1
    assert (run / "gan.keras").read_bytes() == before


def test_a_run_that_was_killed_before_it_saved_its_gan_saves_it(run, trained):
    arguments = ["train", "./nothing", *SMALL, "--out", run, "--resume", "--epochs", 2]
    (run / "gan.keras").unlink()
    assert f"Saved {run}/gan.keras" in command(*arguments)
    whole = trained / "run" / "gan.keras"
    assert file_hash(run / "gan.keras") == file_hash(whole)
    arguments[1] = trained / "photos"
    command(*arguments[:-1], 3)
    shutil.copy(whole, run / "gan.keras")  # of the second epoch, while the checkpoint has a third
    assert f"Saved {run}/gan.keras" in command(*arguments[:-1], 3)
    assert file_hash(run / "gan.keras") == file_hash(run / "checkpoint.keras") != file_hash(whole)


def test_a_damaged_checkpoint_is_told_of_before_images_are_read(run):
    arguments = ["train", "./nothing", *SMALL, "--out", run, "--resume"]
    for content in (b"damaged", (run / "gan.keras").read_bytes()):
        (run / "checkpoint.keras").write_bytes(content)
        assert "start anew with --overwrite" in command(*arguments, code=2)


@pytest.mark.parametrize(
    "verb", ["sample", "interpolate", "grid", "translate", "evaluate", "export"]
)
def test_of_a_stopped_run_one_is_told_how_to_end_it(verb, run, trained, tmp_path):
    (run / "gan.keras").unlink()
    images = [trained / "photos"] if verb in ("grid", "translate", "evaluate") else []
    for path in (run, run / "gan.keras"):
        printed = command(verb, path, *images, code=2)
        assert "--resume" in printed and f"{run}/checkpoint.keras. Received: {path}" in printed
    if verb == "sample":
        command("sample", run / "checkpoint.keras", "--out", tmp_path / "samples.png")
        assert (tmp_path / "samples.png").is_file()


@pytest.mark.filterwarnings("default")
def test_images_are_counted_that_can_be_read(tmp_path):
    data = photos(tmp_path / "photos")
    (data / "broken.png").write_bytes(b"no picture")
    printed = command("train", data, *SMALL, "--epochs", 1, "--out", tmp_path / "run")
    assert f"Training on {COUNT} images (8, 8, 3)" in printed
    assert f"Trained on {COUNT} of {COUNT + 1} images" in printed
    assert printed.count("images cannot be read") == 1


def test_transparent_images_are_counted_and_the_option_is_named(tmp_path):
    data = photos(tmp_path / "clear", "RGBA")
    seen = set()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        for seed in range(3):
            out = tmp_path / f"run{seed}"
            options = ["--epochs", 1, "--seed", seed, "--out", out]
            printed = command("train", data, *SMALL, *options)
            seen |= {line for line in printed.splitlines() if "transparent parts" in line}
    assert len(seen) == 1, seen
    line = seen.pop()
    assert "--background of kgan train names another" in line
    assert f"Received: {data}/0.png and {COUNT - 1} more" in line
    with pytest.warns(UserWarning, match="background= names another colour.*0.png and 5 more"):
        kgan.data.folder(data, (8, 8))[0]


def test_what_is_wrong_with_the_folder_is_told_before_images_are_read(run, tmp_path):
    new = tmp_path / "new" / "deep"
    options = ["train", "./nothing", *SMALL, "--out"]
    assert "no checkpoint to go on from" in command(*options, new, "--resume", code=2)
    assert "add --resume to go on" in command(*options, run, code=2)
    with locks.locked(run / ".run.lock", "Wait."):
        assert "Another run writes" in command(*options, run, "--resume", code=2)
    command(*options, new, code=2)
    assert not new.parent.exists()
    before = sorted(run.rglob("*"))
    command(*options, run, "--overwrite", code=2)
    assert sorted(run.rglob("*")) == before  # what there is goes when there is something new


def test_the_line_of_the_readme_works_on_a_folder(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained / "photos", "photos")
    row = re.search(r"^\| no Python at all .*", (ROOT / "README.md").read_text(), re.MULTILINE)
    lines = re.findall("`kgan (train|report) ([^`]*)`", row[0])
    assert [verb for verb, _ in lines] == ["train", "report"]
    for verb, options in lines:
        small = ["--network", "mlp", "--width", 8, "--epochs", 1] if verb == "train" else []
        command(verb, *shlex.split(options), *small)
    assert (tmp_path / "runs" / "photos" / "report.html").is_file()
