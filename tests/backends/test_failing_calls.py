"""Whatever a call raises, every variable has a value afterwards, and the error is the first one."""

import contextlib

import keras
import numpy as np
import pytest
from factory import conditional, cyclegan, mlp_gan

import kgan

IMAGES = np.tanh(np.random.default_rng(0).normal(size=(48, 8, 8, 1))).astype("float32")
LATENTS = np.zeros((8, 4), "float32")


class Failure(Exception):  # noqa: N818, it may be of any kind
    """What is raised on purpose."""


class Fails(kgan.GAN):
    """Raises `error` while a step is traced or run, where there is one."""

    error = None

    def discriminator_loss(self, batch, outputs, training=True):
        if self.error:
            raise self.error
        return super().discriminator_loss(batch, outputs, training)


class Stream(keras.utils.PyDataset):
    """Batches of 16 images, one of which cannot be read."""

    def __init__(self, broken):
        super().__init__()
        self.broken = broken

    def __len__(self):
        return 3

    def __getitem__(self, index):
        if index == self.broken:
            raise Failure("disk went away")
        return IMAGES[index * 16 : (index + 1) * 16]


class Raises(keras.callbacks.Callback):
    """Raises in one of its methods, the second time it is called."""

    def __init__(self, method):
        super().__init__()
        self.calls = 0
        setattr(self, method, self.fail)

    def fail(self, *_, **__):
        self.calls += 1
        if self.calls == 2:
            raise Failure("in a callback")


def state(gan):
    values = [*gan.variables, *(gan.optimizer.variables if gan.compiled else ())]
    return [np.array(keras.ops.convert_to_numpy(value)) for value in values]


def survives(gan, call, error=Failure):
    """The call raises that error and no other, and the GAN goes on as if nothing had been."""
    with pytest.raises(error) as raised:
        call(gan)
    assert not any(word in str(raised.value) for word in ("NoneType", "deleted", "donated"))
    assert all(np.isfinite(value).all() for value in state(gan))
    if getattr(gan, "error", None):
        gan.error, gan.train_function, gan.test_function = None, None, None


@pytest.mark.parametrize("error", [Failure("a bug"), KeyboardInterrupt()], ids=type)
def test_an_error_in_the_losses(error):
    gan = mlp_gan(kind=Fails)
    gan.fit(IMAGES, verbose=0)
    before = gan.get_weights()
    for verb in (
        lambda gan: gan.fit(IMAGES, verbose=0),
        lambda gan: gan.evaluate(IMAGES, verbose=0),
        lambda gan: gan.train_on_batch(IMAGES[:8]),
        lambda gan: gan.test_on_batch(IMAGES[:8]),
    ):
        gan.error, gan.train_function, gan.test_function = error, None, None
        survives(gan, verb, type(error))
        for left, right in zip(before, gan.get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)
    assert np.isfinite(gan.fit(IMAGES, verbose=0).history["generator_loss"]).all()


@pytest.mark.parametrize("steps", [1, 2], ids=lambda steps: f"{steps}_steps")
def test_a_stream_that_cannot_be_read(steps):
    if steps > 1 and keras.backend.backend() == "torch":
        pytest.skip("PyTorch takes no steps_per_execution")
    gan = mlp_gan(steps_per_execution=steps)
    for broken in (1, 2):
        survives(gan, lambda gan: gan.fit(Stream(broken), verbose=0), Exception)  # noqa: B023
    survives(gan, lambda gan: gan.evaluate(Stream(1), verbose=0), Exception)
    validation = {"validation_data": Stream(1), "verbose": 0}
    survives(gan, lambda gan: gan.fit(IMAGES, **validation), Exception)
    assert np.isfinite(gan.generate(2)).all()


def test_a_callback_in_training_keeps_the_steps_before_it():
    gan, done = mlp_gan(), 0
    for method, steps in {
        "on_train_batch_begin": 1,
        "on_train_batch_end": 2,
        "on_epoch_end": 6,
    }.items():
        options = {"epochs": 2, "batch_size": 16, "verbose": 0, "callbacks": [Raises(method)]}
        survives(gan, lambda gan: gan.fit(IMAGES, **options))  # noqa: B023
        done += steps
        assert int(keras.ops.convert_to_numpy(gan.optimizer.iterations)) == done


def test_a_callback_in_evaluation():
    gan = mlp_gan()
    before = gan.get_weights()
    call = {"batch_size": 16, "verbose": 0}
    for method in ("on_test_batch_begin", "on_test_batch_end"):
        raises = [Raises(method)]
        survives(gan, lambda gan: gan.evaluate(IMAGES, callbacks=raises, **call))  # noqa: B023
    raises = [Raises("on_predict_batch_end")]
    survives(gan, lambda gan: gan.predict(LATENTS, 4, 0, callbacks=raises))
    for left, right in zip(before, gan.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_wrong_inputs():
    gan = mlp_gan(ema=0.9)
    gan.fit(IMAGES, verbose=0)
    truth = gan.images_of(LATENTS)
    for call in (
        lambda gan: gan.images_of(LATENTS[:, :3]),
        lambda gan: gan.predict_on_batch(LATENTS[:, :3]),
        lambda gan: gan.images_of(LATENTS[:, :3], network=gan.generator),
    ):
        survives(gan, call, Exception)
        np.testing.assert_allclose(gan.images_of(LATENTS), truth, atol=1e-6)
    classes = conditional()
    survives(classes, lambda gan: gan.predict(LATENTS, verbose=0), Exception)
    assert np.isfinite(classes.generate(2, labels=0)).all()


def test_networks_that_are_not_the_model_itself():
    gan = cyclegan()
    images = np.zeros((2, 8, 8, 3), "float32")
    truth = gan.translate(images, direction="ba")
    network = gan.generator_ba
    survives(gan, lambda gan: gan.images_of(images[:, :, :, :2], network=network), Exception)
    np.testing.assert_allclose(gan.translate(images, direction="ba"), truth, atol=1e-6)


def test_layers_frozen_without_compile():
    gan = mlp_gan()
    gan.fit(IMAGES, verbose=0)
    gan.generator.layers[1].trainable = False
    with contextlib.suppress(Exception):
        gan.fit(IMAGES, verbose=0)
    assert all(np.isfinite(value).all() for value in state(gan))
    gan.compile()
    assert np.isfinite(gan.fit(IMAGES, verbose=0).history["generator_loss"]).all()


def test_weights_set_between_two_calls_are_not_taken_back():
    """What a call left behind is not what an error in the next one brings back."""
    gan = mlp_gan(kind=Fails)
    gan.train_on_batch(IMAGES[:8])
    weights = [np.full_like(weight, 0.5) for weight in gan.get_weights()]
    gan.set_weights(weights)
    gan.error, gan.train_function = Failure("a bug"), None
    survives(gan, lambda gan: gan.train_on_batch(IMAGES[:8]))
    for left, right in zip(weights, gan.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_stream_that_looks_at_the_model_loses_no_step():
    gan = mlp_gan()

    class Looks(Stream):
        def __getitem__(self, index):
            assert np.isfinite(gan.generate(2)).all()
            return super().__getitem__(index)

    gan.fit(Looks(broken=None), verbose=0)
    assert int(keras.ops.convert_to_numpy(gan.optimizer.iterations)) == 3
