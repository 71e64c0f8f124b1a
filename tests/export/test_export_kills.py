"""Whatever ends an export, its bundle is whole, old or new, for the next who looks at it."""

import json
import os
import shutil

import numpy as np
import onnx
import pytest
from export_test_models import NAMES, small_model

import kgan.export
import kgan.report
from kgan.export import files, report, transaction
from kgan.export.untrusted import seal


@pytest.fixture(scope="module")
def newer(exported, tmp_path_factory):
    """A folder with the same export as `exported` in other bytes; not to be changed."""
    folder = shutil.copytree(exported, tmp_path_factory.mktemp("newer") / "bundle")
    proto = onnx.load(folder / "small.onnx")
    proto.doc_string = "newer"
    del proto.metadata_props[-1]  # the seal
    onnx.save(proto, folder / "small.onnx")
    seal.put(folder / "small.onnx")
    content = json.loads((folder / report.FILE).read_text())
    content["artefacts"][0].update(
        sha256=files.sha256(folder / "small.onnx"), bytes=files.size(folder / "small.onnx")
    )
    del content["sha256"]  # as in older reports
    (folder / report.FILE).write_text(json.dumps(content))
    return folder


@pytest.fixture
def interrupted(bundle, newer):
    """The older bundle as a kill leaves it: the new one is committed, and one file is in place."""
    shutil.copytree(newer, bundle / transaction.COMMITTED)
    os.replace(bundle / transaction.COMMITTED / "small.onnx", bundle / "small.onnx")
    return bundle


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("what", ["", "small.onnx", "export_report.json"])
def test_verify_finishes_what_was_begun(what, interrupted, newer):
    kgan.export.verify(interrupted / what)
    assert contents(interrupted) == contents(newer)


def test_load_finishes_what_was_begun(interrupted, newer):
    os.replace(interrupted / "small.onnx", interrupted / transaction.COMMITTED / "small.onnx")
    latents = np.ones((2, 4), np.float32)
    assert kgan.export.load(interrupted / "small.onnx")(latents).shape == (2, 2, 3, 1)
    assert contents(interrupted) == contents(newer)


def test_the_report_of_a_run_finishes_what_was_begun(interrupted, newer):
    page = kgan.report.write(interrupted.parent)
    assert contents(interrupted) == contents(newer)
    assert "small.onnx" in page.read_text(encoding="utf-8")


def test_the_next_export_finishes_first(interrupted, newer, fake_worker):
    fake_worker("sys.exit('no')")
    with pytest.raises(kgan.export.ExportError):
        kgan.export.export(small_model(), interrupted / "other.onnx", **NAMES)
    assert contents(interrupted) == contents(newer)


def test_what_cannot_be_finished_is_not_called_damaged(interrupted, monkeypatch):
    def fail(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.replace", fail)
    for use in (kgan.export.verify, kgan.export.load):
        with pytest.raises(kgan.export.ExportError, match=r"killed while.*Permission denied"):
            use(interrupted / "small.onnx")


@pytest.mark.parametrize("moment", [0, 3, 4, 6])
def test_an_end_before_any_move_leaves_old_or_new(moment, bundle, newer, fake_worker, monkeypatch):
    """Ctrl-C, say: three moves gather the new files, one commits them, three put them in place."""
    old, moves = contents(bundle), []

    def fails_at_last(move):
        def moved(source, target):
            if "small.onnx" in str(source) or moves:  # the first file that is put into place
                moves.append(target)
                if len(moves) > moment:
                    raise KeyboardInterrupt
            move(source, target)

        return moved

    copied = f"shutil.copy({str(newer / 'small.onnx')!r}, request['artefacts'][0]['path'])"
    fake_worker(copied)
    model = small_model()
    with monkeypatch.context() as patched:
        for name in ("rename", "replace"):
            patched.setattr(os, name, fails_at_last(getattr(os, name)))
        with pytest.raises(KeyboardInterrupt):
            kgan.export.export(model, bundle / "small.onnx", **NAMES)
    kgan.export.verify(bundle)
    found = contents(bundle)
    if moment < 4:
        assert found == old
    else:
        assert found["small.onnx"] == contents(newer)["small.onnx"]
    assert not [name for name in found if name.startswith(".")]
