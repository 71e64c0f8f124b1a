"""Files of strangers in a run and in the command: each ends well or in one clear error."""

import json
import os
import sys
import zipfile
from pathlib import Path

import keras
import mutations
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import kgan
from kgan import report
from kgan.cli import app, main, settings
from kgan.cli.recipe import Recipe
from kgan.export.untrusted import escape
from kgan.metrics import classifier, features
from kgan.report.page import page
from kgan.training import serialization

LOG = "epoch,generator_loss,val_frechet_distance\n0,1.0,3\n1,1.5,2\n"
SETTINGS = {"data": "digits", "seed": "0", "minutes": "1.0", "versions": {"kgan": "0.1.0"}}
SCORES = {"frechet_distance": {"value": 1.5, "protocol": {"model": "gan.keras", "samples": 3}}}
NAMES = ("settings.json", "scores.json", "warnings.jsonl")
WARNING = {"epoch": 1, "rule": "collapse", "text": "alike", "remedies": "go back"}


@pytest.fixture(scope="module")
def gan(tmp_path_factory):
    """A saved GAN, not to be changed."""
    keras.utils.set_random_seed(0)
    model = kgan.GAN(
        kgan.networks.mlp_generator((8, 8, 1), latent_dim=4, width=4),
        kgan.networks.mlp_discriminator((8, 8, 1), width=4),
        seed=0,
    )
    model.compile()
    path = tmp_path_factory.mktemp("gan") / "gan.keras"
    model.save(path)
    return path


@pytest.fixture
def folder(gan, tmp_path):
    """The folder of a run that a test may damage."""
    folder = tmp_path / "run"
    (folder / "samples").mkdir(parents=True)
    (folder / "gan.keras").write_bytes(gan.read_bytes())
    for name, text in (("log.csv", LOG), ("settings.json", json.dumps(SETTINGS))):
        (folder / name).write_text(text)
    (folder / "scores.json").write_text(json.dumps(SCORES))
    (folder / "warnings.jsonl").write_text(json.dumps(WARNING) + "\n")
    for epoch in (1, 2):
        Image.new("L", (8, 8)).save(folder / "samples" / f"epoch_000{epoch}.png")
    return folder


def unreadable(folder):
    """What the page of a run names as such; the page itself must be whole."""
    run = report.run.read(folder)
    text = page(run)
    text.encode()
    assert not set("\x1b\x00\u202e") & set(text)
    return set(run.unreadable)


@pytest.mark.parametrize(
    ("name", "content"),
    [*zip(NAMES, (SETTINGS, SCORES, WARNING), strict=True)],
    ids=NAMES,
)
def test_no_field_of_a_run_trips_up_its_page(folder, name, content):
    assert not unreadable(folder)
    (folder / "samples" / "epoch_0002.png").unlink()  # a film takes time
    for text in mutations.texts(content):
        (folder / name).write_text(text)
        assert unreadable(folder) <= {name, f"a line of {name}"}


@pytest.mark.parametrize("cell", ["nan", "1e999", "-1", "9" * 5000, "x", "\x1b[31m", "1,2,3", "\0"])
def test_no_cell_of_a_log_trips_up_the_page(folder, cell):
    for place in range(3):
        row = ["1", "1.5", "2"]
        row[place] = cell
        (folder / "log.csv").write_text(LOG + ",".join(row) + "\n")
        assert unreadable(folder) <= {"log.csv"}
        (folder / "log.csv").write_text(LOG.replace(LOG.split("\n")[0].split(",")[place], cell))
        assert unreadable(folder) <= {"log.csv"}


@pytest.mark.parametrize(
    "name",
    [*NAMES, "gan.keras", "log.csv", "export_report.json", "samples/epoch_0002.png"],
)
@pytest.mark.parametrize("kind", ["pipe", "link out", "folder"])
def test_only_regular_files_of_the_folder_are_read(folder, tmp_path, name, kind):
    path = folder / name
    if path.exists():
        path.rename(tmp_path / "elsewhere")
    else:
        (tmp_path / "elsewhere").write_text("{}")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "link out":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.mkdir()
    assert unreadable(folder) == {name}


def test_pictures_that_unpack_to_too_much_are_left_out(folder):
    Image.MAX_IMAGE_PIXELS, before = 100, Image.MAX_IMAGE_PIXELS
    try:
        Image.new("L", (11, 11)).save(folder / "samples" / "epoch_0002.png")
        assert unreadable(folder) == {"samples/epoch_0002.png"}
        Image.new("L", (99, 99)).save(folder / "samples" / "epoch_0002.png")
        assert unreadable(folder) == {"samples/epoch_0002.png"}
    finally:
        Image.MAX_IMAGE_PIXELS = before


def with_loss(path, module, name):
    """Names another loss in a saved model."""
    with zipfile.ZipFile(path) as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    config = json.loads(members["config.json"])
    loss = {"module": module, "class_name": name, "config": {}, "registered_name": None}
    config["compile_config"] = {"loss": loss}
    with zipfile.ZipFile(path, "w") as archive:
        for each, content in {**members, "config.json": json.dumps(config)}.items():
            archive.writestr(each, content)


@pytest.mark.parametrize("module", ["kgan.planted", "keras.planted", "kgan.no", "keras.src.no"])
def test_the_page_imports_nothing_that_a_run_names(folder, tmp_path, monkeypatch, module):
    (tmp_path / "planted.py").write_text("class Loss: pass\n")
    for package in (kgan, keras):
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    with_loss(folder / "gan.keras", module, "Loss")
    assert unreadable(folder) == {"gan.keras"}
    assert module not in sys.modules


