"""A wish to stop is heard, wherever it lands, and one run at a time writes a file."""

import os
import signal
import subprocess
import sys
import threading

import keras
import numpy as np
import pytest

import kgan
from kgan.utils import locks

IMAGES = np.tanh(np.random.default_rng(0).normal(size=(64, 8, 8, 1))).astype("float32")


def make():
    gan = kgan.GAN(
        kgan.networks.mlp_generator((8, 8, 1), latent_dim=4, width=16),
        kgan.networks.mlp_discriminator((8, 8, 1), width=16),
        seed=0,
    )
    gan.compile()
    return gan


@pytest.fixture(autouse=True)
def _hear_ctrl_c():
    """A process in the background of a script is started deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Signals(keras.callbacks.Callback):
    """Sends signals in the second batch, from a place that swallows every exception."""

    def __init__(self, *numbers):
        super().__init__()
        self.numbers, self.swallowed = numbers, []

    def on_train_batch_end(self, batch, logs=None):
        if batch == 1:
            for number in self.numbers:
                try:
                    signal.raise_signal(number)
                except BaseException as error:
                    self.swallowed.append(error)


def fit(gan, *callbacks, **options):
    options = {"batch_size": 16, "epochs": 3, "verbose": 0, **options}
    return gan.fit(IMAGES, callbacks=[*callbacks], **options)


def steps(gan):
    return int(keras.ops.convert_to_numpy(gan.optimizer.iterations))


def test_a_signal_that_a_library_would_swallow_ends_the_run_after_the_batch(tmp_path, capfd):
    gan, sends = make(), Signals(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(gan, sends)
    assert steps(gan) == 2 and not sends.swallowed
    assert "Stopping after this batch" in capfd.readouterr().err
    path = tmp_path / "checkpoint.keras"
    with pytest.raises(SystemExit) as end:
        fit(make(), Signals(signal.SIGTERM), checkpoint=path)
    assert end.value.code == 128 + signal.SIGTERM
    fit(make(), checkpoint=path, epochs=1)
    with pytest.raises(SystemExit):
        fit(make(), Signals(signal.SIGTERM), checkpoint=path)
    gan = make()
    fit(gan, checkpoint=path)
    assert steps(gan) == 12
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.keras"]


def test_the_second_one_ends_it_at_once():
    sends = Signals(signal.SIGINT, signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):  # and where that is swallowed too, after the batch
        fit(make(), sends)
    assert [type(error) for error in sends.swallowed] == [KeyboardInterrupt]


def test_handlers_of_others_are_asked_and_come_back(tmp_path):
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *given: heard.append(given[0]))
    own = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    try:
        gan = make()
        fit(gan, Signals(signal.SIGTERM), checkpoint=tmp_path / "checkpoint.keras")
        assert heard == [signal.SIGTERM] * 3 and steps(gan) == 12
        assert own == (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT))
    finally:
        signal.signal(signal.SIGTERM, before)
    thread = threading.Thread(target=lambda: heard.append(fit(make())))
    thread.start()
    thread.join()
    assert len(heard[-1].epoch) == 3


HOLD = """
import runpy, sys, time
locked = runpy.run_path(sys.argv[1])["locked"]  # without Keras, which takes long
with locked(sys.argv[2], "Wait."):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_run_at_a_time_and_a_killed_one_leaves_no_lock(tmp_path):
    path = tmp_path / ".checkpoint.lock"
    command = [sys.executable, "-c", HOLD, locks.__file__, str(path)]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match=f"Another run.*Received: .*process {holder.pid} on"):
            fit(make(), checkpoint=tmp_path / "checkpoint.keras")
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    fit(make(), checkpoint=tmp_path / "checkpoint.keras", epochs=1)
    assert not path.exists()
    with locks.locked(path, "Wait."), pytest.raises(ValueError, match="very process"):
        fit(make(), checkpoint=tmp_path / "checkpoint.keras")
    assert not path.exists() and os.listdir(tmp_path) == ["checkpoint.keras"]


def test_a_checkpoint_that_is_not_written_is_told(tmp_path):
    """A loss that is NaN keeps the good one; any other value in the logs does not matter."""
    path = tmp_path / "checkpoint.keras"

    class Blurred(kgan.GAN):
        def discriminator_loss(self, batch, outputs, training=True):
            self.track(color_loss=keras.ops.log(-keras.ops.ones(())))
            return super().discriminator_loss(batch, outputs, training)

    plain = make()
    gan = Blurred(plain.generator, plain.discriminator, seed=0)
    gan.compile()
    history = fit(gan, checkpoint=path, epochs=1).history
    assert np.isnan(history["color_loss"]).all() and path.exists()

    def spoil(epoch, logs):
        kernel = plain.discriminator.trainable_variables[0]
        kernel.assign(kernel * np.nan)

    good = path.read_bytes()
    spoiler = keras.callbacks.LambdaCallback(on_epoch_begin=spoil)
    words = r"stays as it was after epoch 1.*Received in epoch 2"
    with pytest.warns(UserWarning, match=words) as told:
        fit(gan, spoiler, checkpoint=path)
    assert sum("stays as it was" in str(each.message) for each in told) == 1
    assert path.read_bytes() == good
