"""A run that was stopped goes on from its checkpoint as if it had never been."""

import shutil

import keras
import numpy as np
import pytest
from factory import dcgan, dropout_gan, mlp_gan
from PIL import Image

import kgan

IMAGES = np.tanh(np.random.default_rng(0).normal(size=(96, 8, 8, 1))).astype("float32")


class Stop(keras.callbacks.Callback):
    """Ends the run in the middle of an epoch, as a crash would."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch == self.epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.now and batch == 1:
            raise KeyboardInterrupt


def fit(gan, images, checkpoint=None, stop=None, epochs=4, **options):
    callbacks = [Stop(stop)] if stop is not None else []
    options = {"batch_size": 32, "epochs": epochs, "verbose": 0, **options}
    return gan.fit(images, checkpoint=checkpoint, callbacks=callbacks, **options).history


def state(gan):
    return [np.asarray(v) for v in map(keras.ops.convert_to_numpy, gan.variables)] + [
        np.asarray(keras.ops.convert_to_numpy(v)) for v in gan.optimizer.variables
    ]


def assert_equal(a, b):
    for left, right in zip(state(a), state(b), strict=True):
        np.testing.assert_array_equal(left, right)


def schedule(rate):
    return keras.optimizers.schedules.CosineDecay(rate, 12)


def scheduled():
    return mlp_gan(
        ema=0.9,
        penalties=[kgan.penalties.R1(0.1, interval=2)],
        augmentations=[kgan.augmentations.InstanceNoise(0.1)],
        generator_optimizer=keras.optimizers.Adam(schedule(1e-3)),
        discriminator_optimizer=keras.optimizers.RMSprop(schedule(2e-3)),
    )


def half():
    keras.config.set_dtype_policy("mixed_float16")
    return mlp_gan(loss="wasserstein", penalties=[kgan.penalties.GradientPenalty()])


@pytest.fixture(autouse=True)
def _float32():
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("make", [scheduled, dcgan, dropout_gan, half])
def test_a_stopped_run_ends_as_one_that_never_stopped(make, tmp_path):
    never = make()
    history = fit(never, IMAGES, tmp_path / "never.keras")

    stopped = make()
    with pytest.raises(KeyboardInterrupt):
        fit(stopped, IMAGES, tmp_path / "run" / "checkpoint.keras", stop=2)
    keras.utils.set_random_seed(99)  # a new process has other numbers
    resumed = make()
    went_on = fit(resumed, IMAGES, tmp_path / "run" / "checkpoint.keras")

    assert_equal(resumed, never)
    for name, values in went_on.items():
        assert values == history[name][2:], name
    # It is the checkpoint that did it.
    other = make()
    with pytest.raises(KeyboardInterrupt):
        fit(other, IMAGES, stop=2)
    assert any(not np.array_equal(a, b) for a, b in zip(state(other), state(resumed), strict=True))


def unseeded():
    keras.utils.set_random_seed(0)
    gan = kgan.GAN(
        kgan.networks.mlp_generator((8, 8, 1), 4, 16),
        keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                keras.layers.Flatten(),
                keras.layers.Dropout(0.5),
                keras.layers.Dense(1),
            ]
        ),
    )
    gan.compile()
    return gan


def test_dropout_without_a_seed_goes_on_too(tmp_path):
    """On PyTorch it draws from the framework's own random numbers."""
    never = unseeded()
    fit(never, IMAGES, tmp_path / "never.keras")
    stopped = unseeded()
    with pytest.raises(KeyboardInterrupt):
        fit(stopped, IMAGES, tmp_path / "checkpoint.keras", stop=2)
    resumed = unseeded()
    fit(resumed, IMAGES, tmp_path / "checkpoint.keras")
    # Neither GAN has a seed: the resumed one has that of the checkpoint.
    fresh = unseeded()
    fresh.load_weights(tmp_path / "checkpoint.keras")
    assert_equal(fresh, resumed)
    assert len(state(never)) == len(state(resumed))


@pytest.fixture(scope="module")
def one_epoch(tmp_path_factory):
    """A GAN after one epoch, and its checkpoint."""
    path = tmp_path_factory.mktemp("run") / "checkpoint.keras"
    gan = mlp_gan()
    fit(gan, IMAGES, path, epochs=1)
    return gan, path


def test_a_finished_run_has_nothing_left_to_do_and_can_be_made_longer(one_epoch, tmp_path, capsys):
    gan, path = one_epoch
    path = shutil.copy(path, tmp_path)
    again = mlp_gan()
    with pytest.warns(UserWarning, match="Nothing is left to train.*Received: epochs=1"):
        assert fit(again, IMAGES, path, epochs=1) == {}
    assert_equal(again, gan)
    capsys.readouterr()
    assert len(fit(again, IMAGES, path, epochs=3, verbose=2)["generator_loss"]) == 2
    assert f"Going on after epoch 1, from {path}" in capsys.readouterr().out
    never = mlp_gan()
    fit(never, IMAGES, epochs=3)
    assert_equal(again, never)


def test_a_checkpoint_is_a_saved_model(one_epoch):
    gan, path = one_epoch
    loaded = keras.saving.load_model(path)
    np.testing.assert_array_equal(loaded.generate(4, seed=0), gan.generate(4, seed=0))


