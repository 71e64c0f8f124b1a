"""Real exports of different kinds of model: they pass, and the file keeps its promises."""

import json

import export_test_layers
import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from export_test_models import small_model

import kgan.export

layers = keras.layers


def run(path, inputs):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


def answer(model, values):
    outputs = keras.tree.flatten(model(values, training=False))
    return [keras.ops.convert_to_numpy(output) for output in outputs]


def two_inputs():
    """DCGAN-like, with a picture beside the latent and names no ONNX tensor may have."""
    latent = keras.Input((16,), name="the-latent")
    picture = keras.Input((8, 8, 1), name="picture")
    x = layers.Dense(4 * 4 * 16, use_bias=False)(latent)
    x = layers.BatchNormalization()(x)
    x = layers.Reshape((4, 4, 16))(layers.LeakyReLU(0.2)(x))
    x = layers.Conv2DTranspose(8, 4, strides=2, padding="same", use_bias=False)(x)
    x = layers.Concatenate()([x, layers.Conv2D(4, 3, padding="same")(picture)])
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Dropout(0.5)(layers.UpSampling2D()(x))
    image = layers.Conv2D(3, 3, padding="same", activation="tanh", name="image-out")(x)
    return keras.Model([latent, picture], image)


def train_a_little(model, inputs, target):
    """Moves weights and moving statistics away from where they start."""
    model.compile(optimizer="sgd", loss="mse")
    model.fit(inputs, target, epochs=2, verbose=0)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    random = np.random.default_rng(0)
    inputs = [random.normal(size=(8, 16)), random.normal(size=(8, 8, 8, 1))]
    inputs = [array.astype("float32") for array in inputs]
    keras.utils.set_random_seed(0)
    model = two_inputs()
    train_a_little(model, inputs, np.ones((8, 16, 16, 3), "float32"))
    path = tmp_path_factory.mktemp("images") / "deep" / "generator.onnx"
    stages = []
    report = kgan.export.export(
        model,
        path,
        metadata={"classes": ["cat", "dog"], "note": "hello"},
        samples=[tuple(inputs)],
        progress=stages.append,
        opset=15,
    )
    return model, path, report, stages


def test_trained_generator_answers_as_keras_for_any_batch(images):
    model, path, report, stages = images
    assert stages == ["check", "save", "convert", "compare", "write"]
    artefact = report.artefacts[0]
    assert artefact.verdict == "passed" and report.passed
    assert 0 < artefact.max_abs_error <= 1e-5
    assert artefact.batch_sizes == (1, 2, 7, 8, 16)
    assert artefact.training_backend == keras.config.backend()
    random = np.random.default_rng(5)
    for batch in (1, 5):
        latent = random.normal(size=(batch, 16)).astype("float32")
        picture = random.normal(size=(batch, 8, 8, 1)).astype("float32")
        got = run(path, {"the_latent": latent, "picture": picture})[0]
        np.testing.assert_allclose(got, answer(model, [latent, picture])[0], atol=1e-5)


def test_file_keeps_names_shapes_opset_and_metadata(images):
    _, path, _, _ = images
    proto = onnx.load(path)
    onnx.checker.check_model(proto, full_check=True)

    def declared(values):
        return {
            value.name: [
                axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim
            ]
            for value in values
        }

    assert declared(proto.graph.input) == {
        "the_latent": ["batch", 16],
        "picture": ["batch", 8, 8, 1],
    }
    assert declared(proto.graph.output) == {"image_out": ["batch", 16, 16, 3]}
    assert [(each.domain, each.version) for each in proto.opset_import if not each.domain] == [
        ("", 15)
    ]
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    assert json.loads(metadata["classes"]) == ["cat", "dog"]
    assert metadata["note"] == "hello"
    assert metadata["keras_version"] == keras.__version__
    assert metadata["training_backend"] == keras.config.backend()
    assert json.loads(metadata["inputs"])[0]["shape"] == [16]
    assert "kgan_version" in metadata and "training=False" in metadata["inference"]


def test_onnxruntime_has_nothing_to_warn_about(images, capfd):
    capfd.readouterr()
    run(images[1], {"the_latent": np.zeros((1, 16), "f"), "picture": np.zeros((1, 8, 8, 1), "f")})
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_only_the_artefact_its_samples_and_the_report_are_left(images):
    names = sorted(file.name for file in images[1].parent.iterdir())
    assert names == ["export_report.json", "generator.onnx", "generator.onnx.samples.npz"]


