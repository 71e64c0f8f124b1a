"""Every source gives float32 NHWC images in [-1, 1]."""

import sys

import keras
import numpy as np
import pytest
from factory import mlp_gan
from PIL import Image

import kgan


def assert_images(images, shape):
    assert images.dtype == "float32"
    assert images.shape == shape
    assert images.min() >= -1
    assert images.max() <= 1


def test_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    images, labels = kgan.data.digits()
    assert_images(images, (1797, 8, 8, 1))
    source = load_digits()
    np.testing.assert_array_equal(labels, source.target)
    # 16 grey levels in one byte: half a level of a byte is the rounding.
    np.testing.assert_allclose((images[..., 0] + 1) * 8, source.images, atol=8 / 255)


def test_digits_resized():
    images, _ = kgan.data.digits(20)
    assert_images(images, (1797, 20, 20, 1))
    original, _ = kgan.data.digits()
    np.testing.assert_allclose(images.mean((1, 2)), original.mean((1, 2)), atol=0.1)


@pytest.mark.parametrize("size", [0, 8.5])
def test_digits_of_no_size(size):
    with pytest.raises(ValueError, match=f"Received: size={size}"):
        kgan.data.digits(size)


def test_tfds_as_arrays(tfds_folder):
    options = {"data_dir": tfds_folder, "download": False}
    images, labels = kgan.data.tfds("mnist", "test[:100]", **options)
    assert_images(images, (100, 28, 28, 1))
    assert images.max() == 1 and images.min() == -1
    assert set(labels) == set(range(10))
    small, _ = kgan.data.tfds("fashion_mnist", "test[:10]", image_size=(14, 10), **options)
    assert_images(small, (10, 14, 10, 1))


def test_images_of_several_sizes_are_no_array():
    from kgan.data.tensorflow_datasets import _stack

    with pytest.raises(ValueError, match=r"image_size=\(height, width\). Received: name='birds'"):
        _stack([np.zeros((1, 2, 2, 1)), np.zeros((1, 3, 2, 1))], "birds")


def test_tfds_as_a_stream(tfds_folder):
    stream = kgan.data.tfds(
        "mnist",
        "test[:64]",
        data_dir=tfds_folder,
        download=False,
        batch_size=32,
        image_size=(8, 8),
    )
    batches = list(stream.as_numpy_iterator())
    assert len(batches) == 2
    for images, labels in batches:
        assert_images(images, (32, 8, 8, 1))
        assert labels.shape == (32,)
    assert len(mlp_gan().fit(stream, verbose=0).history["generator_loss"]) == 1


@pytest.fixture
def picture_folder(tmp_path):
    for i in range(5):
        pixels = np.full((20, 30, 3), (i * 50, 0, 255), "uint8")
        folder = tmp_path / "pictures" / f"part{i % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{i}.{['png', 'bmp'][i % 2]}")
    return tmp_path / "pictures"


def test_folder_reads_batches(picture_folder):
    data = kgan.data.folder(picture_folder, (8, 12), batch_size=2, shuffle=False)
    assert len(data) == 3
    batches = [data[i] for i in range(3)]
    assert [len(batch) for batch in batches] == [2, 2, 1]
    everything = np.concatenate(batches)
    assert_images(everything, (5, 8, 12, 3))
    reds = np.round((everything[:, 0, 0, 0] + 1) * 127.5)
    assert reds.tolist() == [0, 100, 200, 50, 150]
    assert (everything[..., 2] == 1).all()


def test_folder_in_grey_trains(picture_folder):
    data = kgan.data.folder(picture_folder, (8, 8), channels=1, batch_size=2, seed=0)
    assert_images(data[0], (2, 8, 8, 1))
    assert mlp_gan().fit(data, verbose=0).history["generator_loss"]


def test_folder_shuffles_each_epoch(picture_folder):
    def order(data):
        return data[0][:, 0, 0, 0].tolist()

    data = kgan.data.folder(picture_folder, (8, 8), seed=1)
    first = order(data)
    data.on_epoch_end()
    assert order(data) != first
    assert sorted(order(data)) == sorted(first)
    assert order(kgan.data.folder(picture_folder, (8, 8), seed=1)) == first


