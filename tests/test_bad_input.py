"""What cannot be trained on is refused before training, with what was received and the fix."""

import keras
import numpy as np
import pytest
from factory import mlp_gan

import kgan

GOOD = np.zeros((8, 8, 8, 1), "float32")
VARIED = np.linspace(-1, 1, GOOD.size, dtype="float32").reshape(GOOD.shape)
NAN = np.where(np.arange(8).reshape(8, 1, 1, 1) == 5, np.nan, GOOD)

BAD_IMAGES = {
    "uint8": (
        GOOD.astype("uint8"),
        r"images.astype\('float32'\) / 127.5 - 1.*Received: dtype uint8",
    ),
    "pixels as floats": (GOOD + 255, r"images / 127.5 - 1.*Received: range \[255.0, 255.0\]"),
    "NaN": (NAN, r"must be finite.*Received: range \[nan"),
    "infinite": (GOOD + np.inf, r"must be finite.*Received: range \[inf"),
    "no channels": (GOOD[..., 0], r"images\[\.\.\., None\].*Received: shape \(8, 8, 8\)"),
    "one image": (GOOD[0], r"images\[None\].*Received: shape \(8, 8, 1\)"),
    "other size": (
        np.zeros((8, 9, 8, 1)),
        r"\(batch, 8, 8, 1\).*resize\(images, \(8, 8\)\), or build the networks with "
        r"image_shape=\(9, 8, 1\). Received: shape \(8, 9, 8, 1\)",
    ),
    "other channels": (
        np.zeros((8, 8, 8, 3)),
        r"Give them 1 channel, or .*image_shape=\(8, 8, 3\). Received: shape \(8, 8, 8, 3\)",
    ),
    "channels first": (np.zeros((8, 1, 8, 8)), r"transpose.*Received: shape \(8, 1, 8, 8\)"),
    "empty": (GOOD[:0], r"no images.*Received: shape \(0, 8, 8, 1\)"),
    "nothing": (None, r"no images.*Received: x=None"),
}


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
@pytest.mark.parametrize("case", BAD_IMAGES)
def test_images_that_do_not_fit(method, case):
    images, message = BAD_IMAGES[case]
    with pytest.raises(ValueError, match=f"(?s){message}"):
        getattr(mlp_gan(), method)(images)


class Stream(keras.utils.PyDataset):
    def __init__(self, images):
        super().__init__()
        self.images = images

    def __len__(self):
        return len(self.images) // 4

    def __getitem__(self, index):
        return self.images[4 * index : 4 * index + 4]


def loader(images):
    torch = pytest.importorskip("torch")
    return torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.from_numpy(images)), batch_size=4
    )


def tf_data(images):
    return pytest.importorskip("tensorflow").data.Dataset.from_tensor_slices(images).batch(4)


@pytest.mark.parametrize("form", [Stream, loader, tf_data, lambda x: iter(Stream(x))])
def test_streams_are_checked_by_their_first_batch(form):
    gan = mlp_gan()
    with pytest.raises(ValueError, match="Received: dtype uint8"):
        gan.fit(form(GOOD.astype("uint8")))
    with pytest.raises(ValueError, match=r"Received: range \[255.0, 255.0\]"):
        gan.fit(form(GOOD + 255))
    with pytest.raises(ValueError, match="Received: an empty"):
        gan.fit(form(GOOD[:0]))


def test_a_torch_loader_of_bare_tensors():
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"TensorDataset\. Received: a DataLoader that yields"):
        mlp_gan().fit(torch.utils.data.DataLoader(torch.from_numpy(GOOD), batch_size=4))


def test_validation_data_is_checked_before_training():
    gan = mlp_gan()
    with pytest.raises(ValueError, match="Received: dtype uint8"):
        gan.fit(VARIED, validation_data=GOOD.astype("uint8"))
    assert int(gan.optimizer.iterations) == 0


