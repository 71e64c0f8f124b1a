"""Pairs and domains of images from disk; one run, since no backend has a part in reading."""

import tracemalloc

import keras
import numpy as np
import pytest
from PIL import Image

import kgan


def picture(file, color, size=(8, 8), mode="RGB"):
    """A file of one colour; `size` is (width, height), as for Pillow."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, color).save(file)


def level(images):
    """The grey level, or red, of each image of one colour."""
    return np.round((images[:, 0, 0, 0] + 1) * 127.5).astype(int).tolist()


@pytest.fixture
def side_by_side(tmp_path):
    """Five files whose left half is 10 times as dark as their right half, 0, 1, ... and 0, 10."""
    for i in range(5):
        pixels = np.full((6, 16, 3), i, "uint8")
        pixels[:, 8:] = 10 * i
        picture(file := tmp_path / "pairs" / f"{i}.png", 0)
        Image.fromarray(pixels).save(file)
    return tmp_path / "pairs"


@pytest.fixture
def two_folders(tmp_path):
    """Inputs 0 to 4 in subfolders, targets of the same names but another format."""
    for i in range(5):
        picture(tmp_path / "in" / f"part{i % 2}" / f"{i}.png", (i, 0, 0))
        picture(tmp_path / "out" / f"part{i % 2}" / f"{i}.bmp", 10 * i, mode="L")
    return tmp_path / "in", tmp_path / "out"


def test_left_is_the_input_and_right_the_target(side_by_side):
    data = kgan.data.image_pairs(side_by_side, shuffle=False)
    assert isinstance(data, keras.utils.PyDataset)
    assert len(data) == 5
    inputs, targets = (np.concatenate(part) for part in zip(*data, strict=True))
    assert inputs.shape == targets.shape == (5, 6, 8, 3)
    assert inputs.dtype == targets.dtype == "float32"
    assert level(inputs) == [0, 1, 2, 3, 4]
    assert level(targets) == [0, 10, 20, 30, 40]
    inputs, targets = kgan.data.image_pairs(side_by_side, shuffle=False, swap=True)[4]
    assert (level(inputs), level(targets)) == ([40], [4])


def test_two_folders_are_matched_by_name(two_folders):
    data = kgan.data.image_pairs(*two_folders, batch_size=2, shuffle=False, channels=(3, 1))
    assert [len(inputs) for inputs, _ in data] == [2, 2, 1]
    for inputs, targets in data:
        assert inputs.shape[1:] == (8, 8, 3)
        assert targets.shape[1:] == (8, 8, 1)
        assert [10 * i for i in level(inputs)] == level(targets)
    swapped = kgan.data.image_pairs(*two_folders, shuffle=False, swap=True, channels=(1, 3))
    inputs, targets = swapped[1]
    assert (level(inputs), level(targets)) == ([20], [2])
    assert (inputs.shape, targets.shape) == ((1, 8, 8, 1), (1, 8, 8, 3))


def test_pairs_stay_pairs_in_every_order(two_folders):
    data = kgan.data.image_pairs(*two_folders, batch_size=2, seed=0)
    orders = []
    for _ in range(4):
        assert len(data) == 2
        order = []
        for inputs, targets in data:
            assert [10 * i for i in level(inputs)] == level(targets)
            order += level(inputs)
        orders.append(tuple(order))
        data.on_epoch_end()
    assert len(set(orders)) > 1


def test_fit_gives_the_order(two_folders):
    """The same seed, the same order, whatever was shown before."""
    first, second = (kgan.data.image_pairs(*two_folders, seed=seed) for seed in (0, 1))
    second.on_epoch_end()
    shown = []
    for data in (first, second):
        data.reorder([7, 3, 1])
        shown.append([level(inputs)[0] for inputs, _ in data])
    assert shown[0] == shown[1]
    in_subfolders = np.array([0, 2, 4, 1, 3])
    order = np.random.default_rng([7, 3, 1]).permutation(5)
    assert shown[0] == in_subfolders[order].tolist()
    fixed = kgan.data.image_pairs(*two_folders, shuffle=False)
    fixed.reorder([7, 3, 1])
    assert level(fixed[0][0]) == [0]


def test_images_are_resized_whole(tmp_path):
    """The dark border of each half survives: nothing is cropped, whatever the proportions."""
    pixels = np.full((40, 80, 3), 255, "uint8")
    pixels[:, :10] = pixels[:, 70:] = 0
    Image.fromarray(pixels).save(tmp_path / "0.png")
    inputs, targets = kgan.data.image_pairs(tmp_path, image_size=(4, 8))[0]
    assert inputs.shape == targets.shape == (1, 4, 8, 3)
    assert (inputs[0, :, 0] == -1).all() and (inputs[0, :, -1] == 1).all()
    assert (targets[0, :, 0] == 1).all() and (targets[0, :, -1] == -1).all()


def test_a_16_bit_image_keeps_its_levels(tmp_path):
    pixels = np.full((4, 8), 128 << 8, "uint16")
    Image.fromarray(pixels).save(tmp_path / "0.png")
    inputs, _ = kgan.data.image_pairs(tmp_path, channels=1)[0]
    assert level(inputs) == [128]


def test_a_photo_that_was_turned_stands_upright(tmp_path):
    exif = Image.Exif()
    exif[274] = 6  # a quarter turn
    Image.new("RGB", (8, 24)).save(tmp_path / "0.jpg", exif=exif)
    inputs, targets = kgan.data.image_pairs(tmp_path)[0]
    assert inputs.shape == targets.shape == (1, 8, 12, 3)


def test_domains_of_unequal_size(tmp_path):
    for i in range(7):
        picture(tmp_path / "a" / f"{i}.png", i, mode="L")
    for i in range(3):
        picture(tmp_path / "b" / f"{i}.png", (100 + i, 0, 0))
    data = kgan.data.image_domains(tmp_path / "a", tmp_path / "b", channels=(1, 3), seed=0)
    assert len(data) == 7
    a, b = (np.concatenate(part) for part in zip(*data, strict=True))
    assert (a.shape, b.shape) == ((7, 8, 8, 1), (7, 8, 8, 3))
    assert sorted(level(a)) == list(range(7)) != level(a)
    first, second, third = level(b)[:3], level(b)[3:6], level(b)[6:]
    assert sorted(first) == sorted(second) == [100, 101, 102]
    assert third[0] in first
    assert b.max() <= 1 and b.min() >= -1
    pairs = set()
    for _ in range(30):
        pairs |= {(level(a)[0], level(b)[0]) for a, b in data}
        data.on_epoch_end()
    assert len(pairs) == 7 * 3  # no image of A keeps a partner
    data.reorder([5])
    before = [part.copy() for part in data[2]]
    data.on_epoch_end()
    data.reorder([5])
    for now, then in zip(data[2], before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_the_smaller_domain_comes_in_a_new_order_each_time(tmp_path):
    for i in range(64):
        picture(tmp_path / "a" / f"{i}.png", i, mode="L")
    for i in range(8):
        picture(tmp_path / "b" / f"{i}.png", i, mode="L")
    data = kgan.data.image_domains(tmp_path / "a", tmp_path / "b", channels=1, seed=0)
    shown = [level(b)[0] for _, b in data]
    passes = [tuple(shown[i : i + 8]) for i in range(0, 64, 8)]
    assert all(sorted(order) == list(range(8)) for order in passes)
    assert len(set(passes)) > 4


def break_file(file):
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def test_a_corrupt_image_is_named_counted_and_passed_over(two_folders):
    inputs, targets = two_folders
    break_file(inputs / "part0" / "0.png")
    (targets / "part1" / "3.bmp").write_bytes(b"no picture")
    data = kgan.data.image_pairs(*two_folders, image_size=(8, 8), batch_size=5, shuffle=False)
    shown = level(data[0][0])
    assert len(shown) == 5
    assert set(shown) == {1, 2, 4}
    with pytest.warns(UserWarning, match=r"2 of 5 images cannot be read.*0\.png.*3\.bmp"):
        data.on_epoch_end()
    assert level(data[0][0]) == shown
    data.on_epoch_end()  # said once: a second warning would be an error here


def test_the_same_seed_gives_the_same_batches_beside_a_corrupt_image(two_folders):
    """Also for a process that has not met it yet."""
    break_file(two_folders[0] / "part0" / "0.png")

    def epoch(data):
        data.reorder([4])
        return [level(inputs)[0] for inputs, _ in data]

    seasoned, fresh = (kgan.data.image_pairs(*two_folders, image_size=(8, 8)) for _ in range(2))
    epoch(seasoned)
    assert epoch(seasoned) == epoch(fresh)


@pytest.mark.filterwarnings("ignore:This score says little")
def test_measures_are_of_every_image_once_in_the_order_of_the_files(two_folders, tmp_path):
    break_file(two_folders[0] / "part0" / "0.png")
    data = kgan.data.image_pairs(*two_folders, image_size=(8, 8), batch_size=3)
    with pytest.warns(UserWarning, match=r"1 of 5 images cannot be read.*0\.png"):
        inputs, targets = zip(*data.once(2), strict=True)
    assert [len(batch) for batch in inputs] == [2, 2]
    shown = level(np.concatenate(inputs))
    assert len(shown) == len(set(shown)) == 4
    assert len(np.concatenate(targets)) == 4
    domains = kgan.data.image_domains(*two_folders, image_size=(8, 8))
    with pytest.warns(UserWarning, match="1 of 5 images cannot be read"):
        (a, b), *more = domains.once(64)
    assert len(a) == len(b) == 4 and not more
    gan = kgan.GAN(
        kgan.networks.mlp_generator((8, 8, 3), 4, 8), kgan.networks.mlp_discriminator((8, 8, 3), 8)
    )
    gan.compile(metrics=[kgan.metrics.SlicedWasserstein(), kgan.metrics.DuplicateRate()])
    stream = kgan.data.folder(two_folders[0], (8, 8), batch_size=3, seed=0)
    with pytest.warns(UserWarning, match="1 of 5 images cannot be read"):
        gan.evaluate(stream, verbose=0)
    found = gan.scores
    gan.evaluate(stream, verbose=0)  # told once
    assert gan.scores == found
    assert found["sliced_wasserstein"]["protocol"]["real_images"] == 4


def test_a_corrupt_image_is_fatal_if_asked(side_by_side):
    break_file(side_by_side / "2.png")
    data = kgan.data.image_pairs(side_by_side, corrupt="raise", shuffle=False)
    data[1]
    with pytest.raises(ValueError, match=r"cannot be read.*Received: .*2\.png"):
        data[2]
    with pytest.raises(ValueError, match="Received: corrupt='ignore'"):
        kgan.data.image_pairs(side_by_side, corrupt="ignore")


def test_nothing_but_corrupt_images(side_by_side):
    for file in side_by_side.iterdir():
        break_file(file)
    data = kgan.data.image_pairs(side_by_side, image_size=(8, 8))
    with pytest.raises(ValueError, match=r"None of the 5 images can be read.*\d\.png"):
        data[0]


def test_files_without_a_partner_are_named(two_folders):
    inputs, targets = two_folders
    (inputs / "part0" / "2.png").unlink()
    picture(inputs / "extra.png", 0)
    with pytest.raises(ValueError, match=r"2 of 10 files without a partner.*extra\.png.*2\.bmp"):
        kgan.data.image_pairs(inputs, targets)
    picture(inputs / "extra.jpg", 0)
    with pytest.raises(ValueError, match=r"Two files of one name.*extra\.jpg.*extra\.png"):
        kgan.data.image_pairs(inputs, targets)


def test_unpaired_images_where_pairs_are_needed(tmp_path):
    picture(tmp_path / "0.png", 0, size=(64, 64))
    with pytest.warns(UserWarning, match=r"Are they pairs side by side.*0\.png of 64x64"):
        kgan.data.image_pairs(tmp_path, image_size=(32, 32))
    with pytest.warns(UserWarning, match=r"Are they pairs side by side.*0\.png of 64x64"):
        kgan.data.image_pairs(tmp_path)
    assert kgan.data.image_pairs(tmp_path, image_size=(32, 16))[0][0].shape == (1, 32, 16, 3)


def test_an_odd_width_is_no_pair(side_by_side):
    picture(side_by_side / "odd.png", 0, size=(15, 6))
    with pytest.raises(ValueError, match=r"even width.*1 odd widths.*odd\.png"):
        kgan.data.image_pairs(side_by_side, image_size=(8, 8))


def test_mixed_sizes_want_a_size(side_by_side, two_folders):
    picture(side_by_side / "large.png", 0, size=(32, 12))
    with pytest.raises(ValueError, match=r"image_size=\(height, width\).*6x16 \(5 files.*12x32"):
        kgan.data.image_pairs(side_by_side)
    assert kgan.data.image_pairs(side_by_side, image_size=(6, 8), batch_size=6)[0][0].shape[0] == 6
    picture(two_folders[1] / "part0" / "0.bmp", 0, size=(9, 7))
    with pytest.raises(ValueError, match=r"8x8 \(9 files.*7x9 \(1 files"):
        kgan.data.image_domains(*two_folders)


def test_folders_without_images(side_by_side, tmp_path):
    (tmp_path / "empty").mkdir()
    for folders in [(tmp_path / "empty",), (side_by_side, tmp_path / "none")]:
        with pytest.raises(ValueError, match=r"must hold images.*Received: path="):
            kgan.data.image_pairs(*folders)
    with pytest.raises(ValueError, match=r"must hold images.*no image in it"):
        kgan.data.image_domains(side_by_side, tmp_path / "empty")
    with pytest.raises(ValueError, match=r"0\.png', a file, not a folder"):
        kgan.data.image_pairs(side_by_side / "0.png")


@pytest.mark.parametrize(
    ("arguments", "received"),
    [
        ({"image_size": 8}, "image_size=8"),
        ({"image_size": (8, 0)}, r"image_size=\(8, 0\)"),
        ({"channels": 2}, "channels=2"),
        ({"channels": (3, 1, 1)}, r"channels=\(3, 1, 1\)"),
        ({"batch_size": 0}, "batch_size=0"),
    ],
)
def test_arguments_that_cannot_be(arguments, received, side_by_side):
    with pytest.raises(ValueError, match=f"Received: {received}"):
        kgan.data.image_pairs(side_by_side, **arguments)


def test_memory_does_not_grow_with_the_data(tmp_path):
    """Twenty times the images in hardly more memory: the rest is their names."""
    peaks = []
    for count in (10, 200):
        folder = tmp_path / str(count)
        for i in range(count):
            picture(folder / f"{i}.png", i, size=(128, 64))
        data = kgan.data.image_pairs(folder, batch_size=2)
        tracemalloc.start()
        for _ in range(2):
            for _ in data:
                pass
            data.on_epoch_end()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    one_batch = 2 * 2 * 64 * 64 * 3 * 4
    assert one_batch < peaks[0]
    assert peaks[1] < peaks[0] + one_batch


def test_photos_and_their_label_maps(tfds_folder):
    folder = tfds_folder.parent / "camvid_pairs" / "val"
    if not folder.is_dir():
        pytest.skip(f"no CamVid pairs at {folder}")
    data = kgan.data.image_pairs(folder, batch_size=8, shuffle=False)
    photos, labels = data[0]
    assert photos.shape == labels.shape == (8, 256, 256, 3)
    sky = np.array([128, 128, 128]) / 127.5 - 1
    road = np.array([128, 64, 128]) / 127.5 - 1

    def share(images, color):
        return (np.abs(images - color).max(-1) < 0.02).mean()

    assert share(labels, sky) + share(labels, road) > 0.3
    assert share(photos, sky) + share(photos, road) < 0.1
    swapped, _ = kgan.data.image_pairs(folder, batch_size=8, shuffle=False, swap=True)[0]
    np.testing.assert_array_equal(swapped, labels)


def test_domains_of_tensorflow_datasets_are_those_of_the_folders(tfds_folder):
    """The stand-in holds the very files of the two folders, in some order."""
    options = {"data_dir": tfds_folder, "download": False, "shuffle": False}
    splits = ("testA", "testB[2:12]")
    data = kgan.data.tfds_domains("camvid_day2dusk", (32, 48), splits=splits, **options)
    assert len(data) == 43
    a, b = (np.concatenate(part) for part in zip(*data, strict=True))
    assert a.shape == b.shape == (43, 32, 48, 3)
    np.testing.assert_array_equal(b[:10], b[10:20])
    folder = tfds_folder.parent / "camvid_day2dusk"
    if not folder.is_dir():
        pytest.skip(f"no folders of the same images at {folder}")
    same = kgan.data.image_domains(folder / "testA", folder / "testB", (32, 48), shuffle=False)
    for ours, theirs in zip((a, b[:10]), zip(*same, strict=True), strict=True):
        theirs = {image.tobytes() for batch in theirs for image in batch}
        ours = {image.tobytes() for image in ours}
        assert len(ours) > 9
        assert ours <= theirs


def test_splits_of_no_domain(tfds_folder):
    options = {"data_dir": tfds_folder, "download": False}
    with pytest.raises(ValueError, match=r"splits of both domains.*Received: split 'trainA'"):
        kgan.data.tfds_domains("mnist", (8, 8), **options)