def test_a_saved_gan_that_is_damaged_is_one_clear_error(gan, tmp_path):
    path = tmp_path / "gan.keras"
    path.write_bytes(gan.read_bytes())
    ended_well, messages = [], ""
    for name in mutations.of_archive(path):
        try:
            serialization.load(path)
            ended_well.append(name)
        except ValueError as error:
            messages += str(error)
    assert "\n" not in messages
    assert {name.split()[0] for name in ended_well if "metadata" not in name} <= {"zeros"}
    assert serialization.load(path).generate(2).shape == (2, 8, 8, 1)


def test_a_byte_of_a_saved_gan_is_found_or_changes_nothing(gan, tmp_path):
    """Zip has a checksum of each member; not looked at are dates and versions beside them."""
    path, found = tmp_path / "gan.keras", 0
    expected = serialization.load(gan).generate(4, seed=1)
    for _, content in mutations.flips(gan.read_bytes(), 60, np.random.default_rng(0)):
        path.write_bytes(content)
        try:
            images = serialization.load(path).generate(4, seed=1)
        except ValueError:
            found += 1
        else:
            np.testing.assert_array_equal(images, expected)
    assert found >= 50


def test_what_unpacks_to_far_more_is_refused_before(gan, tmp_path):
    path = tmp_path / "gan.keras"
    mutations.bomb(path, 2**27)
    with pytest.raises(ValueError, match="unpacks to more than"):
        serialization.load(path)
    result = CliRunner().invoke(app, ["sample", str(path)])
    assert isinstance(result.exception, ValueError) and "Received" in str(result.exception)


def test_settings_that_are_damaged_are_none(folder):
    for text in ("[" * 100_000, "[]", '{"minutes": "x"}', '{"minutes": [1e400]}', "\x00"):
        (folder / "settings.json").write_text(text)
        assert settings.trained_with(folder / "gan.keras") == Recipe.read({})
        assert settings._minutes(folder) == 0


def test_a_model_with_a_measure_loads_without_its_download(tmp_path, monkeypatch):
    def fail(**_):
        raise AssertionError("a download")

    monkeypatch.setattr(keras.applications, "InceptionV3", fail)
    metric = kgan.metrics.FrechetDistance("pixels")
    config = {**metric.get_config(), "features": "inception"}
    again = kgan.metrics.FrechetDistance.from_config(config)
    assert again.get_config()["features"] == "inception"
    assert isinstance(again.features, features.Inception)


def test_a_kept_classifier_that_is_damaged_or_another_is_trained_anew(tmp_path):
    random = np.random.default_rng(0)
    images = random.uniform(-1, 1, (20, 4, 4, 1)).astype("float32")
    labels = np.arange(20) % 2
    keep = {"epochs": 1, "folder": tmp_path}
    first = classifier.kept_classifier(images, labels, **keep)
    (file,) = tmp_path.glob("classifier_*.keras")
    whole = file.read_bytes()
    other = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten()])
    other.compile()
    other.save(tmp_path / "other.keras")
    for content in (whole[:500], b"", (tmp_path / "other.keras").read_bytes()):
        file.write_bytes(content)
        with pytest.warns(UserWarning, match=f"trained anew.*{file.name}"):
            again = classifier.kept_classifier(images, labels, **keep)
        for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    assert classifier.kept_classifier(images, labels, **keep).name == "classifier"  # in peace


ACTING = "a\x1b]0;owned\x07\x9b31m\u202e\ud800"


def test_text_is_plain_where_it_is_shown():
    for show in (escape.terminal, escape.markdown, escape.markdown_code, escape.html):
        assert show(ACTING).isprintable() and "owned" in show(ACTING)
    lines = "x\n# heading\n```\n[link](http://x) | <b> *a* _b_ `c` a_b"
    assert escape.markdown(lines) == (
        r"x # heading \`\`\` \[link\](http://x) \| \<b\> \*a\* \_b\_ \`c\` a_b"
    )
    assert escape.markdown_code("a ``b` c") == "``` a ``b` c ```"
    assert escape.html('<a href="x">&\x00') == "&lt;a href=&quot;x&quot;&gt;&amp;\\x00"
    assert escape.terminal("a\nb", keep="\n") == "a\nb" and escape.terminal("é, 文") == "é, 文"


def test_the_terminal_gets_no_text_that_acts(folder, monkeypatch, capsys):
    name = folder.parent / "x\x1b[31m[bold]"
    monkeypatch.setattr(sys, "argv", ["kgan", "report", str(name)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert "\x1b" not in told and "[bold]" in told and len(told.splitlines()) == 1
    folder.rename(name)
    result = CliRunner().invoke(app, ["report", str(name)])
    assert result.exit_code == 0 and "[bold]" in result.output and "\x1b" not in result.output


@pytest.mark.parametrize("verb", ["sample", "interpolate", "export", "report", "verify", "grid"])
def test_a_pipe_keeps_no_command_waiting(tmp_path, verb):
    for name in ("gan.keras", "export_report.json"):
        os.mkfifo(tmp_path / name)
    given = tmp_path if verb in ("report", "verify") else tmp_path / "gan.keras"
    more = [str(tmp_path)] if verb == "grid" else []
    result = CliRunner().invoke(app, [verb, str(given), *more])
    assert isinstance(result.exception, (ValueError, kgan.export.ExportError))
    assert Path(name).name in str(result.exception) or "Received" in str(result.exception)
