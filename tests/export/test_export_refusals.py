"""What cannot be exported is refused at once, by name and with the fix, and leaves no trace."""

import export_test_layers
import keras
import numpy as np
import pytest
from export_test_models import NAMES, small_gan, small_model

import kgan.export

layers = keras.layers


@pytest.fixture(autouse=True)
def no_converter(monkeypatch):
    """Refusals come before the converter: starting it would fail the test."""

    def started(*args, **kwargs):
        raise AssertionError("the converter was started")

    monkeypatch.setattr("kgan.export.convert.launcher.convert", started)


def around(layer):
    return keras.Sequential([keras.Input((4,)), layer])


def unregistered(inputs):
    return inputs * 2


def in_main():
    body = {"call": lambda self, inputs: inputs, "__module__": "__main__", "__qualname__": "Mine"}
    return around(type("Mine", (layers.Layer,), body)())


def in_a_function():
    class Inner(layers.Layer):
        def call(self, inputs):
            return inputs

    return around(Inner())


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: keras.Sequential([layers.Dense(2)]), "not built"),
        (lambda: layers.Dense(2), "Only a keras.Model"),
        (lambda: keras.Sequential([keras.Input((None, None, 3)), layers.ReLU()]), "left open"),
        (lambda: keras.Sequential([keras.Input(batch_shape=(2, 3)), layers.ReLU()]), "open size"),
        (in_main, "defined in __main__"),
        (in_a_function, "inside a function"),
        (lambda: around(layers.Lambda(lambda x: x * 2)), "Lambda"),
        (lambda: around(layers.Dense(2, activation=lambda x: x * 2)), "A lambda cannot"),
        (lambda: around(layers.Dense(2, activation=unregistered)), "cannot be found again"),
        (lambda: around(export_test_layers.Forgetful(object())), "get_config"),
    ],
)
def test_models_that_cannot_travel(build, message, tmp_path):
    with pytest.raises(kgan.export.PreflightError, match=message) as caught:
        kgan.export.export(build(), tmp_path / "new" / "model.onnx")
    assert "Received: " in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_unregistered_initialiser_of_the_script(monkeypatch, tmp_path):
    body = {"__call__": lambda self, shape, dtype: keras.ops.ones(shape), "__module__": "__main__"}
    mine = type("Mine", (keras.initializers.Initializer,), body)
    monkeypatch.setattr("__main__.Mine", mine, raising=False)
    with pytest.raises(kgan.export.PreflightError, match="'Mine' is defined in __main__"):
        kgan.export.check(around(layers.Dense(2, kernel_initializer=mine())))


def test_a_model_that_is_another_in_float32(tmp_path):
    model = around(export_test_layers.OnlyNarrow(dtype="mixed_bfloat16"))
    with pytest.raises(kgan.export.PreflightError, match=r"answers differently.*mixed_bfloat16"):
        kgan.export.export(model, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_check_looks_at_no_place_unless_asked(tmp_path, monkeypatch):
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    assert "nothing more can be told before a conversion" in str(kgan.export.check(small_model()))
    with pytest.raises(kgan.export.ExportError, match="Cannot write there"):
        kgan.export.check(small_model(), "model")
    with pytest.raises(TypeError, match=r"no such argument\. Received: tolerence"):
        kgan.export.check(small_model(), tolerence=1e-3)


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    model = in_main()
    model.add(layers.Lambda(lambda x: x * 2, name="twice"))
    model.add(in_a_function().layers[0])
    with pytest.raises(kgan.export.PreflightError) as caught:
        kgan.export.check(model, tmp_path / "model.onnx")
    head, *listed = str(caught.value).splitlines()
    assert head.startswith("3 things")
    found = zip(listed, ("1. 'Mine'", "2. A Lambda", "3. 'in_a_function"), strict=True)
    assert all(line.startswith(start) for line, start in found)


@pytest.mark.parametrize(
    ("path", "formats"),
    [
        ("model.banana", None),
        ("model", ("onnx", "banana")),
        ("model.banana", ("onnx",)),
    ],
)
def test_unknown_suffix_or_format_lists_the_known_ones(path, formats, tmp_path):
    with pytest.raises(ValueError, match=r"Known formats: .*onnx \(\.onnx\)\. Received: "):
        kgan.export.export(small_model(), tmp_path / path, formats)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_names": ["a", "b"]}, r"1 input\(s\)"),
        ({"input_names": ["has space"]}, "letters, digits"),
        ({"input_names": ["image"], "output_names": ["image"]}, "a name of its own"),
        ({"samples": np.zeros((2, 4))}, "list of batches"),
        ({"samples": [np.zeros((2, 5))]}, "must fit the input"),
        ({"samples": [{"wrong": np.zeros((2, 4))}]}, "an array for each"),
        ({"metadata": {"a": {1, 2}}}, "JSON-able"),
        ({"metadata": {1: "a"}}, "JSON-able"),
        ({"batch_size": 0}, "batch_size must be a positive integer"),
        ({"opset": 99}, "opset must be a positive integer up to 18"),
        ({"timeout": float("nan")}, "timeout must be a finite number above 0"),
        ({"tolerance": float("nan")}, "finite number of at least 0"),
        ({"formats": ()}, "No format is asked for"),
        ({"name": "../evil"}, "name is what file names begin with"),
        ({"name": ""}, "name is what file names begin with"),
        ({"name": 3}, "name is what file names begin with"),
    ],
)
def test_wrong_arguments(arguments, message, tmp_path):
    with pytest.raises(ValueError, match=message) as caught:
        kgan.export.export(small_model(), tmp_path / "model.onnx", **arguments)
    assert "Received: " in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", [None, "", 3])
