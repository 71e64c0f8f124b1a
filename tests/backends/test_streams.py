"""Batches of streams that are too small, or cannot be trained on, wherever they come."""

import keras
import numpy as np
import pytest
from factory import OwnGAN, conditional, mlp_gan

import kgan
from kgan.training.streams import Watched, watched

BACKEND = keras.backend.backend()


class Slices(keras.utils.PyDataset):
    """Arrays in batches; the last one has what is left."""

    def __init__(self, *arrays, size, **options):
        super().__init__(**options)
        self.arrays, self.size = arrays, size

    def __len__(self):
        return -(-len(self.arrays[0]) // self.size)

    def __getitem__(self, index):
        chosen = slice(index * self.size, (index + 1) * self.size)
        return tuple(array[chosen] for array in self.arrays)


def dataset(*arrays, size):
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices(arrays).batch(size)


def loader(*arrays, size):
    torch = pytest.importorskip("torch")
    tensors = torch.utils.data.TensorDataset(*map(torch.from_numpy, arrays))
    return torch.utils.data.DataLoader(tensors, size)


def generator(*arrays, size):
    return iter(Slices(*arrays, size=size))


def threads(*arrays, size):
    return Slices(*arrays, size=size, workers=2)


KINDS = [Slices, generator, threads]
KINDS += {"torch": [loader], "tensorflow": [dataset]}.get(BACKEND, [])
# Of data that end before Keras has learned their length, it warns.
ENDS = pytest.mark.filterwarnings("ignore:.*ran out of data:UserWarning")


@ENDS
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{"packing": 2}, {"discriminator_steps": 2}], ids=str)
def test_a_batch_too_small_for_a_step_is_left_out_and_told_once(images, kind, options):
    gan = packed(run_eagerly=True, **options)
    with pytest.warns(UserWarning, match="left out.*Received: batch 2 of 1 samples") as told:
        logs = gan.fit(kind(images[:9], size=4), verbose=0).history
    assert sum("left out" in str(each.message) for each in told) == 1
    assert np.isfinite(list(logs.values())).all()
    assert int(gan.optimizer.generator.iterations) == 2


def packed(packing=1, **options):
    gan = kgan.GAN(
        kgan.networks.mlp_generator((8, 8, 1), latent_dim=4, width=8),
        kgan.networks.mlp_discriminator((8, 8, packing), width=8),
        packing=packing,
        seed=0,
    )
    gan.compile(**options)
    return gan


@ENDS
@pytest.mark.parametrize("kind", [None, *KINDS])
def test_a_batch_too_small_to_be_judged_is_left_out_of_an_evaluation(images, kind):
    gan = packed(packing=2, run_eagerly=True)
    data = images[:9] if kind is None else kind(images[:9], size=4)
    with pytest.warns(UserWarning, match="left out"):
        logs = gan.evaluate(data, batch_size=4, verbose=0)
    assert np.isfinite(logs).all()


def test_validation_leaves_out_what_is_too_small(images):
    gan = packed(packing=2, run_eagerly=True)
    for data in (images[:9], Slices(images[:9], size=4)):
        with pytest.warns(UserWarning, match="left out"):
            history = gan.fit(images[:8], batch_size=4, validation_data=data, verbose=0)
        assert np.isfinite(history.history["val_discriminator_loss"]).all()


def test_turns_are_not_asked_for_where_nothing_is_learned(images):
    gan = packed(discriminator_steps=5, run_eagerly=True)
    assert np.isfinite(gan.evaluate(Slices(images[:3], size=2), verbose=0)).all()
    assert np.isfinite(gan.test_on_batch(images[:1])).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda gan, x: gan.fit(x, verbose=0),
        lambda gan, x: gan.fit(x, shuffle=False, verbose=0),
        lambda gan, x: gan.fit(Slices(x, size=32), verbose=0),
        lambda gan, x: gan.train_on_batch(x),
        lambda gan, x: gan.evaluate(x[:1], verbose=0),
        lambda gan, x: gan.evaluate(x, batch_size=1, verbose=0),
        lambda gan, x: gan.evaluate(Slices(x, size=1), verbose=0),
        lambda gan, x: gan.test_on_batch(x[:1]),
        lambda gan, x: gan.fit(np.repeat(x, 9, 0), validation_data=x[:1], verbose=0),
    ],
    ids=["fit", "unshuffled", "stream", "train", "few", "single", "evaluate", "test", "validation"],
)
def test_fewer_samples_than_a_step_needs_are_refused(images, call):
    gan = packed(packing=2, discriminator_steps=2)
    before = gan.get_weights()
    with pytest.raises(ValueError, match=r"(?s)at least|multiple of.*Received: "):
        call(gan, images[:3])
    for weights in zip(before, gan.get_weights(), strict=True):
        np.testing.assert_array_equal(*weights)


