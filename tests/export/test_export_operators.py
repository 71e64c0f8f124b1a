"""Layers and operations that a converter needs help with, wherever the model was trained."""

import keras
import numpy as np
import onnxruntime
from test_export_models import answer

import kgan.export

layers = keras.layers


def test_tensors_that_a_layer_keeps_beside_its_weights(tmp_path, capfd):
    adapted = layers.Normalization()
    adapted.adapt(np.random.default_rng(0).normal(3, 2, (50, 4)))
    given = layers.Normalization(mean=0.5, variance=2.0)
    model = keras.Sequential([keras.Input((4,), name="x"), adapted, given, layers.Dense(2)])
    assert kgan.export.export(model, tmp_path / "bundle", ("onnx", "tflite")).passed
    onnxruntime.InferenceSession(tmp_path / "bundle" / "model.onnx")
    assert "[W:onnxruntime" not in capfd.readouterr().err


def test_what_keras_writes_with_operators_of_no_other_format(tmp_path):
    """Argmax by the bits of zeros, grouped convolutions by XLA, logaddexp by log1p."""
    x = keras.Input((4, 4, 6), name="x")
    grouped = layers.Conv2D(4, 3, groups=2)(x)
    outputs = {
        "class": keras.ops.argmax(grouped, axis=-1),
        "grouped": grouped,
        "sum": keras.ops.logaddexp(grouped, -grouped),
    }
    model = keras.Model(x, outputs)
    assert kgan.export.export(model, tmp_path / "bundle", ("onnx", "tflite")).passed
    values = np.random.default_rng(1).standard_normal((3, 4, 4, 6), "float32")
    for name in ("model.onnx", "model.tflite"):
        got = kgan.export.load(tmp_path / "bundle" / name)(values)
        assert list(got) == ["class", "grouped", "sum"]
        for mine, want in zip(got.values(), answer(model, values), strict=True):
            np.testing.assert_allclose(mine, want, atol=1e-5)


def test_a_transposed_convolution_with_a_kernel_below_its_stride(tmp_path):
    """Which the converter to ONNX gives negative padding."""
    last = layers.Conv2DTranspose(2, (1, 2), strides=(2, 3), padding="same")
    model = keras.Sequential([keras.Input((5, 4, 3)), last])
    assert kgan.export.export(model, tmp_path / "model.onnx").passed


def test_a_dense_layer_over_an_image_before_a_transposed_convolution(tmp_path):
    """Behind which the converter to ONNX would not know the image's size."""
    model = keras.Sequential(
        [
            keras.Input((6, 6, 5)),
            layers.Dense(11),
            kgan.layers.ReflectionPadding2D(1),
            layers.Conv2DTranspose(2, 3, strides=2, padding="same"),
            layers.UpSampling2D(),
        ]
    )
    assert kgan.export.export(model, tmp_path / "model.onnx").passed


def test_resizing_twice_in_float16(tmp_path, capfd):
    """The converters hide that the scales, beside which there are sizes, are empty."""
    up = [layers.UpSampling2D(interpolation="bilinear") for _ in range(2)]
    model = keras.Sequential([keras.Input((4, 3, 2)), layers.Dense(3), *up])
    assert kgan.export.export(model, tmp_path / "up.onnx", precision="float16").passed
    onnxruntime.InferenceSession(tmp_path / "up.onnx")
    assert "[W:onnxruntime" not in capfd.readouterr().err


def test_operators_that_the_converter_to_onnx_does_not_know(tmp_path):
    x = keras.Input((6,))
    model = keras.Model(x, [layers.Activation(each)(x) for each in ("gelu", "celu")])
    assert kgan.export.export(model, tmp_path / "activations.onnx").passed