@pytest.mark.parametrize("size", [0, -1, 2.5, "32"])
def test_batch_size(size):
    with pytest.raises(ValueError, match=f"positive integer.*Received: batch_size={size!r}"):
        mlp_gan().fit(GOOD, batch_size=size)


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_before_compile(method):
    gan = kgan.GAN(
        kgan.networks.mlp_generator((8, 8, 1), 4, 8), kgan.networks.mlp_discriminator((8, 8, 1), 8)
    )
    with pytest.raises(ValueError, match=rf"Call compile\(\) before {method}\(\).*Received:"):
        getattr(gan, method)(GOOD)


def test_networks_that_do_not_fit_each_other():
    generator = kgan.networks.mlp_generator((8, 8, 3), 4, 8)
    with pytest.raises(ValueError, match=r"Received: generator output \(None, 8, 8, 3\)"):
        kgan.GAN(generator, kgan.networks.mlp_discriminator((8, 8, 1), 8))


def test_networks_that_are_not_built():
    discriminator = kgan.networks.mlp_discriminator((8, 8, 1), 8)
    for generator in (keras.Sequential([keras.layers.Dense(64)]), "generator", None):
        with pytest.raises(ValueError, match=r"must be a built Keras model.*Received: generator="):
            kgan.GAN(generator, discriminator)


def test_one_optimizer_for_both_players():
    adam = keras.optimizers.Adam()
    with pytest.raises(ValueError, match=r"Create one for each\. Received: the same Adam object"):
        mlp_gan(generator_optimizer=adam, discriminator_optimizer=adam)


def test_a_player_without_anything_to_train():
    gan = mlp_gan()
    gan.discriminator.trainable = False
    with pytest.raises(ValueError, match=r"discriminator has nothing to train.*Received: "):
        gan.compile()


@pytest.mark.parametrize("n", [0, -3, 1.5, None])
def test_how_many_to_generate(n):
    with pytest.raises(ValueError, match=f"Received: n={n}"):
        mlp_gan().generate(n)


def test_a_discriminator_that_ends_in_a_sigmoid():
    generator = kgan.networks.mlp_generator((8, 8, 1), 4, 8)
    for last in (keras.layers.Dense(1, activation="sigmoid"), keras.layers.Activation("sigmoid")):
        layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1), last]
        with pytest.raises(ValueError, match=r"Dense\(1\) without activation.*'sigmoid'"):
            kgan.GAN(generator, keras.Sequential(layers))


def test_a_discriminator_of_several_outputs():
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(10)]
    with pytest.raises(ValueError, match=r"must be 1. Received: output shape \(None, 10\)"):
        kgan.GAN(kgan.networks.mlp_generator((8, 8, 1), 4, 8), keras.Sequential(layers))


def test_images_in_zero_to_one_warn():
    with pytest.warns(UserWarning, match=r"images \* 2 - 1. Received: range \[0.0, 1.0\]"):
        mlp_gan().fit(np.linspace(0, 1, 512, dtype="float32").reshape(8, 8, 8, 1), verbose=0)


def test_arguments_of_other_keras_models():
    with pytest.raises(TypeError, match=r"generator_optimizer= and .*Received: .* optimizer"):
        mlp_gan(optimizer="adam")


def test_data_that_is_no_array():
    with pytest.raises(ValueError, match=r"numpy.stack.*Received: a list of 2 list"):
        mlp_gan().fit([[0.0], [1.0]])
    with pytest.raises(ValueError, match="Received: the string 'digits'"):
        mlp_gan().fit("digits")


def test_a_learning_rate_belongs_to_a_player():
    with pytest.raises(AttributeError, match=r"gan\.optimizer\.generator\.learning_rate"):
        _ = mlp_gan().optimizer.learning_rate


class WithRest(Stream):
    def __len__(self):
        return -(-len(self.images) // 4)


class Ones(Stream):
    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index : index + 1]


