"""One generator in every format and precision: the same names, values and words in all of them."""

import json
import os
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
from export_test_models import NAMES, small_model

import kgan.export
from kgan.export import formats
from kgan.export.convert import launcher
from kgan.export.formats import tflite

FILES = {
    "generator_saved_model": "float32",
    "generator.tflite": "float32",
    "generator.onnx": "float32",
    "generator_float16.tflite": "float16",
    "generator_float16.onnx": "float16",
    "generator_dynamic_range.tflite": "dynamic_range",
    "generator_int8.tflite": "int8",
    "generator_int8_io.tflite": "int8_io",
}


@pytest.fixture(scope="module")
def runtimes(shipped):
    return {name: kgan.export.load(shipped[1] / name) for name in FILES}


def test_every_artefact_passes_and_its_name_tells_the_precision(shipped):
    _, folder, report = shipped
    assert {each.file: each.precision for each in report.artefacts} == FILES
    assert report.passed
    for each in report.artefacts:
        assert each.bytes == sum(
            file.stat().st_size for file in kgan.export.files.members(folder / each.file)
        )
        if each.precision == "float32":
            assert each.max_error <= each.tolerance == 1e-5
        else:
            assert each.psnr >= each.min_psnr >= 30
        assert each.batch_size == (1 if each.format == "tflite" else None)
        assert 0 < each.latency["median_ms"] <= each.latency["p90_ms"]
    left = {file.name for file in folder.iterdir()}
    samples = {f"{name}.samples.npz" for name in FILES}
    assert left == {*FILES, *samples, "export_report.json", "model_card.md"}


def test_onnxruntime_has_nothing_to_warn_about(shipped, capfd):
    capfd.readouterr()
    for file in sorted(shipped[1].glob("*.onnx")):
        kgan.export.load(file).sample(3, seed=0)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_narrow_files_are_smaller(shipped):
    size = {each.file: each.bytes for each in shipped[2].artefacts}
    assert size["generator_float16.onnx"] < 0.7 * size["generator.onnx"]
    assert size["generator_float16.tflite"] < 0.8 * size["generator.tflite"]
    assert size["generator_int8.tflite"] < 0.7 * size["generator.tflite"]


@pytest.mark.parametrize("name", FILES)
def test_one_signature(runtimes, name):
    runtime = runtimes[name]
    assert [str(tensor) for tensor in runtime.inputs] == [
        "latent (batch, 8) float32",
        "label (batch) int32",
    ]
    assert [str(tensor) for tensor in runtime.outputs] == ["image (batch, 8, 8, 1) float32"]


@pytest.mark.parametrize("name", FILES)
def test_one_metadata(runtimes, name):
    metadata = dict(runtimes[name].metadata)
    batch_size, int8 = metadata.pop("batch_size", None), metadata.pop("int8", {})
    assert batch_size == (1 if name.endswith(".tflite") else None)
    assert sorted(int8) == (["image", "latent"] if FILES[name] == "int8_io" else [])
    assert metadata.pop("precision") == FILES[name]
    assert "tensorflow" in metadata.pop("converter_versions")
    common = runtimes["generator.onnx"].metadata.items()
    assert metadata == {
        key: value for key, value in common if key not in ("precision", "converter_versions")
    }
    assert metadata["class_names"] == ["circle", "square", "star"]
    assert metadata["latent_distribution"] == "standard normal"
    assert metadata["value_range"] == [-1, 1]
    assert metadata["training_backend"] == keras.config.backend()
    assert len(metadata["source_sha256"]) == 64


@pytest.mark.parametrize("name", FILES)
def test_sample_gives_the_images_of_generate(shipped, runtimes, name):
    gan = shipped[0]
    close = {"float32": 1e-5, "float16": 1e-2}.get(FILES[name], 0.15)
    for arguments in ({}, {"label": 2}, {"label": np.array([0, 1, 2, 2, 1])}):
        labels = {"labels": arguments["label"]} if arguments else {}
        want = gan.generate(5, seed=3, **labels)
        got = runtimes[name].sample(5, seed=3, **arguments)
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, want, atol=close)


