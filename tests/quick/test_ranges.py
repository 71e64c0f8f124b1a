"""The end of a network: logits that are squashed, and images of another range than the data."""

import warnings

import keras
import numpy as np
import pytest
from factory import cyclegan, pix2pix
from keras import layers, ops
from PIL import Image

import kgan
from kgan.checks.value_range import last_activation, shown, value_range

HEADS = {
    "operation": lambda x: ops.sigmoid(layers.Dense(1)(x)),
    "function": lambda x: keras.activations.tanh(layers.Dense(1)(x)),
    "reshaped": lambda x: layers.Reshape((1,))(layers.Dense(1, activation="sigmoid")(x)),
    "nested": lambda x: keras.Sequential([keras.Input((8,)), layers.Dense(1, "hard_sigmoid")])(x),
    "deeply nested": lambda x: keras.Sequential(
        [
            keras.Input((8,)),
            keras.Sequential([keras.Input((8,)), layers.Dense(1, "sigmoid"), layers.Dropout(0.1)]),
            layers.Flatten(),
        ]
    )(x),
    "layer": lambda x: layers.Activation("tanh")(layers.Dense(1)(x)),
    "softmax": lambda x: layers.Softmax()(layers.Dense(1)(x)),
    "wrapped": lambda x: kgan.layers.SpectralNormalization(layers.Dense(1, "sigmoid"))(x),
    "mean": lambda x: ops.mean(layers.Dense(4, "sigmoid")(x), axis=-1, keepdims=True),
    "patches": lambda x: layers.GlobalAveragePooling2D()(
        layers.Conv2D(1, 1, activation="sigmoid")(layers.Reshape((2, 2, 2))(x))
    ),
}


def judge(head):
    image = keras.Input((8, 8, 1))
    return keras.Model(image, head(layers.Dense(8, "relu")(layers.Flatten()(image))))


def gan_of(generator=None, discriminator=None, **options):
    gan = kgan.GAN(
        generator or kgan.networks.mlp_generator((8, 8, 1), latent_dim=4, width=8),
        discriminator or kgan.networks.mlp_discriminator((8, 8, 1), width=8),
        seed=0,
    )
    gan.compile(**options)
    return gan


def generator_to(activation):
    return keras.Sequential(
        [keras.Input((4,)), layers.Dense(64, activation), layers.Reshape((8, 8, 1))]
    )


@pytest.mark.parametrize("head", HEADS)
def test_squashed_logits_are_refused(head):
    with pytest.raises(ValueError, match=r"must end in a logit.*Received: a last layer"):
        gan_of(discriminator=judge(HEADS[head]))


@pytest.mark.parametrize(
    "head",
    [
        layers.Dense(1),
        lambda x: layers.Dense(1)(ops.sigmoid(x)),
        lambda x: 10 * ops.tanh(layers.Dense(1)(x)),
        lambda x: layers.Reshape((1,))(layers.Dense(1, activation="linear")(x)),
        lambda x: layers.Dense(1)(keras.Sequential([keras.Input((8,)), layers.Softmax()])(x)),
    ],
    ids=["plain", "inside", "scaled", "reshaped", "nested inside"],
)
def test_logits_are_taken(head):
    gan_of(discriminator=judge(head))


def test_a_saved_model_with_squashed_logits_still_loads(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:  # as it was made before this was looked at
        patch.setattr("kgan.checks.networks.SQUASHING", ())
        gan = gan_of(discriminator=judge(HEADS["operation"]))
    gan.save(tmp_path / "gan.keras")
    with pytest.warns(UserWarning, match="must end in a logit"):
        loaded = keras.saving.load_model(tmp_path / "gan.keras")
    np.testing.assert_allclose(loaded.generate(2, seed=0), gan.generate(2, seed=0), atol=1e-6)


def test_the_spectral_normalization_of_keras_is_refused():
    def nested(x):
        layer = layers.SpectralNormalization(layers.Dense(1))
        return keras.Sequential([keras.Input((8,)), layer])(x)

    with pytest.raises(ValueError, match=r"use kgan.layers.SpectralNormalization.*Received: "):
        gan_of(discriminator=judge(nested))
    gan_of(discriminator=judge(kgan.layers.SpectralNormalization(layers.Dense(1))))


@pytest.mark.parametrize(
    ("activation", "expected"),
    [("tanh", (-1, 1)), ("sigmoid", (0, 1)), ("relu", (0, np.inf)), ("leaky_relu", None)],
)
def test_the_range_of_a_network_holds_what_it_makes(activation, expected):
    network = generator_to(activation)
    assert value_range(network) == expected
    low, high = expected or (-np.inf, np.inf)
    made = network.predict(np.full((1, 4), 50.0) * [[1, -1, 1, -1]], verbose=0)
    assert low <= made.min() < made.max() <= high


def test_a_network_that_is_no_graph_shows_its_last_layer():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.last = layers.Dense(2, activation="tanh")

        def call(self, x):
            return self.last(x)

    assert last_activation(Own())[0] == "tanh"


def test_a_sigmoid_generator_is_given_images_in_its_range(images):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gan_of(generator_to("sigmoid")).train_on_batch((images + 1) / 2)
        gan_of().train_on_batch(images)
    with pytest.warns(UserWarning, match=r"seem to lie in \[0, 1\]"):
        gan_of().evaluate((images + 1) / 2, verbose=0)
    for network in map(generator_to, ("sigmoid", "relu")):
        with pytest.raises(ValueError, match=r"range of the generator.*\[0, .*Received: range \[-"):
            gan_of(network).fit(images, verbose=0)


def test_samples_that_are_no_images_may_leave_the_range():
    generator = keras.Sequential([keras.Input((4,)), layers.Dense(2, "tanh")])
    discriminator = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    points = np.array([[0, 3], [1, 0]], "float32")
    with pytest.warns(UserWarning, match=r"range of the generator.*Received: range \[0.0, 3.0\]"):
        gan_of(generator, discriminator).test_on_batch(points)


def test_translators_are_given_targets_in_their_range():
    x = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 3)).astype("float32")
    model = pix2pix(channels=(3, 3))
    with pytest.warns(UserWarning, match=r"seem to lie in \[0, 1\]"):
        model.test_on_batch(x, (x + 1) / 2)
    pairs = cyclegan().images_to_make((x, x / 2))
    assert [images.max() for _, images in pairs] == [x.max(), x.max() / 2]


def test_pictures_show_the_range_of_a_sigmoid(tmp_path, images):
    networks = generator_to("sigmoid"), generator_to("tanh")
    networks[1].set_weights(networks[0].get_weights())
    pictures = []
    for network in networks:
        gan = gan_of(network)
        grid = kgan.callbacks.SampleGrid(tmp_path / network.name, count=16)
        grid.set_model(gan)
        grid.draw(tmp_path / f"{network.name}.png")
        pictures.append(np.asarray(Image.open(tmp_path / f"{network.name}.png"), int) - 127.5)
    # tanh(x) = 2 sigmoid(2 x) - 1, so around 0 the picture of the sigmoid has half the contrast.
    inside = np.abs(pictures[1]) < 20
    np.testing.assert_allclose(pictures[0][inside], pictures[1][inside] / 2, atol=1.5)
    assert shown(images, networks[1]) is images
    np.testing.assert_allclose(shown((images + 1) / 2, networks[0]), images, atol=1e-6)