def test_a_place_is_needed(path):
    with pytest.raises(ValueError, match=r"path must be a path, as text\. Received: path="):
        kgan.export.export(small_model(), path)


def test_a_gan_exports_itself(tmp_path):
    with pytest.raises(kgan.export.PreflightError, match=r"call model\.export\(path\)"):
        kgan.export.export(small_gan(), tmp_path / "gan.onnx")


def test_folders_that_hold_something_else(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "saved_model.pb").write_text("of another program")
    for place in ("model", "model/inside.onnx", "model/inside"):
        with pytest.raises(kgan.export.ExportError, match="Cannot write there"):
            kgan.export.export(small_model(), tmp_path / place)
    (model / "kgan.json").write_text("{}")
    assert kgan.export.check(small_model(), model)  # now it looks like ours
    (model / "notes.txt").write_text("of the user")
    with pytest.raises(kgan.export.ExportError, match="or holds other files too"):
        kgan.export.export(small_model(), model)


def test_a_check_tells_which_operators_a_format_lacks():
    x = keras.Input((4,))
    model = keras.Model(x, keras.ops.erfinv(keras.ops.arctan(x) / 2))
    check = kgan.export.check(model, formats=("saved_model", "onnx", "tflite"))
    told = {note.split(":")[0]: note for note in check.notes}
    assert set(told) == {"not onnx float32", "not tflite float32"}
    assert "Keras's Erfinv:" in told["not onnx float32"]
    assert "Keras's Arctan, Erfinv:" in told["not tflite float32"]


def test_label_without_samples(tmp_path):
    label = keras.Input((), dtype="int32")
    model = keras.Model(label, layers.Embedding(3, 2)(label))
    with pytest.raises(ValueError, match="pass samples="):
        kgan.export.export(model, tmp_path / "model.onnx")


def test_missing_package_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr("kgan.export.formats.onnx.PACKAGES", ("onnx", "surely_not_installed"))
    with pytest.raises(ImportError, match=r'surely_not_installed.*pip install "kgan\[export\]"'):
        kgan.export.export(small_model(), tmp_path / "model.onnx")


def test_unwritable_places(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "folder.onnx").mkdir()
    for place in ("file/model.onnx", "file/deeper/model.onnx", "folder.onnx"):
        with pytest.raises(kgan.export.ExportError, match="Cannot write there"):
            kgan.export.export(small_model(), tmp_path / place)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder.onnx"]


def test_model_that_gives_nan_is_refused_and_the_older_file_stays(bundle):
    before = {file.name: file.read_bytes() for file in bundle.iterdir()}
    model = small_model()
    kernel = model.layers[0].kernel
    kernel.assign(keras.ops.full(kernel.shape, float("nan")))
    with pytest.raises(kgan.export.ParityError, match="Keras model itself gives NaN"):
        kgan.export.export(model, bundle / "small.onnx", **NAMES)
    assert {file.name: file.read_bytes() for file in bundle.iterdir()} == before


def test_random_model_is_refused(tmp_path):
    model = around(export_test_layers.Noise())
    with pytest.raises(kgan.export.PreflightError, match=r"differently each time.*\(Noise\)"):
        kgan.export.export(model, tmp_path / "model.onnx")
