"""Layers that each backend computes in its own way give the same values in a file."""

import export_test_layers
import keras
import numpy as np
import onnx
import onnxruntime
from export_test_models import NAMES, small_model

import kgan.export

layers = keras.layers


def run(path, inputs):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


def answer(model, values):
    outputs = keras.tree.flatten(model(values, training=False))
    return [keras.ops.convert_to_numpy(output) for output in outputs]


def test_mixed_precision_becomes_float32_in_a_bundle(tmp_path):
    keras.utils.set_random_seed(2)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = small_model()
        assert model.layers[0].compute_dtype == "float16"
        report = kgan.export.export(model, tmp_path / "bundle", formats=("onnx",), **NAMES)
        assert keras.config.dtype_policy().name == "mixed_float16"
    finally:
        keras.config.set_dtype_policy("float32")
    assert report.artefacts[0].file == "model.onnx"
    assert report.artefacts[0].max_error <= 1e-5
    proto = onnx.load(tmp_path / "bundle" / "model.onnx")
    kinds = {tensor.data_type for tensor in proto.graph.initializer}
    assert onnx.TensorProto.FLOAT16 not in kinds
    assert proto.graph.output[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    latent = np.random.default_rng(1).normal(size=(3, 4)).astype("float32")
    got = run(tmp_path / "bundle" / "model.onnx", {"latent": latent})[0]
    np.testing.assert_allclose(got, answer(model, latent)[0], atol=5e-3)


def test_custom_layers_labels_and_named_outputs(tmp_path):
    """Registered, unregistered and nested layers; a label input; a dictionary of outputs."""
    keras.utils.set_random_seed(3)
    latent = keras.Input((4,), name="latent")
    label = keras.Input((), dtype="int32", name="label")
    x = layers.Concatenate()([latent, layers.Embedding(10, 3)(label)])
    x = layers.Dense(6, activation=export_test_layers.wave)(x)
    x = export_test_layers.Shift()(export_test_layers.Scale()(x))
    outputs = {"b": x, "a": keras.ops.mean(x, axis=-1, keepdims=True)}
    model = keras.Model({"latent": latent, "label": label}, outputs)
    inputs = {"latent": np.ones((10, 4), "float32"), "label": np.arange(10, dtype="int32")}
    report = kgan.export.export(model, tmp_path / "custom.onnx", samples=[inputs])
    assert report.artefacts[0].max_error <= 1e-5
    session = onnxruntime.InferenceSession(str(tmp_path / "custom.onnx"))
    assert sorted(node.name for node in session.get_inputs()) == ["label", "latent"]
    assert [node.name for node in session.get_outputs()] == ["a", "b"]
    got = session.run(["a", "b"], inputs)
    for mine, want in zip(got, answer(model, inputs), strict=True):
        np.testing.assert_allclose(mine, want, atol=1e-5)
    assert kgan.export.verify(tmp_path).passed


def test_resizing_to_any_size(tmp_path):
    """Smaller, whose rows the converter to ONNX would miscount, and by its other cubic kernel."""
    x = keras.Input((12, 8, 3), name="x")
    outputs = [layers.Resizing(7, 9)(x), layers.Resizing(13, 5)(x)]
    if keras.backend.backend() != "torch":  # on which Keras takes another kernel: proof refuses it
        outputs.append(layers.UpSampling2D(interpolation="bicubic")(x))
    assert kgan.export.export(keras.Model(x, outputs), tmp_path / "sizes.onnx").passed
