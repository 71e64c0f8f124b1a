"""Checkpoints of other runs and damaged ones are refused by name."""

import os
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
from factory import dcgan, mlp_gan

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


@pytest.fixture(autouse=True)
def _float32():
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="module")
def one_epoch(tmp_path_factory):
    """A GAN after one epoch, and its checkpoint."""
    path = tmp_path_factory.mktemp("run") / "checkpoint.keras"
    gan = mlp_gan()
    fit(gan, IMAGES, path, epochs=1)
    return gan, path


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        ({"loss": "hinge"}, r"loss.*'Hinge' \('NonSaturating'\)"),
        ({"ema": 0.5}, r"ema 0.5 \(None\)"),
        ({"penalties": [kgan.penalties.R1(1.0)]}, "R1"),
        ({"discriminator_optimizer": keras.optimizers.SGD}, r"'SGD' \('Adam'\)"),
        ({"generator_optimizer": lambda: keras.optimizers.Adam(1e-3)}, "learning_rate"),
    ],
)
def test_other_settings_are_refused_by_name(difference, words, one_epoch):
    made = {name: v() if callable(v) else v for name, v in difference.items()}
    other = mlp_gan(**made)
    before = state(other)
    with pytest.raises(ValueError, match=rf"other settings.*Received.*{words}"):
        fit(other, IMAGES, one_epoch[1])
    for a, b in zip(before, state(other), strict=True):
        np.testing.assert_array_equal(a, b)


def test_other_networks_are_told_in_a_few_words(tmp_path):
    """Widths once for all layers of a network; of other layers only where they begin to differ."""

    def fit_to(path, width, depth):
        gan = kgan.GAN(
            kgan.networks.mlp_generator((8, 8, 1), latent_dim=4, width=width, depth=depth),
            kgan.networks.mlp_discriminator((8, 8, 1), width=width, depth=5),
        )
        gan.compile()
        gan.fit(IMAGES, verbose=0, checkpoint=path)

    path = tmp_path / "checkpoint.keras"
    fit_to(path, 4, 4)
    with pytest.raises(ValueError, match="Build the networks") as wider:
        fit_to(path, 6, 4)
    assert str(wider.value).split("Received")[1] == (
        " (what the checkpoint has): "
        "model.discriminator.layers.*.units 6 (4), 6 (4), 6 (4) and 2 more; "
        "model.generator.layers.*.units 6 (4), 6 (4), 6 (4) and 1 more"
    )
    with pytest.raises(ValueError, match="Build the networks") as deeper:
        fit_to(path, 4, 7)
    assert str(deeper.value).split("Received")[1] == (
        " (what the checkpoint has): model.generator is made of 11 layers (8), of which number 6 "
        "is the first that differs: 'Dense' ('Reshape')"
    )


def test_other_data_and_batches_are_refused(one_epoch):
    _, path = one_epoch
    with pytest.raises(ValueError, match=r"data.*crc32"):
        fit(mlp_gan(), IMAGES[::-1], path)
    with pytest.raises(ValueError, match=r"batch_size 16 \(32\)"):
        fit(mlp_gan(), IMAGES, path, batch_size=16)
    with pytest.raises(ValueError, match=r"shuffle False \(True\)"):
        fit(mlp_gan(), IMAGES, path, shuffle=False)
    with pytest.raises(ValueError, match=r"generator is made of 7 layers \(6\)"):
        fit(dcgan(), IMAGES, path)


def test_a_crash_while_writing_leaves_the_last_good_one(one_epoch, tmp_path, monkeypatch):
    path = Path(shutil.copy(one_epoch[1], tmp_path))
    good = path.read_bytes()

    def crash(*_):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(OSError, match="no space"):
        fit(mlp_gan(), IMAGES, path, epochs=2)
    assert path.read_bytes() == good


def test_a_damaged_file_is_named(one_epoch, tmp_path):
    path = Path(shutil.copy(one_epoch[1], tmp_path))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"not a readable checkpoint.*Received"):
        fit(mlp_gan(), IMAGES, path)
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 0xFF
    path.write_bytes(flipped)
    with pytest.raises(ValueError, match=r"not a readable checkpoint.*Received"):
        fit(mlp_gan(), IMAGES, path)
    mlp_gan().save(path)  # a saved model, but no checkpoint
    with pytest.raises(ValueError, match=r"saved model and not a checkpoint.*Received"):
        fit(mlp_gan(), IMAGES, path)


def test_the_name_must_say_what_it_is(tmp_path):
    with pytest.raises(ValueError, match=r"end in \.keras. Received"):
        fit(mlp_gan(), IMAGES, tmp_path / "checkpoint")
