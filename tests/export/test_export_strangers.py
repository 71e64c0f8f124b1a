"""Files of strangers: what a report, an archive or a process that runs a file cannot do."""

import io
import json
import os
import struct
import sys
import types
import zipfile

import mutations
import numpy as np
import pytest

import kgan.export
from kgan.export import VerificationError, files, model_card, report
from kgan.export.compare import samples
from kgan.export.formats import onnx
from kgan.export.signature import ModelSpec
from kgan.export.untrusted import messages, process


def test_messages_give_back_what_was_written():
    stream = io.BytesIO()
    arrays = {
        "image": np.random.default_rng(0).normal(size=(2, 3)).astype("float32"),
        "label": np.arange(4, dtype="int64"),
        "none": np.zeros((0, 5), "uint8"),
        "one": np.array(True),
    }
    messages.write(stream, {"seconds": 0.5, "names": ["ä"]}, arrays)
    messages.write(stream, {"error": "no"})
    stream.seek(0)
    header, found = messages.read(stream)
    assert header == {"seconds": 0.5, "names": ["ä"]}
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
        assert found[name].flags.writeable
    assert messages.read(stream) == ({"error": "no"}, {})
    with pytest.raises(EOFError):
        messages.read(stream)


def message(header, rest=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return io.BytesIO(struct.pack(">Q", len(text)) + text + rest)


@pytest.mark.parametrize(
    "stream",
    [
        io.BytesIO(struct.pack(">Q", 2**60)),
        message(b"[" * 100_000),
        message([]),
        message({}),
        message({"arrays": 3}),
        message({"arrays": [{"name": "x", "dtype": "object", "shape": [1]}]}),
        message({"arrays": [{"name": "x", "dtype": "float32", "shape": [-1]}]}),
        message({"arrays": [{"name": "x", "dtype": "float32", "shape": [2**40, 2**40]}]}),
        message({"arrays": [{"name": "x", "dtype": "float32", "shape": ["2"]}]}),
        message({"arrays": [{"name": 1, "dtype": "float32", "shape": [2]}]}),
        message({"arrays": [{"name": "x", "dtype": ["float32"], "shape": [2]}]}),
        message(b"\x80\x04K\x01."),  # a pickle
    ],
    ids=[
        "size",
        "depth",
        "list",
        "keys",
        "arrays",
        "object",
        "negative",
        "huge",
        "text",
        "name",
        "dtype",
        "pickle",
    ],
)
def test_what_is_no_message_is_refused(stream):
    with pytest.raises(ValueError, match=r"no message of kgan|larger than"):
        messages.read(stream)


def altered(folder, **changes):
    """Changes a report as one would who wants it to be believed: its hash goes, too."""
    path = folder / "export_report.json"
    content = json.loads(path.read_text())
    content.pop("sha256")
    content["artefacts"][0].update(changes)
    path.write_text(json.dumps(content))


def test_the_bundle_verifies_as_it_is(bundle):
    assert kgan.export.verify(bundle).passed


@pytest.mark.parametrize("place", ["file", "samples"])
@pytest.mark.parametrize("name", ["../small.onnx", "/etc/passwd", "/dev/zero", "..", "a/b", "x\0y"])
def test_a_report_names_files_of_its_own_folder_alone(bundle, place, name):
    altered(bundle, **{place: name})
    with pytest.raises(VerificationError, match=r"in the folder itself|by itself"):
        kgan.export.verify(bundle)


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_links_and_pipes_are_not_looked_at(bundle, kind):
    file = bundle / "small.onnx"
    file.rename(bundle / "elsewhere")
    if kind == "link":
        file.symlink_to(bundle / "elsewhere")
    else:
        os.mkfifo(file)
    with pytest.raises(VerificationError, match="is a link, a device, a pipe"):
        kgan.export.verify(bundle)


@pytest.mark.parametrize(
    "bounds",
    [
        {"tolerance": None, "min_psnr": None},
        {"tolerance": float("nan")},
        {"tolerance": float("inf")},
        {"tolerance": -1.0, "min_psnr": None},
    ],
    ids=str,
)
def test_bounds_that_judge_nothing_are_refused(bundle, bounds):
    altered(bundle, **bounds)
    with pytest.raises(VerificationError, match=r"a bound is a number|is no JSON"):
        kgan.export.verify(bundle)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "[]",
        "{}",
        '{"artefacts": {}}',
        '{"artefacts": [3]}',
        '{"artefacts": [{}]}',
        "\x00",
    ],
    ids=lambda text: text[:20],
)
def test_a_damaged_report_is_told(bundle, text):
    (bundle / "export_report.json").write_text(text)
    with pytest.raises(VerificationError, match="is damaged"):
        kgan.export.verify(bundle)


def test_every_field_of_a_report_is_read_or_refused(bundle):
    path = bundle / "export_report.json"
    content = json.loads(path.read_text())
    del content["sha256"]
    scale = {"scale": 0.5, "zero_point": -3}
    metadata = {"num_classes": 3, "int8": {"latent": scale}, "input_range": [-1, 1]}
    content["artefacts"][0].update(metadata=metadata, versions={"kgan": "0.1.0"}, options={})
    read = 0
    for _, mutated in mutations.of_json(content):
        path.write_text(json.dumps(mutated))
        try:
            found = report.read(path)
        except ValueError:
            continue
        read += 1
        assert not set("\x1b\x00\u202e") & set(f"{found}{model_card.text(found)}")
    assert read > 100
    for _, text in mutations.of_text(json.dumps(content)):
        path.write_text(text)
        with pytest.raises(
            ValueError, match=r"nested|JSON|line \d|control|Exceeds|Expecting|Extra"
        ):
            report.read(path)