def test_a_folder_of_images_goes_on_with_the_order_it_would_have_had(tmp_path):
    (tmp_path / "images").mkdir()
    for i, image in enumerate(IMAGES[:24]):
        pixels = np.uint8((image[..., 0] + 1) * 127.5)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{i}.png")

    def folder():
        return kgan.data.folder(tmp_path / "images", (8, 8), channels=1, batch_size=8)

    never, stopped, resumed = mlp_gan(), mlp_gan(), mlp_gan()
    fit(never, folder(), batch_size=None)
    with pytest.raises(KeyboardInterrupt):
        fit(stopped, folder(), tmp_path / "checkpoint.keras", stop=2, batch_size=None)
    fit(resumed, folder(), tmp_path / "checkpoint.keras", batch_size=None)
    assert_equal(resumed, never)


def test_a_changed_rate_is_kept_and_no_other_setting(tmp_path):
    """A callback that moves the rate does not make it another run."""
    path = tmp_path / "checkpoint.keras"
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    gan = mlp_gan()
    gan.fit(IMAGES, epochs=2, verbose=0, callbacks=[halve], checkpoint=path)
    again = mlp_gan()
    with pytest.warns(UserWarning, match="Nothing is left"):
        again.fit(IMAGES, epochs=2, verbose=0, checkpoint=path)
    assert float(again.optimizer.generator.learning_rate) == pytest.approx(2e-4 / 4)
    # As in a notebook, where the same model is fitted again.
    gan.fit(IMAGES, epochs=3, verbose=0, callbacks=[halve], checkpoint=path)


def test_a_run_that_a_callback_has_ended_stays_ended(tmp_path):
    def early(gan):
        # Only the discriminator learns, so the generator's loss is lowest in the first epoch.
        stop = keras.callbacks.EarlyStopping(
            "generator_loss", patience=1, mode="min", restore_best_weights=True
        )
        path = tmp_path / "checkpoint.keras"
        return gan.fit(IMAGES, epochs=9, verbose=0, callbacks=[stop], checkpoint=path).epoch

    def make():
        return mlp_gan(
            generator_optimizer=keras.optimizers.SGD(0.0),
            discriminator_optimizer=keras.optimizers.Adam(1e-2),
        )

    gan, again = make(), make()
    assert early(gan) == [0, 1]
    with pytest.warns(UserWarning, match="a callback ended the run"):
        assert early(again) == []
    for a, b in zip(gan.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


class Falls(keras.callbacks.Callback):
    """Puts a score into the logs: 3 in the first epoch, then worse ones that get better."""

    def on_epoch_end(self, epoch, logs=None):
        logs["score"] = [3.0, 6.0, 5.0, 4.0][epoch]


def test_the_best_of_a_run_that_goes_on_is_that_of_the_whole_run(tmp_path):
    def train(gan, epochs, folder):
        watch = {"monitor": "score", "mode": "min"}
        callbacks = [
            Falls(),
            keras.callbacks.ModelCheckpoint(folder / "best.keras", save_best_only=True, **watch),
            keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True, **watch),
            keras.callbacks.ReduceLROnPlateau(patience=2, cooldown=1, factor=0.5, **watch),
        ]
        checkpoint = folder / "checkpoint.keras"
        options = {"batch_size": 32, "epochs": epochs, "verbose": 0, "callbacks": callbacks}
        gan.fit(IMAGES, checkpoint=checkpoint, **options)
        return callbacks[1:]

    never, resumed = mlp_gan(), mlp_gan()
    (tmp_path / "never").mkdir()
    (tmp_path / "resumed").mkdir()
    whole = train(never, 4, tmp_path / "never")
    train(mlp_gan(), 2, tmp_path / "resumed")
    parts = train(resumed, 4, tmp_path / "resumed")
    assert_equal(resumed, never)
    for one, other in zip(whole, parts, strict=True):
        for name in ("best", "wait", "cooldown_counter", "best_epoch"):
            assert getattr(one, name, None) == getattr(other, name, None), (one, name)
    best = [
        keras.saving.load_model(tmp_path / name / "best.keras") for name in ("never", "resumed")
    ]
    assert_equal(*best)
    assert int(best[0].optimizer.iterations) == 3  # of the first epoch


def test_a_loss_that_is_not_finite_does_not_replace_a_good_checkpoint(tmp_path):
    path = tmp_path / "checkpoint.keras"

    def spoil(epoch, logs):
        if epoch == 1:
            kernel = gan.discriminator.trainable_variables[0]
            kernel.assign(kernel * np.nan)

    gan = mlp_gan()
    spoiler = keras.callbacks.LambdaCallback(on_epoch_begin=spoil)
    with pytest.warns(UserWarning, match="stays as it was after epoch 1"):
        gan.fit(IMAGES, epochs=3, verbose=0, callbacks=[spoiler], checkpoint=path)
    loaded = keras.saving.load_model(path)
    assert all(np.isfinite(weight).all() for weight in loaded.get_weights())
    assert fit(mlp_gan(), IMAGES, path, epochs=2)["generator_loss"]
