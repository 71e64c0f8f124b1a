"""A new format is one module and one name in `MODULES`: all else finds what it needs there."""

import export_test_format as toy
import keras
import numpy as np
import pytest

import kgan.export
from kgan.cli import saved_gans
from kgan.export import formats, report
from kgan.export.signature import ModelSpec
from kgan.export.untrusted import seal


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(formats.MODULES, "toy", "export_test_format")
    # The names that a report may have are taken when it is imported.
    monkeypatch.setitem(report._ARTEFACT, "format", frozenset(formats.MODULES))


@pytest.fixture
def model(monkeypatch):
    """Doubles its input; an export of it converts here, since a toy needs no TensorFlow."""
    model = keras.Sequential([keras.Input((3,), name="x"), keras.layers.Rescaling(2.0)])

    def convert(request, folder, timeout):
        spec = ModelSpec.from_json(request["spec"])
        for each in request["artefacts"]:
            place = each["path"], each["precision"]
            metadata = request["metadata"] | each["metadata"]
            formats.get(each["format"]).convert(model, spec, *place, request["options"], metadata)
        return 0.0, {}

    monkeypatch.setattr("kgan.export.convert.launcher.convert", convert)
    return model


def test_it_is_exported_told_of_sealed_and_verified(model, tmp_path):
    folder = tmp_path / "bundle"
    exported = kgan.export.export(model, folder, "toy", name="double")
    path = folder / "double.toy"
    assert exported.passed and path.is_file()
    card = (folder / "model_card.md").read_text()
    assert "```shell\nmultiply double.toy\n```" in card
    assert kgan.export.verify(path).passed and kgan.export.verify(folder).passed
    runtime = kgan.export.load(path)
    np.testing.assert_array_equal(runtime(np.ones((5, 3), "float32")), np.full((5, 3), 2.0))
    assert seal.check(path)
    path.write_bytes(path.read_bytes().replace(b"2.0", b"3.0", 1))
    with pytest.raises(ValueError, match="it has changed since it was exported"):
        kgan.export.load(path)


def test_its_suffix_is_known(model, tmp_path):
    (plan,) = formats.plan(tmp_path / "double.toy")
    assert plan.format is toy
    kgan.export.export(model, tmp_path / "double.toy")
    assert formats.is_exported(tmp_path / "double.toy")
    with pytest.raises(ValueError, match="An exported file is for kgan translate"):
        saved_gans.load_model(tmp_path / "double.toy")
    with pytest.raises(ValueError, match=r"Known formats: .*toy \(\.toy\)"):
        formats.plan("model.unknown")


def test_what_it_lacks_is_refused(tmp_path):
    x = keras.Input((3,), name="x")
    model = keras.Model(x, keras.ops.cumprod(x, axis=-1))
    (note,) = kgan.export.check(model, tmp_path / "model.toy").notes
    assert note.startswith("not toy float32: Toy has no operator for Keras's Cumprod: take another")


def test_it_may_be_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(toy, "SUFFIX", "")
    monkeypatch.setattr(toy, "MARKER", "toy.json", raising=False)
    folder = tmp_path / "model_toy"
    folder.mkdir()
    assert not formats.is_exported(folder)
    (folder / "toy.json").write_text("{}")
    assert formats.of(folder) is formats.of_folder(folder) is toy
    (plan,) = formats.plan(folder / "other.onnx")
    with pytest.raises(kgan.export.ExportError, match="the folder is a Toy"):
        plan.check_place()
    # Without a suffix and without formats= it is still a SavedModel that is asked for.
    assert formats.plan("model")[0].format.NAME == "saved_model"