def test_a_byte_of_a_report_or_of_samples_is_found(bundle):
    path = bundle / "export_report.json"
    text = path.read_bytes()
    for place, flipped in mutations.flips(text, 60, np.random.default_rng(0)):
        path.write_bytes(flipped)
        try:
            report.read(path)
            report.check_hash(path)
        except ValueError:
            continue
        assert json.loads(flipped) == json.loads(text), f"byte {place}"  # white space
    path.write_bytes(text)
    kept = next(bundle.glob("*.samples.npz"))
    for _, flipped in mutations.flips(kept.read_bytes(), 60, np.random.default_rng(0)):
        kept.write_bytes(flipped)
        with pytest.raises(VerificationError, match="changed since the export"):
            kgan.export.verify(bundle)


def test_a_bound_that_has_changed_is_found_last(bundle):
    path = bundle / "export_report.json"
    content = json.loads(path.read_text())
    content["artefacts"][0]["tolerance"] *= 10
    path.write_text(json.dumps(content))
    with pytest.raises(VerificationError, match=r"its SHA-256 is not the one it carries"):
        kgan.export.verify(bundle)


def test_archives_of_samples_are_read_or_refused(bundle):
    entry = json.loads((bundle / "export_report.json").read_text())["artefacts"][0]
    kept, spec = bundle / entry["samples"], ModelSpec.from_json(entry)
    for name in mutations.of_archive(kept):
        if name == "zeros":
            with pytest.raises(ValueError, match="magic string"):
                samples.load(kept, spec)
            continue
        with pytest.raises(ValueError, match=str(kept)):
            samples.load(kept, spec)
    assert samples.load(kept, spec)


def test_a_card_shows_names_as_they_are(bundle):
    evil = "x\n# Heading\n```\n[link](http://x) <b> | y"
    altered(bundle, metadata={"class_names": [evil, evil], evil: evil}, reason=evil)
    text = model_card.text(report.read(bundle / "export_report.json"))
    assert "Heading" in text
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == ["# Model card", "## How to run it", "## How near to the Keras model"] or (
        not any("Heading" in line for line in headings)
    )
    assert "\n```\n[" not in text and "[link](" not in text.replace("\\[link\\](", "")
    assert "<b>" not in text.replace("\\<b\\>", "")


@pytest.mark.skipif(sys.platform != "linux", reason="where the system sees to it")
def test_the_process_that_runs_a_file_may_take_no_more_than_the_machine(
    tmp_path, bundle, monkeypatch
):
    (tmp_path / "telling.py").write_text(
        "import resource\n"
        "from pathlib import Path\n"
        "def load(path, threads=None):\n"
        "    first = Path('/proc/self/oom_score_adj').read_text().strip()\n"
        "    raise ValueError(f'{resource.getrlimit(resource.RLIMIT_DATA)[0]} {first}')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RuntimeError, match=r"ValueError: [1-9]\d+ 1000"):
        process.Runner(types.ModuleType("telling"), bundle / "small.onnx")


def test_samples_that_unpack_to_much_are_refused_before(bundle, monkeypatch):
    monkeypatch.setattr(samples, "UNPACKED_BYTES", 2**20)
    kept = next(bundle.glob("*.samples.npz"))
    np.savez_compressed(kept, **{"0.inputs.latent": np.zeros((2**18 + 1,), "float32")})
    altered(bundle, samples_sha256=files.sha256(kept))
    with pytest.raises(VerificationError, match="unpacks to more than"):
        kgan.export.verify(bundle)


def test_arrays_that_declare_more_than_they_have_are_refused_before(bundle):
    kept = next(bundle.glob("*.samples.npz"))
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (2**40,)}
    )
    with zipfile.ZipFile(kept, "w") as archive:
        archive.writestr("kinds.npy", header.getvalue())
    altered(bundle, samples_sha256=files.sha256(kept))
    with pytest.raises(VerificationError, match="declares"):
        kgan.export.verify(bundle)


def test_what_a_file_prints_is_no_answer(tmp_path, bundle, monkeypatch):
    """Before, the parent read the standard output of the process as a pickle."""
    (tmp_path / "printing.py").write_text(
        "import os\n"
        "from kgan.export.formats import onnx\n"
        "def load(path, threads=None):\n"
        "    os.write(1, b'cos\\nsystem\\n(S\"touch owned\"\\ntR.')\n"
        "    print('hello')\n"
        "    return onnx.load(path, threads)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    runner = process.Runner(types.ModuleType("printing"), bundle / "small.onnx")
    inputs = {tensor.name: np.ones((2, *tensor.shape), tensor.dtype) for tensor in runner.inputs}
    outputs = runner(inputs)
    runner.close()
    for name, wanted in onnx.load(bundle / "small.onnx")(inputs).items():
        np.testing.assert_allclose(outputs[name], wanted, rtol=1e-6)
    assert not (tmp_path / "owned").exists()
