"""The order in which arrays are shown: every sample once an epoch, and the same after a restart."""

import keras
import numpy as np
import pytest
from factory import FedGAN, mlp_gan

from kgan.training.data_order import Batches, split

IMAGES = np.tanh(np.random.default_rng(0).normal(size=(50, 8, 8, 1))).astype("float32")
NUMBERS = np.arange(50)


def epoch(batches):
    batches.on_epoch_begin()
    return [batches[i] for i in range(len(batches))]


def numbers(batches):
    return [y.tolist() for _, y in epoch(batches)]


def test_no_sample_twice_in_an_epoch_and_each_beside_its_label():
    batches = Batches(mlp_gan(), (IMAGES, NUMBERS), 16)
    shown = epoch(batches)
    assert [len(x) for x, _ in shown] == [16, 16, 16]  # the last two are left out, see below
    labels = np.concatenate([y for _, y in shown])
    assert len(set(labels)) == 48
    assert labels.tolist() != sorted(labels)
    np.testing.assert_array_equal(np.concatenate([x for x, _ in shown]), IMAGES[labels])


def test_the_order_changes_with_training_and_with_the_seed_alone():
    gan = mlp_gan(seed=3)
    batches = Batches(gan, (IMAGES, NUMBERS), 16)
    first = numbers(batches)
    assert numbers(batches) == first  # no step was made
    assert numbers(Batches(mlp_gan(seed=3), (IMAGES, NUMBERS), 16)) == first
    assert numbers(Batches(mlp_gan(seed=4), (IMAGES, NUMBERS), 16)) != first
    gan.fit(IMAGES, batch_size=25, epochs=1, verbose=0)
    assert numbers(batches) != first
    # The very order, so that the backends cannot differ.
    rng = np.random.default_rng([3, 0, 0, 0])
    assert np.concatenate(first).tolist() == rng.permutation(50)[:48].tolist()


def test_each_epoch_of_fit_has_an_order_of_its_own():
    seen = []

    class Watched(FedGAN):
        def unpack(self, data):
            x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
            seen.append(keras.ops.convert_to_numpy(x))
            return super().unpack(data)

    gan = mlp_gan(kind=Watched, run_eagerly=True)
    latents = np.random.default_rng(1).normal(size=(50, 4)).astype("float32")
    if keras.backend.backend() == "jax":
        pytest.skip("JAX traces the step even when it is run eagerly, so there are no values")
    gan.fit(IMAGES, latents, batch_size=25, epochs=3, verbose=0)
    steps = seen[-6:]
    passes = [np.concatenate(steps[i : i + 2]) for i in (0, 2, 4)]
    for shown in passes:
        np.testing.assert_array_equal(np.sort(shown, axis=0), np.sort(IMAGES, axis=0))
    assert not np.array_equal(passes[0], passes[1])
    assert not np.array_equal(passes[1], passes[2])


def test_what_does_not_fill_a_batch_is_left_out_others_each_epoch():
    gan = mlp_gan()
    batches = Batches(gan, (IMAGES, NUMBERS), 48)
    [first] = numbers(batches)
    gan.fit(IMAGES, batch_size=25, verbose=0)
    [second] = numbers(batches)
    assert len(first) == len(second) == 48
    assert set(first) != set(second)
    assert [len(y) for y in numbers(Batches(gan, (IMAGES, NUMBERS), 64))] == [50]


def test_every_step_of_an_epoch_sees_one_size():
    sizes = []

    class Watched(FedGAN):
        def unpack(self, data):
            sizes.append(keras.tree.flatten(data)[0].shape[0])
            return super().unpack(data)

    gan = mlp_gan(kind=Watched)
    latents = np.random.default_rng(1).normal(size=(50, 4)).astype("float32")
    gan.fit(IMAGES, latents, batch_size=16, epochs=2, verbose=0)
    # As the graph was traced, after a dry run of one: an open axis would be None.
    assert set(sizes) == {1, 16}


def test_a_given_number_of_steps_goes_round_the_data():
    batches = Batches(mlp_gan(), (IMAGES, NUMBERS), 25, steps=4)
    first, second = np.split(np.concatenate(numbers(batches)), 2)
    assert sorted(first) == sorted(second) == NUMBERS.tolist()
    assert first.tolist() != second.tolist()
    history = mlp_gan().fit(IMAGES, batch_size=25, steps_per_epoch=1, epochs=3, verbose=0)
    assert len(history.history["generator_loss"]) == 3


def test_validation_split_takes_the_last_samples():
    (_, left), (_, held) = split(IMAGES, NUMBERS, 0.2)
    np.testing.assert_array_equal(left, NUMBERS[:40])
    np.testing.assert_array_equal(held, NUMBERS[40:])
    gan = mlp_gan()
    history = gan.fit(IMAGES, validation_split=0.2, verbose=0).history
    assert "val_generator_loss" in history
    with pytest.raises(ValueError, match=r"validation_split.*Received"):
        gan.fit(IMAGES, validation_split=0.999, verbose=0)
    with pytest.raises(ValueError, match=r"validation_split needs arrays.*Received"):
        gan.fit(Batches(gan, (IMAGES, NUMBERS), 25), validation_split=0.2, verbose=0)


@pytest.mark.parametrize("name", ["sample_weight", "class_weight"])
def test_weights_of_samples_are_refused(name):
    with pytest.raises(ValueError, match=f"does not weigh its samples.*Received: {name}"):
        mlp_gan().fit(IMAGES, verbose=0, **{name: np.ones(50)})


def test_arrays_of_the_backend_are_taken():
    mlp_gan().fit(keras.ops.convert_to_tensor(IMAGES), verbose=0)
