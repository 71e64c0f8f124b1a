"""Keras's own callbacks, schedules and gradient accumulation, on both players."""

import csv

import keras
import numpy as np
import pytest
from factory import FedGAN, mlp_gan
from keras.optimizers import SGD, Adam, LossScaleOptimizer, schedules

import kgan

FIT = {"batch_size": 32, "shuffle": False, "verbose": 0}  # three steps an epoch
PLAYERS = ("discriminator", "generator")


def rates(gan):
    return [float(optimizer.learning_rate) for optimizer in gan.optimizer.optimizers]


def two_rates(**options):
    return mlp_gan(discriminator_optimizer=Adam(4e-4), generator_optimizer=Adam(1e-4), **options)


def assert_same_state(a, b):
    for x, y in zip(a.variables, b.variables, strict=True):
        np.testing.assert_array_equal(x.numpy(), y.numpy(), err_msg=x.path)
    for x, y in zip(a.optimizer.variables, b.optimizer.variables, strict=True):
        np.testing.assert_array_equal(x.numpy(), y.numpy(), err_msg=x.path)


class Stop(keras.callbacks.Callback):
    """The power cut."""

    def __init__(self, epoch, batch=None):
        super().__init__()
        self.epoch, self.batch = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch
        if epoch == self.epoch and self.batch is None:
            raise KeyboardInterrupt

    def on_train_batch_end(self, batch, logs=None):
        if (self.now, batch) == (self.epoch, self.batch):
            raise KeyboardInterrupt


def test_a_scheduler_changes_both_rates_and_logs_each(images):
    gan = two_rates()
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    history = gan.fit(images, epochs=3, callbacks=[halve], **FIT).history
    assert rates(gan) == pytest.approx([4e-4 / 8, 1e-4 / 8])
    assert history["learning_rate_discriminator"] == pytest.approx([2e-4, 1e-4, 5e-5])
    assert history["learning_rate_generator"] == pytest.approx([5e-5, 2.5e-5, 1.25e-5])


def test_the_new_rates_are_those_that_are_used(images):
    gan = two_rates()
    still = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate if epoch < 1 else 0.0)
    weights = []
    record = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: weights.append(gan.get_weights())
    )
    gan.fit(images, epochs=2, callbacks=[still, record], **FIT)
    for first, second in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_plateau_reduces_both_rates(images):
    gan = two_rates()
    # Nothing improves by 100, so every epoch but the first is one of a plateau.
    reduce = keras.callbacks.ReduceLROnPlateau(
        "generator_loss", factor=0.5, patience=1, mode="min", min_delta=100.0, min_lr=4e-5
    )
    gan.fit(images, epochs=4, callbacks=[reduce], **FIT)
    assert rates(gan) == pytest.approx([4e-4 / 8, 4e-5])


def test_schedules_on_both_players_count_steps(images, tmp_path):
    gan = mlp_gan(
        discriminator_optimizer=Adam(schedules.ExponentialDecay(0.4, 1, 0.5)),
        generator_optimizer=Adam(schedules.PiecewiseConstantDecay([2], [0.1, 0.01])),
        discriminator_steps=2,
    )
    gan.fit(np.concatenate([images, images]), **FIT)
    assert rates(gan) == pytest.approx([0.4 * 0.5**3, 0.01])
    gan.save(tmp_path / "gan.keras")
    loaded = keras.saving.load_model(tmp_path / "gan.keras")
    assert rates(loaded) == rates(gan)


@pytest.mark.parametrize("save_freq", ["epoch", 2])
def test_a_model_checkpoint_goes_on(save_freq, images, tmp_path):
    gan = two_rates(ema=0.9)
    file = tmp_path / "{epoch}.keras"
    save = keras.callbacks.ModelCheckpoint(file, save_freq=save_freq)
    gan.fit(images[:64], epochs=2, callbacks=[save], **FIT)  # two steps an epoch
    assert {file.name for file in tmp_path.iterdir()} == {"1.keras", "2.keras"}
    loaded = keras.saving.load_model(tmp_path / "1.keras")
    loaded.fit(images[:64], initial_epoch=1, epochs=2, **FIT)
    assert_same_state(gan, loaded)


def test_the_best_model_is_kept(images, tmp_path):
    def make():
        return mlp_gan(generator_optimizer=SGD(0.0), discriminator_optimizer=Adam(1e-2))

    save = keras.callbacks.ModelCheckpoint(
        tmp_path / "best.weights.h5",
        monitor="val_discriminator_loss",
        mode="max",
        save_best_only=True,
        save_weights_only=True,
    )
    gan, best = make(), make()
    history = gan.fit(images, validation_data=images, epochs=3, callbacks=[save], **FIT).history
    losses = history["val_discriminator_loss"]
    assert losses[0] == max(losses)
    best.load_weights(tmp_path / "best.weights.h5")
    assert int(best.optimizer.iterations) == 3


@pytest.mark.parametrize(
    ("save_freq", "stop"), [("epoch", Stop(2)), (1, Stop(1, 0))], ids=["epoch", "batch"]
)
def test_an_interrupted_run_goes_on_where_its_backup_is(save_freq, stop, images, tmp_path):
    def run(epochs, *callbacks):
        gan = two_rates(ema=0.9, penalties=[kgan.penalties.R1(1.0, interval=2)])
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", save_freq=save_freq)
        history = gan.fit(images, epochs=epochs, callbacks=[backup, *callbacks], **FIT)
        return gan, history.epoch

    with pytest.raises(KeyboardInterrupt):
        run(3, stop)
    again, epochs = run(3)
    assert not (tmp_path / "backup").exists()
    if save_freq == "epoch":
        assert epochs == [2]
        through, _ = run(3)
        assert_same_state(again, through)
    else:  # Keras starts the epoch of the backup anew, with the weights of the middle
        assert epochs == [1, 2]
        assert int(again.optimizer.iterations) == 4 + 2 * 3


