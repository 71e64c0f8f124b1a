"""Files of a folder change together: killed at any moment, all are old or all are new."""

import errno
import json
import os

import pytest
from conftest import ROOT
from crashes import change, contents, write

from kgan.export import ExportError, transaction


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be copied here")
def test_killed_before_each_operation_on_files_all_are_old_or_all_new(python):
    """So it is, too, where who comes to help is killed."""
    found = json.loads(python([ROOT / "tests" / "once" / "crashes.py"], "torch"))
    once, twice = found["once"], found["twice"]
    assert sorted(once, reverse=True) == once  # once it is new it stays so
    assert set(once) == {"old", "new"}
    assert once.count("old") > 10 and once.count("new") > 10
    assert set(twice) == {"new"} and len(twice) > 20


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "bundle"
    write(folder, "old")
    return folder


def test_only_what_is_named_is_replaced(bundle):
    old = contents(bundle)
    change(bundle)
    new = contents(bundle)
    assert new.pop("kept.onnx") == old["kept.onnx"]
    assert new == {
        "a.onnx": "a new",
        "b_saved_model/variables/data": "b new",
        "c.tflite": "c new",
        "report.json": "report new",
    }


def test_a_disk_that_is_full_leaves_the_older_files(bundle, monkeypatch):
    old = contents(bundle)

    def fail(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(transaction, "sync", fail)
    with pytest.raises(ExportError, match=r"No space left on device.*Received: path='.*a\.onnx'"):
        change(bundle)
    assert contents(bundle) == old


def test_what_cannot_be_finished_is_said(bundle, monkeypatch):
    write(bundle / transaction.COMMITTED, "new")

    def fail(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", fail)
        with pytest.raises(ExportError, match=r"killed while .* Read-only .* Received: folder="):
            transaction.recover(bundle)
    transaction.recover(bundle)
    assert contents(bundle)["a.onnx"] == "a new"


@pytest.mark.parametrize("kind", ["link in it", "link itself", "file"])
def test_of_what_is_not_ours_nothing_is_moved(kind, tmp_path):
    """An archive of a stranger could have such a folder in it."""
    bundle, mine = tmp_path / "bundle", tmp_path / "mine"
    bundle.mkdir()
    mine.mkdir()
    (mine / "letter.txt").write_text("dear")
    committed = bundle / transaction.COMMITTED
    if kind == "link in it":
        committed.mkdir()
        (committed / "a.onnx").symlink_to(mine)
    elif kind == "link itself":
        committed.symlink_to(mine)
    else:
        committed.write_text("nonsense")
    before = sorted(bundle.rglob("*"))
    with pytest.raises(ExportError, match="not what an export leaves"):
        transaction.recover(bundle)
    assert sorted(bundle.rglob("*")) == before
    assert contents(mine) == {"letter.txt": "dear"}
