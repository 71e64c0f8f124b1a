"""One real export for the tests that only need a good artefact; it costs a TensorFlow start."""

import shutil
import sys
from pathlib import Path

import pytest

import kgan.export.formats

# For the helpers here, in the tests and in the child process, which must import the same layers.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """A folder with the export of `small_model()`; not to be changed."""
    from export_test_models import NAMES, small_model

    folder = tmp_path_factory.mktemp("exported")
    kgan.export.export(small_model(), folder / "small.onnx", **NAMES)
    return folder


@pytest.fixture(scope="session")
def shipped(tmp_path_factory):
    """A conditional GAN and the folder with its generator in every format and precision."""
    from export_test_models import small_gan

    folder = tmp_path_factory.mktemp("shipped") / "bundle"
    gan = small_gan()
    formats = ("saved_model", "tflite", "onnx")
    report = gan.export(folder, formats, precision=kgan.export.formats.PRECISIONS)
    return gan, folder, report


@pytest.fixture
def bundle(exported, tmp_path):
    """A copy of `exported` that a test may damage."""
    return Path(shutil.copytree(exported, tmp_path / "bundle"))


@pytest.fixture
def fake_worker(monkeypatch):
    """Replaces the converter by some lines of Python, with the request in `request`."""

    def replace(lines):
        code = "import json, os, shutil, sys, time\n"
        code += f"request = json.load(open(sys.argv[1]))\n{lines}"
        monkeypatch.setattr("kgan.export.convert.launcher.COMMAND", (sys.executable, "-c", code))

    return replace
