"""`load` gives a function of NumPy arrays; what does not fit is refused with the fix."""

import shutil

import mutations
import numpy as np
import onnx
import pytest

import kgan.export
from kgan.export import files, formats
from kgan.export.untrusted import seal


@pytest.fixture(scope="module")
def generator(shipped):
    return kgan.export.load(shipped[1] / "generator.onnx")


@pytest.fixture(scope="module")
def plain(exported):
    return kgan.export.load(exported / "small.onnx")


def test_inputs_by_position_and_by_name(generator):
    latent, label = np.ones((2, 8), "float32"), np.array([0, 2])
    want = generator(latent, label)
    assert want.shape == (2, 8, 8, 1)
    for got in (
        generator(latent, label=label),
        generator(label=label, latent=latent),
        generator(latent.astype("float64"), label.astype("uint8")),
    ):
        np.testing.assert_array_equal(got, want)


def test_several_outputs_are_a_dictionary():
    class Runner:
        inputs = outputs = (kgan.export.TensorSpec("a", (2,)),)
        metadata, batch_size = {}, None

        def __call__(self, inputs):
            return {"b": inputs["a"], "c": 2 * inputs["a"]}

    outputs = kgan.export.Runtime(Runner())(np.ones((1, 2), "float32"))
    assert {name: array.tolist() for name, array in outputs.items()} == {
        "b": [[1, 1]],
        "c": [[2, 2]],
    }


@pytest.mark.parametrize(
    ("arrays", "named", "message"),
    [
        ((np.ones((1, 8)),), {}, "one array for each of the inputs latent, label"),
        ((np.ones((1, 8)), [0], [0]), {}, "one array for each"),
        ((np.ones((1, 8)), [0]), {"label": [0]}, "one array for each"),
        ((np.ones((1, 8)), [0]), {"noise": [0]}, "one array for each"),
        ((np.ones((1, 9)), [0]), {}, r"must fit latent \(batch, 8\) float32.*shape \(1, 9\)"),
        ((np.ones((1, 8)), [0.5]), {}, r"must fit label \(batch\) int32.*dtype float64"),
        ((np.ones((2, 8)), [0]), {}, "differ in batch size"),
        ((np.ones((0, 8)), []), {}, "must fit"),
    ],
)
def test_inputs_that_do_not_fit(arrays, named, message, generator):
    with pytest.raises(ValueError, match=message) as caught:
        generator(*arrays, **named)
    assert "Received: " in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n must be a positive integer"),
        ({"n": 2.5}, "n must be a positive integer"),
        ({"n": 2, "seed": -1}, "seed must be an integer of at least 0"),
        ({"n": 2, "seed": "x"}, "seed must be an integer of at least 0"),
        ({"n": 2, "label": 3}, r"in \[0, 3\)"),
        ({"n": 2, "label": -1}, r"in \[0, 3\)"),
        ({"n": 2, "label": [0]}, "one label for each of the 2"),
        ({"n": 2, "label": 0.5}, "is an integer"),
    ],
)
def test_samples_that_cannot_be_drawn(arguments, message, generator):
    with pytest.raises(ValueError, match=message) as caught:
        generator.sample(**arguments)
    assert "Received: " in str(caught.value)


def test_only_generators_draw_their_own_inputs(plain):
    assert plain(np.ones((3, 4), "float32")).shape == (3, 2, 3, 1)
    with pytest.raises(ValueError, match=r"Only a generator.*Received: a model of latent"):
        plain.sample(2)


def test_no_seed_gives_new_images(generator):
    assert (generator.sample(1, label=0) != generator.sample(1, label=0)).any()


def test_repr_shows_the_signature(plain):
    assert repr(plain) == ("Runtime(latent (batch, 4) float32 -> image (batch, 2, 3, 1) float32)")


def test_a_dictionary_of_inputs(generator):
    latent, label = np.ones((2, 8), "float32"), np.array([0, 2])
    got = generator({"label": label, "latent": latent})
    np.testing.assert_array_equal(got, generator(latent, label))