def test_only_int8_io_takes_and_gives_int8(shipped):
    from ai_edge_litert.interpreter import Interpreter

    for precision, want in (("int8", "float32"), ("int8_io", "int8")):
        interpreter = Interpreter(str(shipped[1] / f"generator_{precision}.tflite"))
        inputs = {each["name"]: each for each in interpreter.get_input_details()}
        kinds = sorted(np.dtype(each["dtype"]).name for each in inputs.values())
        assert kinds == sorted(["int32", want])
        (output,) = interpreter.get_output_details()
        assert np.dtype(output["dtype"]).name == want


def test_tflite_weights_are_aligned_and_all_operators_builtin(shipped):
    from ai_edge_litert import schema_py_generated as schema

    content = (shipped[1] / "generator.tflite").read_bytes()
    model = schema.Model.GetRootAs(content)
    whole = np.frombuffer(content, np.uint8)
    for index in range(model.BuffersLength()):
        data = model.Buffers(index).DataAsNumpy()
        if isinstance(data, np.ndarray) and data.size:
            offset = data.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
            assert offset % 16 == 0
    codes = [model.OperatorCodes(index) for index in range(model.OperatorCodesLength())]
    assert codes and all(code.CustomCode() is None for code in codes)


def test_variables_that_were_not_frozen_are_found(monkeypatch):
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT()
    code = schema.OperatorCodeT()
    code.builtinCode = schema.BuiltinOperator.READ_VARIABLE
    model.operatorCodes, model.buffers = [code], [schema.BufferT()]
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    with pytest.raises(ValueError, match="READ_VARIABLE"):
        tflite._finished(bytes(builder.Output()), {})


def test_saved_model_for_tensorflow_alone(shipped):
    """What TensorFlow Serving and `TFSMLayer` do with the folder, without kgan."""
    code = """
import sys
import keras, numpy as np, tensorflow as tf
layer = keras.layers.TFSMLayer(sys.argv[1])
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
values = {"latent": tf.ones((3, 8)), "label": tf.constant([0, 1, 2])}
served = serve(**values)["image"].numpy()
np.testing.assert_array_equal(served, layer(values)["image"])
np.save(sys.argv[2], served)
"""
    gan, folder, _ = shipped
    out = folder.parent / "served.npy"
    arguments = [sys.executable, "-c", code, folder / "generator_saved_model", out]
    subprocess.run(arguments, check=True, env=launcher.environment(), capture_output=True)
    inputs = [np.ones((3, 8), "float32"), np.arange(3, dtype="int32")]
    np.testing.assert_allclose(np.load(out), gan.images_of(*inputs), atol=1e-5)


def test_verify_the_bundle_and_find_a_flipped_byte_in_a_folder(shipped, tmp_path):
    folder = shutil.copytree(shipped[1], tmp_path / "bundle")
    checked = kgan.export.verify(folder)
    assert [each.file for each in checked.artefacts] == list(FILES)
    weights = folder / "generator_saved_model" / "variables" / "variables.data-00000-of-00001"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    with pytest.raises(kgan.export.VerificationError, match="saved_model: the content changed"):
        kgan.export.verify(folder / "generator_saved_model")
    assert kgan.export.verify(folder / "generator_int8.tflite").passed