def normalized(packing=1, last=False, compiled=None):
    """Networks of a user, with a batch normalisation of features, in one of the two or in none."""
    layers = keras.layers
    norm = [layers.BatchNormalization()]
    generator = [layers.Dense(8), *(norm if last == "generator" else []), layers.Dense(64)]
    ends = [layers.Reshape((8, 8, 1)), layers.BatchNormalization(), layers.Activation("tanh")]
    judge = [layers.Flatten(), layers.Dense(8), *(norm if last == "discriminator" else [])]
    gan = kgan.GAN(
        keras.Sequential([keras.Input((4,)), *generator, *ends]),
        keras.Sequential([keras.Input((8, 8, packing)), *judge, layers.Dense(1)]),
        packing=packing,
    )
    gan.compile(**compiled or {}, run_eagerly=True)
    return gan


@pytest.mark.parametrize("last", ["generator", "discriminator"])
@pytest.mark.parametrize("form", [np.asarray, Ones, lambda x: iter(Ones(x))])
def test_a_batch_of_one_is_refused_where_normalisation_makes_it_a_constant(last, form):
    gan = normalized(last=last)
    with pytest.raises(
        ValueError, match=r"Batch normalisation.*at least 2 .*Received: .*batch_norm"
    ):
        gan.fit(form(VARIED), batch_size=1, verbose=0)
    with pytest.raises(ValueError, match=r"Batch normalisation.*at least 2 "):
        gan.train_on_batch(VARIED[:1])
    assert np.isfinite(gan.test_on_batch(VARIED[:1])).all()  # by the moving statistics
    assert np.isfinite(gan.evaluate(VARIED[:3], batch_size=1, verbose=0)).all()


def test_a_batch_of_one_is_refused_for_each_turn_and_pack():
    gan = normalized(last="discriminator", compiled={"discriminator_steps": 2})
    with pytest.raises(ValueError, match=r"at least 4 samples.*Received: 3 samples"):
        gan.fit(VARIED[:3], verbose=0)
    gan = normalized(packing=2, last="discriminator")
    with pytest.raises(ValueError, match=r"at least 4 samples.*Received: 2 samples"):
        gan.train_on_batch(VARIED[:2])
    gan = normalized(packing=2, last="generator")  # which makes two for a pack
    assert np.isfinite(gan.train_on_batch(VARIED[:2])).all()


def test_a_last_batch_of_one_is_left_out_where_normalisation_makes_it_a_constant():
    gan = normalized(last="generator")
    with pytest.warns(UserWarning, match=r"left out.*normalisation.*Received: a last batch of 1"):
        gan.fit(VARIED[:5], batch_size=4, shuffle=False, verbose=0)
    with pytest.warns(
        UserWarning, match=r"left out.*normalisation.*Received: batch 1 of 1 samples"
    ):
        gan.fit(WithRest(VARIED[:5]), verbose=0)
    assert int(gan.optimizer.generator.iterations) == 2


def test_a_batch_of_one_is_trained_on_where_normalisation_is_of_many_values():
    gan = normalized()
    gan.fit(VARIED[:2], batch_size=1, verbose=0)
    assert int(gan.optimizer.generator.iterations) == 2
    still = normalized(last="discriminator")
    next(x for x in still.discriminator.layers if "batch" in x.name).trainable = False
    still.compile(run_eagerly=True)
    assert np.isfinite(still.train_on_batch(VARIED[:1])).all()


def test_a_class_norm_of_one_pixel_refuses_a_batch_of_one():
    gan = kgan.ConditionalGAN(
        kgan.networks.dcgan_generator(
            (1, 1, 1), latent_dim=4, width=4, num_classes=2, conditioning="conditional_batch_norm"
        ),
        kgan.networks.dcgan_discriminator((1, 1, 1), width=4, num_classes=2),
        num_classes=2,
    )
    gan.compile(run_eagerly=True)
    with pytest.raises(ValueError, match=r"Batch normalisation.*conditional_batch_normalization"):
        gan.train_on_batch(VARIED[:1, :1, :1], np.array([1]))


def test_a_tuple_of_arrays_is_images_and_labels():
    gan = mlp_gan(run_eagerly=True)
    data = (VARIED, np.arange(8))
    for method in (gan.fit, gan.evaluate):
        method(data, verbose=0)
    for method in (gan.train_on_batch, gan.test_on_batch):
        assert np.isfinite(method(data)).all()