def test_folder_crops_to_the_proportions(tmp_path):
    pixels = np.zeros((10, 30, 3), "uint8")
    pixels[:, 10:20] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    (image,) = kgan.data.folder(tmp_path, (10, 10))[0]
    assert (image == 1).all()


def test_folder_leaves_out_what_does_not_fill_a_batch(picture_folder):
    data = kgan.data.folder(picture_folder, (8, 8), batch_size=2, seed=0)
    assert [len(batch) for batch in data] == [2, 2]
    shown = set()
    for _ in range(9):
        shown |= {red for batch in data for red in batch[:, 0, 0, 0].tolist()}
        data.on_epoch_end()
    assert len(shown) == 5
    assert len(kgan.data.folder(picture_folder, (8, 8), batch_size=64)[0]) == 5


def test_folder_without_images(tmp_path):
    with pytest.raises(ValueError, match=r"Received: .*no image in it"):
        kgan.data.folder(tmp_path, (8, 8))
    with pytest.raises(ValueError, match=r"Received: .*no such folder"):
        kgan.data.folder(tmp_path / "none", (8, 8))
    with pytest.raises(ValueError, match="Received: channels=2"):
        kgan.data.folder(tmp_path, (8, 8), channels=2)


def test_a_missing_package_is_named_with_its_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r'needs sklearn.datasets.*pip install "kgan\[data\]"'):
        kgan.data.digits()


def test_pixels_survive_the_round_trip():
    pixels = np.arange(256, dtype="uint8")
    np.testing.assert_array_equal(kgan.images.to_pixels(kgan.images.from_pixels(pixels)), pixels)
    assert kgan.images.to_pixels(np.array([-7.0, 7.0])).tolist() == [0, 255]


def test_a_grid_puts_every_image_in_its_place(tmp_path):
    images = np.linspace(-1, 1, 5).astype("float32").reshape(5, 1, 1, 1) * np.ones((1, 2, 3, 1))
    canvas = kgan.images.grid(images, columns=3, gap=1)
    assert canvas.shape == (2 * 3 - 1, 3 * 4 - 1, 1)
    values = [canvas[3 * (i // 3), 4 * (i % 3), 0] for i in range(5)]
    assert values == [0, 64, 128, 191, 255]
    assert (canvas[2] == 255).all() and (canvas[:, 3] == 255).all()
    kgan.images.save_grid(tmp_path / "new" / "grid.png", images, scale=2)
    with Image.open(tmp_path / "new" / "grid.png") as picture:
        assert picture.size == (2 * 11, 2 * 5)
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["grid.png"]


def test_a_grid_of_what_cannot_be_shown():
    with pytest.raises(ValueError, match=r"1 or 3 channels.*Received: shape \(4, 8, 8, 2\)"):
        kgan.images.grid(np.zeros((4, 8, 8, 2)))
    with pytest.raises(ValueError, match=r"path comes first. Received: shape \(\)"):
        kgan.images.save_gif(np.zeros((4, 8, 8, 1)), "film.gif")


def test_columns_of_grey_and_colour_side_by_side(tmp_path):
    grey = np.linspace(-1, 1, 3).reshape(3, 1, 1, 1) * np.ones((3, 2, 2, 1))
    red = np.full((3, 2, 2, 3), (1.0, -1.0, -1.0))
    kgan.images.save_columns(tmp_path / "rows.png", grey, red, scale=1)
    with Image.open(tmp_path / "rows.png") as picture:
        pixels = np.asarray(picture)
    assert pixels.shape == (3 * 3 - 1, 2 * 3 - 1, 3)
    assert pixels[[0, 3, 6], 0].tolist() == [[level] * 3 for level in (0, 128, 255)]
    assert (pixels[[0, 3, 6], 4] == (255, 0, 0)).all()
    with pytest.raises(ValueError, match=r"same number.*Received: shapes.*\(2, 2, 2, 3\)"):
        kgan.images.save_columns(tmp_path / "rows.png", red, red[:2])


def test_a_folder_is_a_keras_dataset(picture_folder):
    data = kgan.data.folder(picture_folder, (8, 8), workers=2)
    assert isinstance(data, keras.utils.PyDataset)
    assert data.workers == 2
