"""A folded model gives the same values with fewer layers; what must not be folded is not."""

import keras
import numpy as np
import pytest
from export_test_layers import Subclassed

from kgan.export.convert.folding import fold

layers = keras.layers


def norm(**options):
    return layers.BatchNormalization(
        gamma_initializer=keras.initializers.RandomNormal(1.0, 0.3, seed=1),
        beta_initializer=keras.initializers.RandomNormal(0.0, 0.3, seed=2),
        moving_mean_initializer=keras.initializers.RandomNormal(0.0, 0.3, seed=3),
        moving_variance_initializer=keras.initializers.RandomUniform(0.1, 2.0, seed=4),
        **options,
    )


def norms(model):
    return sum(isinstance(layer, layers.BatchNormalization) for layer in model._flatten_layers())


def difference(model):
    """The largest between the model's and its folded twin's answers."""
    random = np.random.default_rng(0)
    values = [random.normal(size=(3, *each.shape[1:])).astype("float32") for each in model.inputs]
    values = values[0] if len(values) == 1 else values
    answers = [
        np.asarray(keras.ops.convert_to_numpy(each(values, training=False)))
        for each in (model, fold(model))
    ]
    return np.abs(answers[0] - answers[1]).max()


@pytest.mark.parametrize(
    ("shape", "layer"),
    [
        ((5,), lambda: layers.Dense(6)),
        ((4, 5), lambda: layers.Dense(6, use_bias=False)),
        ((8, 3), lambda: layers.Conv1D(4, 3, padding="same")),
        ((8, 3), lambda: layers.Conv1DTranspose(4, 3, strides=2)),
        ((6, 6, 4), lambda: layers.Conv2D(6, 3, strides=2, groups=2, bias_initializer="ones")),
        ((6, 6, 3), lambda: layers.Conv2DTranspose(4, 4, strides=2, use_bias=False)),
        ((6, 6, 3), lambda: layers.DepthwiseConv2D(3, depth_multiplier=2)),
        ((4, 4, 4, 2), lambda: layers.Conv3D(3, 2)),
        ((4, 4, 4, 2), lambda: layers.Conv3DTranspose(3, 2)),
    ],
)
def test_every_kind_of_layer_takes_its_norm_in(shape, layer):
    model = keras.Sequential([keras.Input(shape), layer(), norm(), layers.ReLU()])
    assert (norms(model), norms(fold(model))) == (1, 0)
    assert difference(model) < 5e-6


@pytest.mark.parametrize("options", [{"scale": False}, {"center": False}, {"epsilon": 0.1}])
def test_norms_without_a_part(options):
    model = keras.Sequential([keras.Input((5,)), layers.Dense(4), norm(**options)])
    assert norms(fold(model)) == 0
    assert difference(model) < 5e-6


def test_a_dense_layer_over_an_image_is_a_convolution():
    first, again = layers.Dense(5, activation="tanh", bias_initializer="ones"), layers.Dense(5)
    image = keras.Input((4, 3, 2))
    x = norm()(layers.Dense(4, use_bias=False)(first(image)))
    x = again(again(layers.Dense(5)(x)))  # one layer with two calls stays
    model = keras.Model(image, layers.Dense(3)(layers.Flatten()(x)))
    kinds = [type(layer).__name__ for layer in fold(model).layers]
    assert kinds == ["InputLayer", "Conv2D", "Conv2D", "Conv2D", "Dense", "Flatten", "Dense"]
    assert difference(model) < 5e-6


def test_a_sequential_model_that_was_read_has_calls_of_no_graph():
    built = keras.Sequential([keras.Input((4, 3, 2)), layers.Dense(3), norm(), layers.Conv2D(2, 2)])
    config = keras.saving.serialize_keras_object(built)
    model = keras.saving.deserialize_keras_object(config)
    kinds = [type(layer).__name__ for layer in fold(model).layers]
    assert kinds == ["InputLayer", "Conv2D", "Conv2D"]
    assert difference(model) < 5e-6


def test_in_a_nested_model():
    inner = keras.Sequential([keras.Input((2, 3, 4)), layers.Conv2DTranspose(2, 2), norm()])
    latent = keras.Input((5,))
    x = norm()(layers.Dense(24)(latent))
    outputs = inner(layers.Reshape((2, 3, 4))(layers.ReLU()(x)))
    model = keras.Model(latent, outputs)
    assert (norms(model), norms(fold(model))) == (2, 0)
    assert difference(model) < 5e-6


def test_a_subclassed_model_is_left_alone():
    inner = Subclassed()
    inputs = keras.Input((4,))
    model = keras.Model(inputs, norm()(inner(inputs)))
    assert inner in fold(model).layers
    assert fold(inner) is inner
    assert difference(model) < 5e-6


def shared_source():
    inputs = keras.Input((5,))
    x = layers.Dense(4)(inputs)
    return keras.Model(inputs, layers.Add()([x, norm()(x)]))


def source_is_an_output():
    inputs = keras.Input((5,))
    x = layers.Dense(4)(inputs)
    inner = keras.Model(inputs, [x, norm()(x)])
    return keras.Model(inputs, inner(inputs)[1])


def layer_called_twice():
    inputs = keras.Input((5,))
    dense = layers.Dense(5)
    return keras.Model(inputs, norm()(dense(dense(inputs))))


def norm_called_twice():
    inputs, both = keras.Input((5,)), norm()
    return keras.Model(inputs, both(layers.Dense(5)(both(layers.Dense(5)(inputs)))))


def stack(*middle, shape=(6, 6, 3)):
    return keras.Sequential([keras.Input(shape), *middle])


@pytest.mark.parametrize(
    "build",
    [
        shared_source,
        source_is_an_output,
        layer_called_twice,
        norm_called_twice,
        lambda: stack(layers.Conv2D(4, 3, activation="relu"), norm()),
        lambda: stack(layers.Conv2D(4, 3), layers.ReLU(), norm()),
        lambda: stack(layers.Conv2D(4, 3), norm(axis=1)),
        lambda: stack(norm(), layers.Conv2D(4, 3)),
        lambda: stack(layers.SeparableConv2D(4, 3), norm()),
        lambda: stack(layers.Conv2D(4, 3), layers.Reshape((16, 4)), norm()),
        lambda: stack(layers.Dense(12), layers.Reshape((3, 8)), norm(), shape=(2, 5)),
        lambda: stack(layers.Dense(24), layers.Reshape((3, 8)), norm(), shape=(5,)),
    ],
)
def test_what_must_stay_stays(build):
    model = build()
    assert norms(fold(model)) == norms(model) > 0
    assert difference(model) < 5e-6


def test_inputs_by_name_and_several_outputs_keep_their_structure():
    first, second = keras.Input((3,), name="b"), keras.Input((3,), name="a")
    x = norm()(layers.Dense(4)(layers.Add()([first, second])))
    model = keras.Model({"b": first, "a": second}, {"y": x, "x": layers.ReLU()(x)})
    values = {"a": np.ones((2, 3), "float32"), "b": np.full((2, 3), 2.0, "float32")}
    want, got = model(values, training=False), fold(model)(values, training=False)
    assert sorted(got) == ["x", "y"]
    for name in got:
        pair = (keras.ops.convert_to_numpy(each[name]) for each in (got, want))
        np.testing.assert_allclose(*pair, atol=5e-6)