@pytest.mark.parametrize("kind", KINDS)
def test_a_later_batch_that_is_not_finite_is_named(images, kind):
    broken = images[:12].copy()
    broken[9, 0, 0] = np.nan
    gan = mlp_gan(run_eagerly=True)
    with pytest.raises(ValueError, match=r"In batch 2 of the stream.*finite.*Received: .*nan"):
        gan.fit(kind(broken, size=4), verbose=0)
    assert all(np.isfinite(weights).all() for weights in gan.get_weights())
    with pytest.raises(ValueError, match="In batch 2 of the stream"):
        gan.evaluate(kind(broken, size=4), verbose=0)


@pytest.mark.skipif(BACKEND == "tensorflow", reason="tf.data hands out batches in host memory")
def test_a_batch_on_a_device_is_named_at_the_end_of_its_epoch(images, monkeypatch):
    monkeypatch.setattr("kgan.checks.is_in_host_memory", lambda array: False)
    bad = images[:64].copy()
    bad[40, 0, 0] = np.inf
    gan = mlp_gan(run_eagerly=True)
    with pytest.raises(ValueError, match=r"In batch 2 of the stream: samples must be finite"):
        gan.fit(Slices(bad, size=16), shuffle=False, verbose=0)
    gan = mlp_gan(run_eagerly=True)
    gan.fit(Slices(images[:64], size=16), epochs=2, verbose=0)


def test_later_labels_are_looked_at(images):
    images, labels = images[:8], np.arange(8) % 3
    labels[-1] = 7
    gan = conditional(run_eagerly=True)
    with pytest.raises(
        ValueError, match=r"In batch 1 of the stream.*Received: labels from [01] to 7"
    ):
        gan.fit(Slices(images, labels, size=4), verbose=0)
    with pytest.raises(
        ValueError, match=r"In batch 1 of the stream.*Received: labels from [01] to 7"
    ):
        gan.evaluate(Slices(images, labels, size=4), verbose=0)


def test_later_pixels_and_sizes_are_looked_at(images):
    def batches(second):
        yield (images[:4],)
        yield (second,)

    # TensorFlow's from_generator looks at the first two batches, and reads sizes as open ones.
    for second in (np.full((4, 8, 8, 1), 200, "uint8"), 100 * images[:4], images[:4, :4]):
        with pytest.raises(ValueError, match=r"In batch 1 of the stream.*Received: "):
            mlp_gan(run_eagerly=True).fit(batches(second), steps_per_epoch=2, verbose=0)


def test_a_model_of_ones_own_is_given_finite_samples(images):
    gan = mlp_gan(kind=OwnGAN, run_eagerly=True)
    with pytest.raises(ValueError, match=r"finite.*Received: range \[nan"):
        gan.train_on_batch(np.full_like(images, np.nan))


def test_weights_of_samples_in_a_stream_are_refused(images):
    ones = np.ones(96, "float32")
    for call in (mlp_gan().fit, mlp_gan().evaluate):
        with pytest.raises(
            ValueError, match=r"does not weigh its samples.*Received: sample_weight"
        ):
            call(Slices(images, ones, ones, size=32), verbose=0)


def test_a_look_does_not_change_a_stream(images):
    seen = []
    stream = watched(Slices(images, size=40), seen.append, smallest=1)
    assert isinstance(stream, Watched)
    assert stream.num_batches == 3
    batches = list(stream.get_numpy_iterator())
    np.testing.assert_array_equal(np.concatenate([x for (x,) in batches]), images)
    np.testing.assert_array_equal(np.concatenate([x for (x,) in seen]), images)