@pytest.mark.parametrize("name", ["generator.onnx", "generator.tflite", "generator_saved_model"])
def test_damaged_files(name, shipped, tmp_path):
    whole, path = shipped[1] / name, tmp_path / name
    if whole.is_dir():
        shutil.copytree(whole, path)
        path = path / "saved_model.pb"
    else:
        shutil.copy(whole, path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"does not load: it is damaged.*Received: path="):
        kgan.export.load(tmp_path / name)
    with pytest.raises(ValueError, match=r"positive integer\. Received: threads=0"):
        kgan.export.load(whole, threads=0)


def test_things_that_are_no_exported_file(shipped, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Received: path='none\.onnx'"):
        kgan.export.load("none.onnx")
    (tmp_path / "a.txt").write_text("text")
    for path in (tmp_path / "a.txt", shipped[1]):
        with pytest.raises(ValueError, match="Not an exported file"):
            kgan.export.load(path)


NAMES = ("generator.onnx", "generator.tflite", "generator_saved_model")


@pytest.mark.parametrize("name", NAMES)
def test_a_byte_that_has_changed_is_found(name, shipped, tmp_path):
    whole, path = shipped[1] / name, tmp_path / name
    (shutil.copytree if whole.is_dir() else shutil.copy)(whole, path)
    members, random = files.members(path), np.random.default_rng(0)
    for number, file in enumerate(members):
        content = file.read_bytes()
        count = 60 // len(members) + (number < 60 % len(members))
        for _, flipped in mutations.flips(content, count, random):
            file.write_bytes(flipped)
            with pytest.raises(ValueError, match=r"does not load: it is damaged.*Received: path="):
                kgan.export.load(path)
        file.write_bytes(content)
    assert seal.check(path)


def test_a_file_that_has_lost_its_seal_is_told(shipped, tmp_path):
    for name in NAMES[:2]:
        content = (shipped[1] / name).read_bytes()
        path = tmp_path / name
        before = len(content) - 64 - len(formats.of(path).SEAL)
        path.write_bytes(content[:before])
        with pytest.raises(ValueError, match="its SHA-256 is gone"):
            kgan.export.load(path)
        path.write_bytes(content[:before] + bytes([content[before] ^ 1]) + content[before + 1 :])
        with pytest.raises(ValueError, match="does not load"):
            kgan.export.load(path)
    path = shutil.copytree(shipped[1] / NAMES[2], tmp_path / NAMES[2])
    (path / seal.LIST).unlink()
    with pytest.raises(ValueError, match="its SHA-256 is gone"):
        kgan.export.load(path)
    (path / "assets" / "more").write_text("a file that was not there")
    shutil.copy(shipped[1] / NAMES[2] / seal.LIST, path)
    with pytest.raises(ValueError, match="its SHA-256 is not the one it carries"):
        kgan.export.load(path)


def with_metadata(source, path, **changes):
    """An ONNX file as an earlier version of kgan wrote it, without a seal."""
    proto = onnx.load(source)
    metadata = {each.key: each.value for each in proto.metadata_props}
    del metadata["sealed"], metadata[seal.KEY]
    del proto.metadata_props[:]
    onnx.helper.set_model_props(proto, metadata | changes)
    onnx.save(proto, path)
    return path


def test_files_of_before_the_seal_load(shipped, tmp_path):
    path = with_metadata(shipped[1] / NAMES[0], tmp_path / NAMES[0])
    assert not seal.check(path)
    expected = kgan.export.load(shipped[1] / NAMES[0]).sample(3, seed=0, label=1)
    np.testing.assert_array_equal(kgan.export.load(path).sample(3, seed=0, label=1), expected)


@pytest.mark.parametrize(
    "changes",
    [
        {"num_classes": "ten"},
        {"num_classes": "0"},
        {"num_classes": "true"},
        {"num_classes": "1" * 30},
        {"input_range": "[1, -1]"},
        {"input_range": "[-1]"},
        {"input_range": '["a", "b"]'},
        {"latent_distribution": "[[]]"},
        {"inputs": "[3]"},
        {"inputs": '[{"name": "x", "shape": [-1], "dtype": "float32"}]'},
        {"source_sha256": "{}"},
    ],
    ids=str,
)
def test_metadata_that_kgan_does_not_write_is_refused(shipped, tmp_path, changes):
    path = with_metadata(shipped[1] / NAMES[0], tmp_path / NAMES[0], **changes)
    with pytest.raises(ValueError, match=r"does not load.*metadata.*Received: path="):
        kgan.export.load(path)
