"""Pictures of training: in a folder, in TensorBoard, as a film."""

import sys

import keras
import numpy as np
import pytest
from factory import mlp_gan
from PIL import Image, ImageSequence

import kgan
from kgan.callbacks.epoch_picture import pictures_in
from kgan.images import save_film, save_grid

FIT = {"batch_size": 32, "verbose": 0}


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def test_tensorboard_gets_the_pictures_that_are_in_the_folder(images, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = tmp_path / "logs"
    grid = kgan.callbacks.SampleGrid(tmp_path / "samples", count=4, every=2, tensorboard=board)
    mlp_gan().fit(images[:32], epochs=3, callbacks=[grid], **FIT)
    events = EventAccumulator(str(board))
    events.Reload()
    shown = {image.step + 1: image for image in events.Images("samples")}
    assert sorted(shown) == [2, 3]
    for epoch, image in shown.items():
        file = tmp_path / "samples" / f"epoch_{epoch:04d}.png"
        assert image.encoded_image_string == file.read_bytes()
        assert (image.height, image.width) == pixels(file).shape[:2]


def test_the_film_has_every_picture_in_order(images, tmp_path):
    grid = kgan.callbacks.SampleGrid(tmp_path, count=4, film=True)
    mlp_gan().fit(images[:32], epochs=3, callbacks=[grid], **FIT)
    with Image.open(tmp_path / "film.gif") as film:
        frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(film)]
    assert len(frames) == 3
    for epoch, frame in enumerate(frames, start=1):
        np.testing.assert_array_equal(frame, pixels(tmp_path / f"epoch_{epoch:04d}.png"))


def test_the_film_is_of_this_run_alone(images, tmp_path):
    """Pictures of an earlier run that went further stay in the folder, and out of the film."""
    for epochs in (5, 2):
        grid = kgan.callbacks.SampleGrid(tmp_path, count=4, film=True)
        mlp_gan().fit(images[:32], epochs=epochs, callbacks=[grid], **FIT)
    assert len(pictures_in(tmp_path)) == 5
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 2
    gan = mlp_gan()
    gan.fit(images[:32], epochs=4, initial_epoch=2, callbacks=[grid], **FIT)
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 4  # those before it are of the same training


def test_what_cannot_be_drawn_is_said_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    for options, message in [
        ({"folder": tmp_path / "file"}, "folder must be a folder.*Received"),
        ({"folder": tmp_path, "tensorboard": tmp_path / "file" / "logs"}, "tensorboard must be"),
        ({"folder": tmp_path, "seed": -1}, "from 0. Received: seed=-1"),
    ]:
        with pytest.raises(ValueError, match=message):
            kgan.callbacks.SampleGrid(**options)


def test_a_run_that_ends_early_has_its_last_picture(images, tmp_path):
    """Whether what ends it comes before the pictures or after them."""
    for place in (0, 1):
        grid = kgan.callbacks.SampleGrid(tmp_path / str(place), count=4, every=10)
        gan = mlp_gan(generator_optimizer=keras.optimizers.SGD(0.0))
        # Only the discriminator learns, so the generator's loss is lowest in the first epoch.
        end = keras.callbacks.EarlyStopping("generator_loss", mode="min", patience=1)
        callbacks = [grid]
        callbacks.insert(place, end)
        epochs = gan.fit(images[:32], epochs=9, callbacks=callbacks, **FIT).epoch
        names = [file.name for file in (tmp_path / str(place)).iterdir()]
        assert names == [f"epoch_{len(epochs):04d}.png"] and len(epochs) < 9


def test_pictures_are_in_the_order_of_their_epochs(tmp_path):
    for epoch in ("9999", "10000", "0002", "last"):
        (tmp_path / f"epoch_{epoch}.png").touch()
    assert [path.stem for path in pictures_in(tmp_path)] == [
        "epoch_0002",
        "epoch_9999",
        "epoch_10000",
    ]


def test_a_long_film_takes_its_pictures_evenly_and_makes_wide_ones_smaller(tmp_path):
    files = [tmp_path / f"{i}.png" for i in range(21)]
    for level, file in zip(np.linspace(-1, 1, 21), files, strict=True):
        save_grid(file, np.full((1, 48, 96, 3), level))
    save_film(tmp_path / "film.gif", files, most=5, widest=24)
    with Image.open(tmp_path / "film.gif") as film:
        frames = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(film)]
    assert [frame.shape for frame in frames] == [(12, 24)] * 5
    assert [frame.mean() for frame in frames] == pytest.approx([0, 64, 128, 191, 255], abs=1)


def test_a_missing_tensorboard_is_named_with_its_remedy(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer", None)
    monkeypatch.delitem(
        sys.modules,
        "tensorboard.summary.writer.event_file_writer",
        raising=False,
    )
    with pytest.raises(ImportError, match=r'pip install "kgan\[tensorboard\]"'):
        kgan.callbacks.SampleGrid(tmp_path, tensorboard=tmp_path)
