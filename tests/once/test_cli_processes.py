"""Each verb as one starts it: a process of its own, with real files before and after."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import command
from PIL import Image

from kgan.cli import app, quiet

SMALL = ["--width", "4", "--epochs", "1"]
# What each verb is given in the folder of `made`, and what it leaves there.
VERBS = {
    "train": (["photos", "--network", "mlp", "--image-size", "16", *SMALL], "runs/gan/gan.keras"),
    "sample": (["runs/gan", "--count", "4", "--out", "samples.png"], "samples.png"),
    "interpolate": (["runs/gan/gan.keras", "--steps", "2", "--out", "walk.gif"], "walk.gif"),
    "grid": (["pix2pix", "pairs", "--count", "2", "--out", "grid.png"], "grid.png"),
    "translate": (["pix2pix", "photos", "--out", "translated"], "translated/0.png"),
    "export": (["runs/gan", "--out", "bundle"], "bundle/generator.onnx"),
    "verify": (["bundle"], "bundle/export_report.json"),
    "evaluate": (["runs/gan", "photos", "--out", "scores.json"], "scores.json"),
    "report": (["runs/gan"], "runs/gan/report.html"),
}


def kgan(*arguments, folder):
    """Runs the installed command, which must end well and say nothing but its own words."""
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    environment.pop(quiet.LEVEL, None)
    program = [Path(sys.executable).parent / "kgan", *arguments]
    options = {"capture_output": True, "text": True, "timeout": 300, "check": False}
    ended = subprocess.run(program, cwd=folder, env=environment, **options)
    assert ended.returncode == 0, ended.stderr + ended.stdout
    assert all(line.startswith("kgan: warning: ") for line in ended.stderr.splitlines())
    return ended.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verbs")
    rng = np.random.default_rng(0)
    for name, width in (("photos", 16), ("pairs", 32)):
        (folder / name).mkdir()
        for i in range(12):
            pixels = rng.integers(256, size=(16, width, 3), dtype="uint8")
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    options = ["--model", "pix2pix", "--out", folder / "pix2pix"]
    command("train", folder / "pairs", *options, *SMALL)  # for the verbs that translate
    return folder


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_ends_well_and_leaves_its_file(verb, made):
    arguments, file = VERBS[verb]
    assert (made / file).exists() == (verb == "verify")
    assert kgan(verb, *arguments, folder=made)
    assert (made / file).stat().st_size


def test_no_verb_is_forgotten():
    """The demo is in test_cli.py, since it takes longest."""
    assert {*VERBS, "demo"} == {each.callback.__name__ for each in app.registered_commands}


FAKE = """
import os
os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are written\\n")
os.write(2, b"I0000 00:00:1.2 3 port.cc:153] oneDNN custom operations are on.\\n")
os.write(2, b"E0000 00:00:1.2 3 platform.cc:52] failed call\\n")
"""
LOAD = """
import os, runpy, sys
runpy.run_path(sys.argv[1])["quiet_tensorflow"]()
try:
    import tensorflow
finally:
    os.write(2, b"after\\n")
"""


@pytest.mark.parametrize(
    ("end", "kept"),
    [("", ""), ("raise ImportError('half of it')", "half of it"), ("os.abort()", "Aborted")],
)
def test_notes_of_tensorflow_are_left_out_and_errors_are_not(end, kept, tmp_path):
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text(FAKE + end)
    for level, notes in ((None, False), ("0", True)):
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        environment.pop(quiet.LEVEL, None)
        environment |= {quiet.LEVEL: level} if level else {}
        program = [sys.executable, "-c", LOAD, quiet.__file__]
        said = subprocess.run(program, env=environment, capture_output=True, text=True).stderr
        assert ("oneDNN" in said) == ("before absl" in said) == notes
        if end != "os.abort()":
            assert "failed call" in said and kept in said and "after" in said
        elif not notes:
            assert f"Fatal Python error: {kept}" in said and "tensorflow/__init__.py" in said
