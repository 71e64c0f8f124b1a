"""The page of a run: whole, true to its files, and in need of nothing else."""

import base64
import csv
import html
import io
import json
import re
import shutil
import zipfile
from html.parser import HTMLParser

import keras
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from kgan import report
from kgan.callbacks.monitor.rules import RULES
from kgan.cli import app, runs
from kgan.cli.arguments import Kind, Run, make_model
from kgan.cli.settings import Record
from kgan.losses import GAMES
from kgan.report.curves import chart
from kgan.report.monitored import COMPARING, looked_for, looks


class Page(HTMLParser):
    """What a page refers to, and what it says."""

    def __init__(self, path):
        super().__init__()
        self.tags, self.addresses, self.text = [], [], ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            if name in ("src", "srcset", "href", "data", "poster", "action"):
                self.addresses.append(value)

    def handle_data(self, data):
        self.text += data

    def pictures(self):
        for address in self.addresses:
            head, content = address.split(",", 1)
            assert head in ("data:image/png;base64", "data:image/gif;base64")
            yield Image.open(io.BytesIO(base64.b64decode(content, validate=True)))


def kgan(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A real run: trained by the command, with an exported file and scores."""
    folder = tmp_path_factory.mktemp("a run")
    arguments = ["--network", "mlp", "--width", 16, "--epochs", 3, "--out", folder]
    measures = "sliced_wasserstein,precision_recall,kernel_distance,mode_coverage"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        kgan("train", "digits", *arguments, "--metrics", measures)
    kgan("export", folder / "gan.keras", "--out", folder)
    scores = {"frechet_distance": {"value": 12.345678, "protocol": {"samples": 1797}}}
    (folder / "scores.json").write_text(json.dumps(scores))
    return folder


@pytest.fixture(scope="module")
def page(run):
    assert "report.html" in kgan("report", run)
    return Page(run / "report.html")


def test_games_that_compare_are_those_without_a_threshold():
    assert {*COMPARING} == {name for name, game in GAMES.items() if game().threshold is None}


def test_the_page_needs_nothing_else(run, page):
    assert not {"script", "link", "iframe", "object", "embed"} & {*page.tags}
    text = (run / "report.html").read_text()
    style = re.search(r"<style>(.*)</style>", text, re.DOTALL).group(1)
    assert "url(" not in style and "@import" not in style
    assert "default-src 'none'" in text  # the browser refuses what slipped through
    assert len([*page.pictures()]) == page.tags.count("img") + page.tags.count("source")


def test_the_pictures_are_those_of_the_run(run, page):
    last, film, *strip = page.pictures()
    with Image.open(run / "samples" / "epoch_0003.png") as picture:
        np.testing.assert_array_equal(last, picture)
    assert (film.format, film.n_frames, len(strip)) == ("GIF", 3, 3)


def test_the_figures_are_those_of_the_log(run, page):
    with open(run / "log.csv") as file:
        last = [*csv.DictReader(file)][-1]
    names = [name for name, value in last.items() if value != "NA" and name != "epoch"]
    assert {"generator_loss", "diversity", "discriminator_gradient", "modes"} <= {*names}
    for name in names:
        assert f"{float(last[name]):.4g}" in page.text, name
    bands = [name for name in names if name.endswith("_error")]
    assert bands == ["val_kernel_distance_error"] and page.tags.count("polygon") == 1
    assert page.tags.count("polyline") == len(names) - len(bands)


def test_best_and_last_stand_side_by_side(run, page):
    with open(run / "log.csv") as file:
        values = [float(row["val_sliced_wasserstein"]) for row in csv.DictReader(file)]
    best, epoch = min(values), values.index(min(values)) + 1
    row = f"sliced wasserstein{best:.4g} (epoch {epoch}){values[-1]:.4g} (epoch 3)best.keras"
    assert row in page.text
    kept, last = (keras.saving.load_model(run / f"{name}.keras") for name in ("best", "gan"))
    steps = int(last.optimizer.iterations) // 3
    assert int(kept.optimizer.iterations) == epoch * steps
    assert steps == (1797 - 180) // 64  # a tenth is held out


def test_settings_scores_and_exports_are_told(run, page):
    settings = json.loads((run / "settings.json").read_text())
    assert settings["backend"] == keras.backend.backend()
    assert float(settings["minutes"]) >= 0
    optimizer = "Adam(learning_rate=0.0002, beta_1=0.5)"  # what is as usual is not spelled out
    for text in (run.name, "digits", keras.__version__, "NonSaturating", optimizer):
        assert text in page.text
    assert "PrecisionRecall, KernelDistance, ModeCoverage(modes=model classifier)" in page.text
    assert f"<h1>{run.name}</h1>" in (run / "report.html").read_text()
    assert "12.35" in page.text and "samples: 1797" in page.text
    assert "generator.onnx" in page.text and "passed" in page.text
    assert "Nothing: no sign of NaN, of collapse, of lost modes, of a winning" in page.text
    assert "or of a gradient that vanishes, in 3 epochs" in page.text
    assert "Not looked for: a gradient that explodes (seen 3 times, where it takes 4)" in page.text


def test_scores_of_other_weights_are_left_out(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    (folder / "scores.json").unlink()
    for name, model in (("keras", "gan.keras"), ("onnx", "generator.onnx")):
        out = folder / f"scores_{name}.json"
        options = ["--metrics", "sliced_wasserstein", "--count", 9, "--out", out]
        kgan("evaluate", folder / model, "digits", *options)
    other = json.loads((folder / "scores_keras.json").read_text())
    other["sliced_wasserstein"] |= {"value": 77.25}
    other["sliced_wasserstein"]["protocol"]["model_hash"] = "0" * 12
    (folder / "scores_old.json").write_text(json.dumps(other))
    found = report.run.read(folder)
    assert [score["of"] for score in found.scores] == ["gan.keras", "generator.onnx"]
    text = Page(report.write(folder)).text
    assert "77.25" not in text and "Left out: scores_old.json, of other weights" in text
    runs.clear(folder)
    assert not [*folder.glob("scores*.json")]


@pytest.mark.filterwarnings("ignore:This score says little")
def test_weights_that_are_saved_again_are_the_same(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    out = folder / "scores.json"
    out.unlink()
    kgan("evaluate", folder / "best.keras", "digits", "--count", 20, "--out", out)
    keras.saving.load_model(folder / "best.keras").save(folder / "best.keras")
    shutil.copy(folder / "best.keras", folder / "x.keras")
    assert {score["of"] for score in report.run.read(folder).scores} == {"best.keras"}


def test_files_of_other_weights_are_told(run, page, tmp_path):
    told = "some are of weights that are not in the folder"
    assert told not in page.text
    folder = shutil.copytree(run, tmp_path / "run")
    for file in folder.glob("*.keras"):
        file.unlink()
    assert told in Page(report.write(folder)).text


def test_damaged_pictures_and_rows_are_named_beside_the_rest(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    picture = folder / "samples" / "epoch_0001.png"
    picture.write_bytes(picture.read_bytes()[:99])
    with open(folder / "log.csv", "a") as file:
        file.write("3,abc\n")
    found = report.run.read(folder)
    assert sorted(found.unreadable) == ["log.csv", "samples/epoch_0001.png"]
    assert len(found.pictures) == 2 and not found.log and not found.epochs
    with pytest.warns(UserWarning, match=r"left out. Received: .*epoch_0001.png"):
        page = Page(report.write(folder))
    assert "samples/epoch_0001.png" in page.text and "No epoch can be read" in page.text
    assert "Nothing, as far as the folder tells" in page.text


def test_a_file_that_names_what_is_not_here_is_unreadable(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    with zipfile.ZipFile(folder / "gan.keras") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    config["compile_config"]["loss"] = {"class_name": "Gone", "module": "kgan.gone", "config": {}}
    with zipfile.ZipFile(folder / "gan.keras", "w") as archive:
        for name, content in {**parts, "config.json": json.dumps(config)}.items():
            archive.writestr(name, content)
    (folder / "log.csv").write_text("epoch,loss\n0," + "1" * 200_000 + "\n")
    found = report.run.read(folder)
    assert {"gan.keras", "log.csv"} <= set(found.unreadable)


def test_a_line_that_was_cut_off_is_no_epoch(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    known = report.run.read(folder)
    with open(folder / "log.csv", "a") as file:
        file.write("2000,1.0,0.")
    found = report.run.read(folder)
    assert found.unreadable == ["a line of log.csv"]
    assert found.log == known.log and found.epochs == known.epochs


def test_nothing_but_a_report_is_written_over(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    saved = (folder / "gan.keras").read_bytes()
    for place in (folder / "gan.keras", folder / "samples", folder):
        with pytest.raises(ValueError, match=r"something else than a report.*Received"):
            report.write(folder, place)
    assert (folder / "gan.keras").read_bytes() == saved
    assert not [*folder.rglob(".*")]
    for _ in range(2):
        report.write(folder, folder / "page.html")


def test_a_curve_of_enormous_values_is_drawn():
    assert "<polyline" in chart([1, 2, 3, 4], [("loss", [1.0, 2.0, 1e308, -1e308])])
    assert "</svg>" in chart([1, 2], [("loss", [1e308, 1.7e308])], log=True)


def test_a_damaged_line_takes_no_warning_with_it(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    known = {"epoch": 2, "rule": "collapse", "text": "It grows alike.", "remedies": "Go back."}
    lines = [json.dumps(known), '{"epoch": 5, "rule": "coll', json.dumps(known)]
    (folder / "warnings.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.warns(UserWarning, match="a line of warnings.jsonl"):
        page = Page(report.write(folder))
    assert page.text.count("It grows alike.") == 1
    assert "Could not be read: a line of warnings.jsonl" in page.text


def test_a_killed_session_has_its_minutes(tmp_path):
    asked = Run(make_model(Kind.gan, "mlp", (8, 8, 1), 4, 8, None, 0), None, None, (8, 8, 1))
    first = Record(tmp_path, {"seed": 0}, asked)
    first.start -= 60 * 2
    first.callback().on_epoch_end(0, {})  # and killed
    second = Record(tmp_path, {"seed": 0, "resume": True}, asked)
    second.start -= 60
    second.write()
    assert json.loads((tmp_path / "settings.json").read_text())["minutes"] == "3.0"


def test_a_curve_goes_through_its_values():
    """Read back off the axis, as a person would."""
    for log, values in ((False, [3.0, -1.5, 7.25]), (True, [0.2, 30.0, 4.0])):
        svg = chart([1, 2, 3], [("loss", values)], log)
        ticks = re.findall(r'y="([\d.]+)" text-anchor="end">(-?[\d.]+)<', svg)
        (y0, v0), (y1, v1) = ((float(y) - 4, float(v)) for y, v in (ticks[0], ticks[-1]))
        points = re.search(r'points="([^"]+)"', svg).group(1).split()
        shares = [(float(point.split(",")[1]) - y0) / (y1 - y0) for point in points]
        place = np.log10 if log else np.asarray
        found = place(v0) + np.array(shares) * (place(v1) - place(v0))
        np.testing.assert_allclose(found, place(values), atol=0.02 * abs(place(v1) - place(v0)))


def test_an_error_is_a_band_around_its_curve():
    svg = chart([1, 2, 3], [("a", [4, 2, 3])], errors={"a": [1, 0.5, 2]})
    corners = re.search(r'polygon[^>]+points="([^"]+)"', svg).group(1).split()
    below, above = corners[:3], corners[:2:-1]
    line = re.search(r'polyline[^>]+points="([^"]+)"', svg).group(1).split()
    for low, middle, high, error in zip(below, line, above, [1, 0.5, 2], strict=True):
        (x, bottom), (_, y), (_, top) = (map(float, p.split(",")) for p in (low, middle, high))
        assert x == float(middle.split(",")[0])
        assert bottom - y == pytest.approx(y - top, abs=0.11) and (bottom - y) / error > 1


def test_what_was_not_looked_at_is_not_called_healthy():
    """Each sign is found or missed, by what the log holds, and how often."""
    names = {name for rule in RULES for name in rule.needs}
    log = {name: [1.0] * 12 for name in names}
    finds = {rule.finds for rule in RULES}
    found, missed = looked_for(log)
    assert ({what for what, _ in found}, missed) == (finds, [])
    assert {times for _, times in found} == {12}
    found, missed = looked_for(log, compares=True)
    assert missed == [("a winning discriminator", "the game compares scores")]
    assert {what for what, _ in found} == finds - {"a winning discriminator"}
    for rule in RULES:
        for name in rule.needs:
            for lost in ({}, {name: [np.nan] * 12}):
                part = {key: values for key, values in log.items() if key != name} | lost
                _, missed = looked_for(part)
                assert (rule.finds, f"{name} not in the log") in missed
    log["modes"] = [np.nan] * 5 + [4.0] * 7
    assert ("lost modes", 7) in looked_for(log)[0]
    log["modes"] = [np.nan] * 10 + [4.0] * 2
    assert ("lost modes", "seen 2 times, where it takes 3") in looked_for(log)[1]
    run = report.run.Run(
        None, log={"generator_loss": [1.0], "discriminator_loss": [1.0]}, epochs=[1]
    )
    seen, unseen = looks(run)
    assert seen == "of NaN, in 1 epoch" and "collapse (diversity and distinctness not" in unseen


def test_gaps_and_warnings_are_in_the_curves():
    svg = chart([*range(1, 8)], [("a", [1, 2, np.nan, 3, np.inf, 4, 5])], marks=[4])
    assert svg.count("<polyline") == 2 and svg.count("<circle") == 1
    assert svg.count('class="mark"') == 1
    assert "<polyline" not in chart([1, 2], [("a", [np.nan, np.nan])], log=True)


def test_nothing_in_a_run_becomes_html(run, tmp_path):
    folder = shutil.copytree(run, tmp_path / "<script>alert(1)<")
    evil = '"><img src=http://example.com onerror=alert(1)>'
    (folder / "warnings.jsonl").write_text(
        json.dumps({"epoch": 2, "rule": evil, "text": evil, "remedies": evil}) + "\n"
    )
    (folder / "scores.json").write_text(json.dumps([{"name": evil, "value": 1, "protocol": evil}]))
    (folder / "settings.json").write_text(json.dumps({"data": evil, evil: evil}))
    rows = [*csv.reader((folder / "log.csv").read_text().splitlines())]
    rows[0][1] = evil
    with open(folder / "log.csv", "w") as file:
        csv.writer(file).writerows(rows)
    found = Page(report.write(folder))
    assert "script" not in found.tags
    assert all(address.startswith("data:image/") for address in found.addresses)
    assert found.text.count(evil) >= 6
    assert html.escape(evil) in (folder / "report.html").read_text()


def test_what_is_missing_or_broken_is_told(run, tmp_path):
    folder = tmp_path / "pictures"
    shutil.copytree(run / "samples", folder / "samples")
    (folder / "scores.json").write_text("{")
    with pytest.warns(UserWarning, match=r"left out. Received: .*scores.json"):
        found = Page(report.write(folder, tmp_path / "out" / "page.html"))
    assert "no log.csv" in found.text and "Could not be read: scores.json" in found.text
    for folder in (tmp_path / "out", tmp_path / "nowhere"):
        result = CliRunner().invoke(app, ["report", str(folder)])
        assert isinstance(result.exception, ValueError) and "Received" in str(result.exception)


def test_a_best_that_chance_may_have_chosen_is_said(run, page, tmp_path):
    """Of 180 digits of 64 pixels it is not; of fewer the run itself has noted why."""
    assert "Of best.keras" not in page.text
    folder = shutil.copytree(run, tmp_path / "run")
    settings = json.loads((folder / "settings.json").read_text())
    settings["best_doubt"] = "chosen by 12 images alone, so perhaps by chance"
    (folder / "settings.json").write_text(json.dumps(settings))
    kgan("report", folder)
    assert "Of best.keras: chosen by 12 images alone" in Page(folder / "report.html").text
