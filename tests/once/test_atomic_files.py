"""Files are written whole or not at all: full disks, places that cannot be written to, kills."""

import errno
import os
import subprocess
import sys
import threading

import keras
import numpy as np
import pytest

import kgan
from kgan.utils import files

KILLED = """
import os, signal, sys
sys.modules["keras"] = None  # not needed, and slow to import
from kgan.utils import files
with files.atomic(sys.argv[1]) as unfinished:
    unfinished.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""

IMAGES = np.tanh(np.random.default_rng(0).normal(size=(4, 4, 4, 1))).astype("float32")


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def hidden(folder):
    return list(folder.rglob(".*"))


def small_gan():
    gan = kgan.GAN(
        kgan.networks.mlp_generator((4, 4, 1), latent_dim=2, width=4),
        kgan.networks.mlp_discriminator((4, 4, 1), width=4),
    )
    gan.compile()
    return gan


def test_a_file_appears_whole_with_folders_that_it_lacked(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with files.atomic(path) as unfinished:
        unfinished.write_text("first")
        assert unfinished.suffix == ".txt" and not path.exists()
    assert path.read_text() == "first"
    files.write_text(path, "zweite Größe")
    assert path.read_text(encoding="utf-8") == "zweite Größe"
    assert not hidden(tmp_path)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, OSError])
def test_what_fails_leaves_the_older_file(error, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail():
        with files.atomic(path) as unfinished:
            unfinished.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert not hidden(tmp_path)


def test_what_a_killed_process_left_is_taken_over(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    killed = subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    assert killed.returncode == -9
    assert path.read_text() == "old" and len(hidden(tmp_path)) == 1
    with files.atomic(path) as unfinished:
        assert unfinished.read_bytes() == b""
        unfinished.write_text("new")
    assert path.read_text() == "new"
    assert not hidden(tmp_path)


def test_writers_at_the_same_time_leave_one_whole_file(tmp_path):
    path = tmp_path / "a.txt"

    def write(letter):
        for _ in range(20):
            files.write_text(path, letter * 100_000)

    writers = [threading.Thread(target=write, args=(letter,)) for letter in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    text = path.read_text()
    assert len(text) == 100_000 and len(set(text)) == 1
    assert not hidden(tmp_path)


def test_links_stay_and_devices_are_written_to(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "link.txt").symlink_to(tmp_path / "far" / "a.txt")
    files.write_text(tmp_path / "link.txt", "there")
    assert (tmp_path / "far" / "a.txt").read_text() == "there"
    assert (tmp_path / "link.txt").is_symlink()
    files.write_text("/dev/null", "nothing")
    assert not os.path.isfile("/dev/null")


def test_lines_are_added_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "log.jsonl"
    files.append_line(path, "one")
    files.append_line(path, "zwölf")
    assert path.read_text(encoding="utf-8") == "one\nzwölf\n"
    path.write_text("one\ncut sho")
    files.append_line(path, "two")
    assert path.read_text() == "one\ncut sho\ntwo\n"


LIMITED = """
import resource, signal, sys
sys.modules["keras"] = None
from kgan.utils import files
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
files.append_line(sys.argv[1], "five")
try:
    files.append_line(sys.argv[1], "a longer one")
except OSError as error:
    print(error)
"""


def test_a_line_for_which_there_is_no_room_leaves_nothing(tmp_path):
    pytest.importorskip("resource", reason="the system has no limit on file sizes")
    path = tmp_path / "log.jsonl"
    told = subprocess.run(
        [sys.executable, "-c", LIMITED, path], capture_output=True, text=True, check=True
    ).stdout
    assert f"Received: path={str(path)!r}" in told
    assert path.read_text() == "five\n"


@pytest.mark.parametrize("place", ["file", "nowhere"])
def test_a_place_that_cannot_be_written_to_is_named(place, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    path = tmp_path / "file" / "a.txt" if place == "file" else "/proc/no/a.txt"
    for write in (files.check_place, lambda path: files.write_text(path, "a")):
        with pytest.raises(OSError, match=r"cannot be written.*Received: path=") as caught:
            write(path)
        assert str(path) in str(caught.value) and caught.value.errno
    files.check_place(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "not a folder" and not hidden(tmp_path)


def test_a_checkpoint_that_cannot_be_written_is_said_before_training(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    gan, images = small_gan(), IMAGES
    before = [np.array(weight) for weight in gan.get_weights()]
    with pytest.raises(OSError, match=r"Received: path='.*checkpoint\.keras'"):
        gan.fit(images, batch_size=2, verbose=0, checkpoint=tmp_path / "file" / "checkpoint.keras")
    for old, new in zip(before, gan.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


WRITERS = {
    "checkpoint.keras": lambda gan, path: gan.fit(
        IMAGES, batch_size=2, epochs=2, verbose=0, checkpoint=path
    ),
    "gan.keras": lambda gan, path: gan.save(path),
    "best.keras": lambda gan, path: gan.fit(
        IMAGES,
        batch_size=2,
        verbose=0,
        callbacks=[keras.callbacks.ModelCheckpoint(path)],
    ),
    "epoch_0001.png": lambda gan, path: gan.fit(
        IMAGES,
        batch_size=2,
        verbose=0,
        callbacks=[kgan.callbacks.SampleGrid(path.parent, count=4)],
    ),
    "scores.json": lambda gan, path: kgan.metrics.report([], path),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_named_and_costs_nothing_old(name, tmp_path, monkeypatch):
    path, gan = tmp_path / name, small_gan()
    if name == "checkpoint.keras":  # of this run, as it must be
        gan.fit(IMAGES, batch_size=2, verbose=0, checkpoint=path)
        gan = small_gan()
    else:
        path.write_text("old")
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=r"No space left on device.*Received: path=") as caught:
        WRITERS[name](gan, path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before
    assert not hidden(tmp_path)