def test_the_model_card_tells_how_to_run_it(shipped):
    folder = shipped[1]
    card = (folder / "model_card.md").read_text()
    for name in FILES:
        assert f"| {name} |" in card
    assert "circle, square, star" in card
    python = [part.split("```")[0] for part in card.split("```python\n")[1:]]
    assert len(python) == 4  # onnxruntime, LiteRT with float32 and with int8, TensorFlow
    for code in python:
        code += """
values = outputs.values() if isinstance(outputs, dict) else outputs
assert [(each.shape, str(getattr(each.dtype, "name", each.dtype))) for each in values] == [
    ((1, 8, 8, 1), "float32")
]
"""
        subprocess.run([sys.executable, "-c", code], check=True, cwd=folder, capture_output=True)
    assert "labels: integers in [0, 3)" in card
    assert "`generator.tflite`: batch is 1\n" in card
    scale = kgan.export.load(folder / "generator_int8_io.tflite").metadata["int8"]["latent"]
    assert scale["zero_point"] < 0  # or the sign below is another
    assert f"`latent` is int8; its value is (int8 + {-scale['zero_point']}) * " in card
    judged = {line.split("`")[1]: line for line in card.splitlines() if " was judged on " in line}
    assert set(judged) == set(FILES)
    assert "zeros, tens" in judged["generator.onnx"]
    assert "on sample, calibration inputs" in judged["generator_int8.tflite"]
    assert 'new ort.Tensor("int32", new Int32Array(1), [1])' in card


def test_a_saved_model_folder_is_replaced_but_no_other(tmp_path):
    path = tmp_path / "model"
    first = kgan.export.export(small_model(), path, **NAMES, batch_size=2)
    assert (path / "saved_model.pb").is_file() and first.passed
    written = json.loads((path / "kgan.json").read_text())
    kgan.export.export(small_model(seed=2), path, **NAMES)
    assert json.loads((path / "kgan.json").read_text())["source_sha256"] != written["source_sha256"]
    assert sorted(os.listdir(tmp_path)) == ["export_report.json", "model", "model.samples.npz"]
    (tmp_path / "mine").mkdir()
    with pytest.raises(kgan.export.ExportError, match="folder of that name, which is not"):
        kgan.export.export(small_model(), tmp_path / "mine", **NAMES)


def test_the_card_of_two_models_says_so(tmp_path):
    for units, name in ((8, "first"), (9, "second")):
        names = {"input_names": [f"of_{name}"], "output_names": ["image"]}
        kgan.export.export(
            small_model(units=units), tmp_path / "both", "tflite", **names, name=name
        )
    card = (tmp_path / "both" / "model_card.md").read_text()
    for name in ("first", "second"):
        part = card.split(f"## `{name}.tflite`\n")[1]
        assert part.strip().startswith(f"- Input: `of_{name} (batch, 4) float32`")


def test_of_a_bundle_only_what_is_proven_appears(tmp_path):
    with pytest.raises(kgan.export.ParityError, match=r"below 200 dB\nPassed and") as caught:
        kgan.export.export(
            small_model(),
            tmp_path / "bundle",
            ("tflite", "onnx"),
            ("float32", "dynamic_range"),
            **NAMES,
            int8_psnr=200,
        )
    verdicts = {each.file: each.verdict for each in caught.value.report.artefacts}
    assert verdicts == {
        "model.tflite": "passed",
        "model.onnx": "passed",
        "model_dynamic_range.tflite": "failed",
    }
    assert sorted(os.listdir(tmp_path / "bundle")) == [
        "export_report.json",
        "model.onnx",
        "model.onnx.samples.npz",
        "model.tflite",
        "model.tflite.samples.npz",
        "model_card.md",
    ]
    card = (tmp_path / "bundle" / "model_card.md").read_text()
    assert "`model_dynamic_range.tflite`: " in card and "below 200 dB" in card
    assert kgan.export.verify(tmp_path / "bundle").passed


def test_a_batch_size_for_tflite(tmp_path):
    path = tmp_path / "small.tflite"
    (artefact,) = kgan.export.export(small_model(), path, **NAMES, batch_size=3).artefacts
    assert artefact.batch_size == 3 and artefact.batch_sizes == (1, 2, 7, 16)
    runtime = kgan.export.load(path)
    latents = np.random.default_rng(0).standard_normal((7, 4), "float32")
    np.testing.assert_allclose(runtime(latents)[4:5], runtime(latents[4:5]), atol=1e-6)
    assert kgan.export.verify(path).passed


