"""Translators trained from files, and the pictures drawn of them, on each backend."""

import keras
import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.networks import patch_discriminator, unet_generator

SIZE = (16, 24)


def photos(folder, count, mode="RGB"):
    """Files of random pixels, larger than they are read."""
    folder.mkdir()
    shape = (20, 30) if mode == "L" else (20, 30, 3)
    rng = np.random.default_rng(count)
    for i in range(count):
        pixels = rng.integers(256, size=shape, dtype="uint8")
        Image.fromarray(pixels).save(folder / f"{i}.png")
    return folder


def unet(channels, output_channels):
    return unet_generator((*SIZE, channels), output_channels, width=2, depth=2, dropout=0.0)


def patches(channels):
    return patch_discriminator((*SIZE, channels), width=2, receptive_field=16)


def pix2pix():
    """From colour to grey."""
    keras.utils.set_random_seed(0)
    gan = kgan.Pix2Pix(unet(3, 1), patches(4), seed=0)
    gan.compile()
    return gan


def cyclegan():
    """Between colour and grey, so there is no identity to keep."""
    keras.utils.set_random_seed(0)
    networks = unet(3, 1), unet(1, 3), patches(3), patches(1)
    gan = kgan.CycleGAN(*networks, identity_weight=0.0, pool_size=4, seed=0)
    gan.compile()
    return gan


@pytest.fixture
def pairs(tmp_path):
    folders = photos(tmp_path / "in", 5), photos(tmp_path / "out", 5, "L")
    return lambda **options: kgan.data.image_pairs(*folders, SIZE, channels=(3, 1), **options)


def test_the_order_comes_from_the_model_alone(pairs, tmp_path):
    """Whatever the data set was seeded with or showed before, so a stopped run goes on exactly."""
    at_once, in_parts = pix2pix(), pix2pix()
    start = at_once.get_weights()
    at_once.fit(pairs(seed=0), epochs=2, verbose=0)
    checkpoint = tmp_path / "checkpoint.keras"
    in_parts.fit(pairs(seed=1), verbose=0, checkpoint=checkpoint)
    in_parts.fit(pairs(seed=2, workers=2), verbose=0)
    moved = [np.abs(a - b).max() for a, b in zip(at_once.get_weights(), start, strict=True)]
    assert max(moved) > 1e-4
    for ours, theirs in zip(in_parts.get_weights(), at_once.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(ValueError, match=r"other settings.*: data.batch_size 2 \(1\)"):
        pix2pix().fit(pairs(batch_size=2), epochs=3, verbose=0, checkpoint=checkpoint)


def test_images_without_partners_are_no_pairs(tmp_path):
    folders = photos(tmp_path / "a", 5), photos(tmp_path / "b", 2, "L")
    data = kgan.data.image_domains(*folders, SIZE, channels=(3, 1))
    for learn in (pix2pix().fit, pix2pix().evaluate):
        with pytest.raises(ValueError, match=r"kgan.CycleGAN. Received: .*5 and 2 images"):
            learn(data)


def test_rows_of_input_output_and_target(pairs, tmp_path):
    gan = pix2pix()
    inputs, targets = pairs(batch_size=2, shuffle=False)[0]
    grid = kgan.callbacks.TranslationGrid(tmp_path / "samples", inputs, targets, every=2)
    grid.set_model(gan)
    grid.set_params({"epochs": 3})
    for epoch in range(3):
        grid.on_epoch_end(epoch)
    names = sorted(file.name for file in (tmp_path / "samples").iterdir())
    assert names == ["epoch_0002.png", "epoch_0003.png"]
    assert_cells(tmp_path / "samples" / names[-1], [inputs, gan.translate(inputs), targets])


def test_rows_of_both_domains_and_back(tmp_path):
    folders = photos(tmp_path / "a", 5), photos(tmp_path / "b", 2, "L")
    data = kgan.data.image_domains(*folders, SIZE, channels=(3, 1))
    gan, (a, b) = cyclegan(), data[0]
    grid = kgan.callbacks.TranslationGrid(tmp_path / "samples", a, b)
    gan.fit(data, epochs=1, verbose=0, callbacks=[grid])
    ab, ba = gan.translate(a, direction="ab"), gan.translate(b, direction="ba")
    back_a, back_b = gan.translate(ab, direction="ba"), gan.translate(ba, direction="ab")
    columns = [both(a, b), both(ab, ba), both(back_a, back_b)]
    assert_cells(tmp_path / "samples" / "epoch_0001.png", columns)


def both(color, grey):
    """Two batches as one in colour, whichever of them is grey."""
    return np.concatenate([np.repeat(x, 3 // x.shape[-1], axis=-1) for x in (color, grey)])


def assert_cells(file, columns):
    """A picture has each image where it belongs, enlarged twice, one white pixel between them."""
    with Image.open(file) as picture:
        pixels = np.asarray(picture)[::2, ::2]
    height, width = SIZE
    assert pixels.shape == (len(columns[0]) * 17 - 1, len(columns) * 25 - 1, 3)
    for column, images in enumerate(columns):
        for row, image in enumerate(images):
            cell = pixels[row * 17 :, column * 25 :][:height, :width]
            expected = (np.asarray(image, "float32") + 1) * 127.5
            np.testing.assert_allclose(cell, np.broadcast_to(expected, cell.shape), atol=0.51)
