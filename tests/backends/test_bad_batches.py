"""Streams and batches that cannot be trained on, in the forms that a backend has."""

import keras
import numpy as np
import pytest
from factory import mlp_gan

import kgan

GOOD = np.zeros((8, 8, 8, 1), "float32")
VARIED = np.linspace(-1, 1, GOOD.size, dtype="float32").reshape(GOOD.shape)


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


def test_a_player_without_anything_to_train():
    gan = mlp_gan()
    gan.discriminator.trainable = False
    with pytest.raises(ValueError, match=r"discriminator has nothing to train.*Received: "):
        gan.compile()


def test_images_in_zero_to_one_warn():
    with pytest.warns(UserWarning, match=r"images \* 2 - 1. Received: range \[0.0, 1.0\]"):
        mlp_gan().fit(np.linspace(0, 1, 512, dtype="float32").reshape(8, 8, 8, 1), verbose=0)


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