@pytest.mark.parametrize(
    ("path", "asked", "precision", "names"),
    [
        ("a.onnx", None, "float32", ["a.onnx"]),
        ("a.tflite", ("tflite",), "int8", ["a.tflite"]),
        ("a.ONNX", None, "float32", ["a.ONNX"]),
        ("a", None, "float32", ["a"]),
        ("a", "onnx", "float16", ["m_float16.onnx"]),
        ("a", ("onnx", "tflite"), ("int8", "float32"), ["m.onnx", "m.tflite", "m_int8.tflite"]),
        ("a", ("saved_model",), "float32", ["m_saved_model"]),
    ],
)
def test_what_a_path_asks_for(path, asked, precision, names):
    plans = formats.plan(path, asked, precision, "m")
    assert [plan.path.name for plan in plans] == names


@pytest.mark.parametrize(
    ("path", "asked", "precision", "message"),
    [
        ("a.onnx", None, "int8", r"No file would be int8.*onnx: float32, float16"),
        ("a", None, "float16", "saved_model: float32"),
        ("a.onnx", None, ("float32", "float16"), "several files"),
        ("a", ("onnx",), "half", "one or several of"),
        ("a", ("onnx",), (), "one or several of"),
        ("a", ("onnx", "saved_model"), "dynamic_range", "No file would be dynamic_range"),
        ("a", ("onnx", "tflite"), "int8", "No file would be onnx"),
    ],
)
def test_what_cannot_be_asked_for(path, asked, precision, message):
    with pytest.raises(ValueError, match=message) as caught:
        formats.plan(path, asked, precision)
    assert "Received: " in str(caught.value)


# What a format's `LACKING` says, and TensorFlow's name for it.
LACKING = {
    "onnx": {
        "Cumprod": "Cumprod",
        "Discretization": "Bucketize",
        "Erfinv": "Erfinv",
        "FFT": "FFT",
        "FFT2": "FFT2D",
        "Inv": "MatrixInverse",
    }
}
LACKING["tflite"] = {
    **{name: LACKING["onnx"][name] for name in ("Cumprod", "Erfinv", "FFT", "FFT2", "Inv")},
    "Arcsinh": "Asinh",
    "Arctan": "Atan",
    "AveragePooling3D": "AvgPool3D",
    "Cosh": "Cosh",
    "Erf": "Erf",
    "MaxPooling3D": "MaxPool3D",
    "Sinh": "Sinh",
    "Tan": "Tan",
}


def test_what_a_format_is_said_to_lack_its_converter_does_not_have(tmp_path, monkeypatch):
    ops, layers = keras.ops, keras.layers
    x, volume = keras.Input((4,), name="x"), keras.Input((4, 4, 4, 1), name="volume")
    square = ops.reshape(x, (-1, 2, 2))
    outputs = {
        "Cumprod": ops.cumprod(x, axis=-1),
        "Discretization": layers.Discretization([-1.0, 0.0])(x),
        "Erfinv": ops.erfinv(0.5 * ops.tanh(x)),
        "FFT": ops.fft((x, x))[0],
        "FFT2": ops.fft2((square, square))[0],
        "Inv": ops.inv(square + 1000 * ops.eye(2)),
        "AveragePooling3D": layers.AveragePooling3D(2)(volume),
        "MaxPooling3D": layers.MaxPooling3D(2)(volume),
        **{name: getattr(ops, name.lower())(x) for name in ("Arcsinh", "Arctan", "Cosh", "Erf")},
        **{name: getattr(ops, name.lower())(x) for name in ("Sinh", "Tan")},
    }
    monkeypatch.setattr("kgan.export.preflight.refusal", lambda *arguments: "")
    model = keras.Model([x, volume], outputs)
    with pytest.raises(kgan.export.ExportError) as caught:
        kgan.export.export(model, tmp_path / "bundle", ("onnx", "tflite"))
    for artefact in caught.value.report.artefacts:
        told = artefact.reason.split("TensorFlow's ")[1].split(". ")[0].split(" in opset")[0]
        expected = LACKING[artefact.format]
        assert set(expected) == formats.get(artefact.format).LACKING
        # One of Keras may be several of TensorFlow: its FFT takes complex numbers apart.
        assert set(expected.values()) <= set(told.split(", ")), artefact.format