def test_early_stopping_brings_back_the_best_weights(images):
    # Only the discriminator learns, so the generator's loss is lowest in the first epoch.
    gan = mlp_gan(generator_optimizer=SGD(0.0), discriminator_optimizer=Adam(1e-2), ema=0.9)
    weights = []
    record = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: weights.append(gan.get_weights())
    )
    stop = keras.callbacks.EarlyStopping(
        "generator_loss", patience=2, mode="min", restore_best_weights=True
    )
    history = gan.fit(images, epochs=9, callbacks=[record, stop], **FIT)
    assert history.epoch == [0, 1, 2]
    assert not all(map(np.array_equal, weights[0], weights[2]))
    assert all(map(np.array_equal, weights[0], gan.get_weights()))


@pytest.mark.parametrize("kind", [kgan.callbacks.TerminateOnNaN, keras.callbacks.TerminateOnNaN])
@pytest.mark.parametrize("player", PLAYERS)
def test_training_ends_at_a_loss_that_is_not_finite(player, kind, images, capsys):
    def fit(callback):
        gan = mlp_gan(**{f"{player}_optimizer": SGD(1e30)}, loss="least_squares")
        return gan.fit(images, epochs=3, callbacks=[callback], **FIT)

    assert len(fit(kind()).epoch) == 1
    assert "Invalid loss, terminating training" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="NaN or Inf loss"):
        fit(kind(raise_error=True))


def test_a_csv_file_has_every_loss_and_rate(images, tmp_path):
    gan = two_rates()
    log = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    rate = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate)
    history = gan.fit(images, epochs=2, callbacks=[rate, log], **FIT).history
    with open(tmp_path / "log.csv") as file:
        rows = list(csv.DictReader(file))
    for name, values in history.items():
        assert [float(row[name]) for row in rows] == pytest.approx(values, rel=1e-6)


def test_tensorboard_has_the_losses_and_both_rates(images, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    board = keras.callbacks.TensorBoard(tmp_path, histogram_freq=1, write_steps_per_second=True)
    gan = two_rates()
    history = gan.fit(images, validation_data=images, epochs=2, callbacks=[board], **FIT).history

    def scalars(folder):
        events = EventAccumulator(str(tmp_path / folder))
        events.Reload()
        return {
            name: [float(make_ndarray(event.tensor_proto)) for event in events.Tensors(name)]
            for name in events.Tags()["tensors"]
            if name.startswith("epoch_")
        }

    train, validation = scalars("train"), scalars("validation")
    for player, rate in zip(PLAYERS, (4e-4, 1e-4), strict=True):
        loss = f"{player}_loss"
        assert train[f"epoch_{loss}"] == pytest.approx(history[loss], rel=1e-6)
        assert validation[f"epoch_{loss}"] == pytest.approx(history[f"val_{loss}"], rel=1e-6)
        assert train[f"epoch_learning_rate_{player}"] == pytest.approx([rate] * 2)
    assert min(train["epoch_steps_per_second"]) > 0


def test_an_average_inside_an_optimizer_is_swapped_in_for_evaluation(images):
    gan = mlp_gan(generator_optimizer=Adam(1e-2, use_ema=True, ema_momentum=0.9))
    swap = keras.callbacks.SwapEMAWeights()
    plain = gan.fit(images, validation_data=images, epochs=1, **FIT).history
    swapped = (
        mlp_gan(generator_optimizer=Adam(1e-2, use_ema=True, ema_momentum=0.9))
        .fit(images, validation_data=images, epochs=1, callbacks=[swap], **FIT)
        .history
    )
    assert swapped["generator_loss"] == pytest.approx(plain["generator_loss"], rel=1e-6)
    assert swapped["val_fake_probability"] != pytest.approx(plain["val_fake_probability"], rel=1e-5)


@pytest.mark.parametrize("scaled", [False, True], ids=["plain", "loss scale"])
@pytest.mark.parametrize("player", PLAYERS)
def test_two_accumulated_turns_are_one_on_their_mean_gradient(player, scaled, images):
    """The other player stands still: both turns then see the networks of the one."""
    latents = np.random.default_rng(1).normal(size=(64, 4)).astype("float32")

    def train(batch_size, steps=None):
        optimizer = SGD(0.5, momentum=0.9, gradient_accumulation_steps=steps)
        optimizers = {f"{other}_optimizer": SGD(0.0) for other in PLAYERS}
        optimizers[f"{player}_optimizer"] = LossScaleOptimizer(optimizer) if scaled else optimizer
        gan = mlp_gan(kind=FedGAN, **optimizers)
        before = gan.get_weights()
        options = {**FIT, "batch_size": batch_size}
        history = gan.fit(images[:64], latents, epochs=2, **options).history
        if scaled:
            assert history[f"{player}_skipped_updates"] == [0, 0]
        return before, gan.get_weights()

    (before, accumulated), (_, at_once) = train(32, steps=2), train(64)
    assert max(np.abs(a - b).max() for a, b in zip(before, at_once, strict=True)) > 1e-3
    for a, b in zip(accumulated, at_once, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