def test_default_opset_and_names_of_a_sequential_model(exported):
    proto = onnx.load(exported / "small.onnx")
    assert [each.version for each in proto.opset_import if not each.domain] == [17]
    assert [value.name for value in proto.graph.input] == ["latent"]
    assert [value.name for value in proto.graph.output] == ["image"]
    latent = np.random.default_rng(1).normal(size=(3, 4)).astype("float32")
    got = run(exported / "small.onnx", {"latent": latent})[0]
    np.testing.assert_allclose(got, answer(small_model(), latent)[0], atol=1e-5)


def test_layer_names_with_spaces_survive(tmp_path):
    """TensorFlow cannot trace such a model; JAX and PyTorch train it without a word."""
    inputs = keras.Input((4,), name="the latent")
    model = keras.Model(inputs, layers.Dense(2, name="my output")(inputs))
    artefact = kgan.export.export(model, tmp_path / "spaces.onnx").artefacts[0]
    assert artefact.inputs[0].name == "the_latent"
    assert artefact.outputs[0].name == "my_output"


class UniformGAN(kgan.GAN):
    def draw_latents(self, n, seed=None):
        return (
            np.random.default_rng(seed).uniform(20, 30, (n, *self.latent_shape)).astype("float32")
        )


def test_metadata_claims_what_is_known_of_this_model_alone(tmp_path):
    """Latents of its own, which int8 is calibrated on; images in [0, 1]; trained elsewhere."""
    latent = keras.Input((1, 1, 4))
    image = layers.Conv2DTranspose(1, 4, activation="sigmoid")(latent)
    generator = keras.Model(latent, image)
    gan = UniformGAN(generator, kgan.networks.dcgan_discriminator((4, 4, 1), 4))
    gan.trained_on = "elsewhere"
    (artefact,) = gan.export(tmp_path / "small.tflite", precision="int8").artefacts
    assert artefact.compared_on == ("calibration",)
    runtime = kgan.export.load(tmp_path / "small.tflite")
    latents = gan.draw_latents(5, seed=3)
    np.testing.assert_allclose(runtime(latents), gan.generate(5, seed=3), atol=0.05)
    assert runtime.metadata["value_range"] == [0, 1]
    assert "latent_distribution" not in runtime.metadata
    assert artefact.training_backend == runtime.metadata["training_backend"] == "elsewhere"


def test_an_image_to_image_model_with_instance_normalisation(tmp_path):
    """One namespace: the input keeps `image`, so the output is `translated_image`."""
    keras.utils.set_random_seed(6)
    model = keras.Sequential([keras.Input((16, 16, 3))])
    for width in (8, 8, 3):
        model.add(
            layers.Conv2D(width, 3, bias_initializer=keras.initializers.RandomNormal(stddev=0.3))
        )
        model.add(layers.GroupNormalization(groups=-1, epsilon=1e-5))
    report = kgan.export.export(
        model,
        tmp_path / "instance.onnx",
        input_names="image",
        output_names="translated_image",
        tolerance=1e-4,
    )
    assert report.passed
    assert kgan.export.verify(tmp_path).passed


def test_subclassed_model_is_exported_through_a_functional_one(tmp_path):
    keras.utils.set_random_seed(4)
    model = export_test_layers.Subclassed()
    values = np.random.default_rng(1).normal(size=(3, 4)).astype("float32")
    want = answer(model, values)[0]
    kgan.export.export(model, tmp_path / "sub.onnx", input_names="x", output_names="y")
    np.testing.assert_allclose(run(tmp_path / "sub.onnx", {"x": values})[0], want, atol=1e-5)


def test_a_subclassed_model_of_a_dictionary_keeps_its_keys(tmp_path):
    keras.utils.set_random_seed(4)
    model = export_test_layers.OfParts()
    random = np.random.default_rng(1)
    parts = {name: random.standard_normal((3, 4), "float32") for name in ("top", "the bottom")}
    want = model(parts)
    specs = [kgan.export.check(model).spec for _ in range(2)]
    assert specs[0] == specs[1]
    assert [each.name for each in specs[0].inputs] == ["the_bottom", "top"]
    names = {"output_names": ["second", "first"]}
    kgan.export.export(model, tmp_path / "bundle", ("saved_model", "tflite", "onnx"), **names)
    for file in ("model_saved_model", "model.tflite", "model.onnx"):
        got = kgan.export.load(tmp_path / "bundle" / file)(
            {name.replace(" ", "_"): array for name, array in parts.items()}
        )
        assert list(got) == ["second", "first"]
        for mine, key in zip(got.values(), ("a", "z"), strict=True):
            np.testing.assert_allclose(
                mine, keras.ops.convert_to_numpy(want[key]), atol=1e-5, err_msg=file
            )
