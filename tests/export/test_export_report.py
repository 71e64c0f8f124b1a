"""The report tells and remembers; `verify` repeats the proof and finds what was changed."""

import dataclasses
import json
import shutil
import subprocess
import sys
import threading

import pytest

import kgan.export
from kgan.export import files, report, transaction


def flip_a_byte(path, where=0.5):
    content = bytearray(path.read_bytes())
    content[int(len(content) * where)] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("name", ["", "small.onnx", "export_report.json"])
def test_verify_repeats_the_proof(exported, name):
    checked = kgan.export.verify(exported / name)
    written = report.read(exported / "export_report.json")
    assert checked.passed and len(checked.artefacts) == 1
    assert checked.artefacts[0].sha256 == written.artefacts[0].sha256
    assert checked.artefacts[0].max_error <= 1e-5


def test_verify_runs_where_neither_keras_nor_tensorflow_can_be_imported(exported):
    """`kgan` itself may import Keras for now, so an empty package stands in for it."""
    locations = list(kgan.__path__)
    code = f"""
import sys, types
sys.path[:] = {sys.path!r}
for absent in ("keras", "tensorflow", "jax", "torch"):
    sys.modules[absent] = None
kgan = sys.modules["kgan"] = types.ModuleType("kgan")
kgan.__path__ = {locations!r}
kgan.export = types.ModuleType("kgan.export")
kgan.export.__path__ = {list(kgan.export.__path__)!r}
sys.modules["kgan.export"] = kgan.export
from kgan.export.compare.verification import verify
print(verify(sys.argv[1]).passed)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(exported)], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "True", done.stderr


def test_a_flipped_byte_in_the_file_is_found(bundle):
    flip_a_byte(bundle / "small.onnx")
    with pytest.raises(kgan.export.VerificationError, match=r"small\.onnx: the content changed"):
        kgan.export.verify(bundle)


def test_a_flipped_byte_in_the_samples_is_found(bundle):
    flip_a_byte(bundle / "small.onnx.samples.npz")
    with pytest.raises(kgan.export.VerificationError, match=r"samples\.npz: the content changed"):
        kgan.export.verify(bundle)


def test_a_truncated_file_is_found(bundle):
    content = (bundle / "small.onnx").read_bytes()
    (bundle / "small.onnx").write_bytes(content[:-1])
    with pytest.raises(kgan.export.VerificationError, match=f"{len(content) - 1} bytes, but"):
        kgan.export.verify(bundle / "small.onnx")


@pytest.mark.parametrize("name", ["small.onnx", "small.onnx.samples.npz", "export_report.json"])
def test_a_missing_file_is_found(bundle, name):
    (bundle / name).unlink()
    with pytest.raises(kgan.export.VerificationError, match=name):
        kgan.export.verify(bundle)


def test_a_file_the_report_does_not_know(bundle):
    (bundle / "small.onnx").rename(bundle / "other.onnx")
    with pytest.raises(kgan.export.VerificationError, match="does not describe"):
        kgan.export.verify(bundle / "other.onnx")


def test_nothing_is_exported_beside_a_damaged_report(bundle):
    from export_test_models import NAMES, small_model

    (bundle / "export_report.json").write_text("{}")
    with pytest.raises(kgan.export.ExportError, match=r"remove it.*Received: .*no 'artefacts'"):
        kgan.export.export(small_model(), bundle / "other.onnx", **NAMES)
    assert not (bundle / "other.onnx").exists()


def test_a_damaged_report_is_named(bundle):
    path = bundle / "export_report.json"
    written = json.loads(path.read_text())
    written["artefacts"][0]["tolerance"] = "x"
    for text in ("{", json.dumps(written)):
        path.write_text(text)
        with pytest.raises(kgan.export.VerificationError, match="damaged"):
            kgan.export.verify(bundle)


def test_nothing_to_verify(tmp_path):
    with pytest.raises(kgan.export.VerificationError, match=r"nothing.*path='.*nope'"):
        kgan.export.verify(tmp_path / "nope")


def test_what_is_well_is_told_beside_what_is_wrong(bundle):
    shutil.copy(bundle / "small.onnx", bundle / "b.onnx")
    merge(bundle, artefact_like(bundle, "b.onnx"))
    flip_a_byte(bundle / "b.onnx")
    with pytest.raises(kgan.export.VerificationError, match=r"Verified: small\.onnx\."):
        kgan.export.verify(bundle)


def test_matching_hashes_do_not_excuse_wrong_values(bundle):
    """Someone changes a weight and writes the new hash into the report: parity still finds it."""
    import onnx
    from onnx import numpy_helper

    path = bundle / "small.onnx"
    proto = onnx.load(path)
    weight = max(proto.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) + 0.01, weight.name))
    onnx.save(proto, path)
    written = json.loads((bundle / "export_report.json").read_text())
    written["artefacts"][0].update(sha256=files.sha256(path), bytes=path.stat().st_size)
    (bundle / "export_report.json").write_text(json.dumps(written))
    with pytest.raises(kgan.export.VerificationError, match="above the tolerance"):
        kgan.export.verify(path)


def artefact_like(exported, name):
    first = report.read(exported / "export_report.json").artefacts[0]
    return dataclasses.replace(first, file=name)


def merge(folder, artefact):
    with transaction.locked(folder):
        whole = report.merge(report.ExportReport(folder, (artefact,)))
        (folder / report.FILE).write_text(whole.to_json())


def test_merging_keeps_others_replaces_its_own_and_drops_the_gone(bundle):
    (bundle / "b.onnx").write_text("b")
    merge(bundle, artefact_like(bundle, "b.onnx"))
    merge(bundle, dataclasses.replace(artefact_like(bundle, "b.onnx"), max_error=0.5))
    artefacts = report.read(bundle / "export_report.json").artefacts
    assert [each.file for each in artefacts] == ["small.onnx", "b.onnx"]
    assert artefacts[1].max_error == 0.5
    (bundle / "small.onnx").unlink()
    merge(bundle, artefact_like(bundle, "b.onnx"))
    artefacts = report.read(bundle / "export_report.json").artefacts
    assert [each.file for each in artefacts] == ["b.onnx"]


def test_many_at_once_lose_no_entry(bundle):
    names = [f"{number}.onnx" for number in range(12)]
    for name in names:
        (bundle / name).write_text(name)
    threads = [
        threading.Thread(target=merge, args=(bundle, artefact_like(bundle, name))) for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    artefacts = report.read(bundle / "export_report.json").artefacts
    assert {each.file for each in artefacts} == {"small.onnx", *names}
    assert not list(bundle.glob(".kgan*"))


def test_the_table_says_what_counts(exported):
    table = str(report.read(exported / "export_report.json"))
    first, rule, row, *_ = table.splitlines()
    for name in ("file", "precision", "size", "max error", "PSNR", "ms", "Keras", "verdict"):
        assert name in first
    assert set(rule) == {"-", " "}
    assert row.startswith("small.onnx") and row.endswith("passed")
    assert "latent (batch, 4) float32 -> image (batch, 2, 3, 1) float32" in table
