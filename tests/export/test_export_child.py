"""A converter that crashes, hangs or lies is an error with its cause; older files survive."""

import errno
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import export_test_runners
import keras
import numpy as np
import pytest
from export_test_models import NAMES, small_model

import kgan.export
from kgan.export import transaction
from kgan.export.compare import parity
from kgan.export.convert import launcher
from kgan.export.untrusted import process


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("os.kill(os.getpid(), 11)", "killed by SIGSEGV"),
        (
            "print('half'); open(request['artefacts'][0]['path'], 'w').write('x'); sys.exit(3)",
            "half",
        ),
        ("sys.exit('the disk is full')", "the disk is full"),
        ("pass", "wrote no small.onnx"),
        ("open(request['artefacts'][0]['path'], 'w').write('nonsense')", "does not load"),
    ],
)
def test_bad_ends_leave_the_older_export_untouched(lines, message, bundle, fake_worker):
    before = contents(bundle)
    fake_worker(lines)
    with pytest.raises(kgan.export.ExportError, match=message):
        kgan.export.export(small_model(), bundle / "small.onnx", **NAMES)
    assert contents(bundle) == before


def test_a_hanging_child_is_killed(tmp_path, fake_worker):
    fake_worker("print('still here', flush=True); time.sleep(60)")
    started = time.perf_counter()
    with pytest.raises(kgan.export.ExportError, match=r"within 1 s(.|\n)*still here"):
        kgan.export.export(small_model(), tmp_path / "small.onnx", timeout=1)
    assert time.perf_counter() - started < 30
    assert list(tmp_path.iterdir()) == []


def test_the_cause_in_the_real_child_reaches_the_parent(tmp_path):
    """An error in the converter itself: opset 1 does not know the operators we need."""
    with pytest.raises(kgan.export.ExportError, match="while converting to onnx") as caught:
        kgan.export.export(small_model(), tmp_path / "small.onnx", opset=1)
    assert "Cause: " in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_artefact_of_other_weights_is_found_out(bundle, tmp_path, fake_worker):
    """The converter hands over a healthy file that computes something else."""
    fake_worker(f"shutil.copy({str(bundle / 'small.onnx')!r}, request['artefacts'][0]['path'])")
    assert kgan.export.export(small_model(), tmp_path / "same.onnx", **NAMES).passed
    before = contents(bundle)
    with pytest.raises(kgan.export.ParityError, match=r"'image'.*error .* above the tolerance"):
        kgan.export.export(small_model(seed=2), bundle / "small.onnx", **NAMES)
    assert contents(bundle) == before


def test_one_weight_slightly_off_is_found_out(bundle, tmp_path, fake_worker):
    fake_worker(f"shutil.copy({str(bundle / 'small.onnx')!r}, request['artefacts'][0]['path'])")
    model = small_model()
    bias = model.layers[0].bias
    bias.assign(keras.ops.add(bias, 1e-3))
    with pytest.raises(kgan.export.ParityError, match="above the tolerance"):
        kgan.export.export(model, tmp_path / "small.onnx", **NAMES)
    assert list(tmp_path.glob("small*")) == []


@pytest.mark.parametrize("when", ["", "later "])
@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("crash", "ended with exit code -11"),
        ("hang", "gave no answer for 2 s"),
        ("fail", "OSError: no such luck"),
    ],
)
def test_a_file_that_takes_its_process_down_is_an_error_here(when, what, message):
    with pytest.raises(RuntimeError, match=message):
        process.Runner(export_test_runners, when + what, timeout=2)({"x": np.zeros((1, 1))})


def test_a_missing_runtime_is_no_wrong_file():
    with pytest.raises(ImportError, match="No module named 'runtime'"):
        parity.load(export_test_runners, "absent", "a file")


WITH_CONVERTER = """
from pathlib import Path
from kgan.export.convert import launcher
code = "import os, time; print(os.getpid(), flush=True); "
code += "from kgan.export.untrusted import lifeline; lifeline.end_with_parent(); time.sleep(600)"
launcher.COMMAND = (sys.executable, "-c", "import sys; sys.modules['keras'] = None; " + code)
launcher.run({}, Path(sys.argv[1]), 600)
"""
WITH_FILE = """
import export_test_runners
from kgan.export.untrusted import process
process.Runner(export_test_runners, "hang")
"""


@pytest.mark.parametrize("code", [WITH_CONVERTER, WITH_FILE], ids=["converter", "runtime"])
def test_no_process_outlives_the_one_that_started_it(code, tmp_path):
    parent = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.modules['keras'] = None{code}", tmp_path],
        env={**launcher.environment(), "KERAS_BACKEND": "torch"},
    )
    with parent:
        _wait_until(lambda: _children(parent.pid))
        (pid,) = _children(parent.pid)
        parent.kill()
    _wait_until(lambda: not _runs(pid))


def test_a_converter_whose_parent_is_dead_before_it_looks_ends(tmp_path):
    """Its request is a pipe that nobody writes to, so that nothing else can end it."""
    os.mkfifo(tmp_path / "request.json")
    with subprocess.Popen(
        [*launcher.COMMAND, tmp_path / "request.json"],
        env=launcher.environment(),
        stdin=subprocess.PIPE,
    ) as process:
        process.stdin.close()
        try:
            assert process.wait(60) == 1
        finally:
            process.kill()


def _wait_until(true):
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def _runs(pid):
    """Whether a process is there and no zombie, which nobody may collect in a container."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_a_killed_export_left_is_removed(tmp_path):
    (tmp_path / ".kgan-export-dead").mkdir()
    (tmp_path / ".kgan-export-dead" / "half.onnx").write_text("half")
    with transaction.staging(tmp_path / "a.onnx") as first:
        with transaction.staging(tmp_path / "b.onnx") as second:
            assert sorted(tmp_path.iterdir()) == sorted([first, second])
        assert list(tmp_path.iterdir()) == [first]
    assert list(tmp_path.iterdir()) == []


def test_the_child_sees_no_gpu_and_the_parents_path(monkeypatch):
    monkeypatch.setattr("sys.path", ["", "/some/where"])
    environment = launcher.environment()
    assert environment["KERAS_BACKEND"] == "tensorflow"
    assert environment["CUDA_VISIBLE_DEVICES"] == "-1"
    assert environment["PYTHONPATH"].split(":")[-1] == "/some/where"
    assert "" not in environment["PYTHONPATH"].split(":")


FULL_DISK = """
import resource, sys
sys.path.insert(0, sys.argv[2])
from export_test_models import NAMES, small_model
import kgan.export
model = small_model()
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))  # files cannot grow: as on a full disk
try:
    kgan.export.export(model, sys.argv[1], **NAMES)
except kgan.export.ExportError as error:
    sys.exit(str(error))
"""


def test_a_full_disk_leaves_parent_and_older_export_alive(bundle):
    """Within HDF5 it would be a segmentation fault."""
    pytest.importorskip("resource", reason="the system has no limit on file sizes")
    before = contents(bundle)
    result = subprocess.run(
        [sys.executable, "-c", FULL_DISK, bundle / "small.onnx", Path(__file__).parent],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "Cannot write there" in result.stderr
    assert contents(bundle) == before


def test_a_disk_that_is_full_in_the_child(bundle, monkeypatch):
    limited = ("sh", "-c", 'ulimit -f 8 && exec "$@"', "sh", *launcher.COMMAND)
    monkeypatch.setattr("kgan.export.convert.launcher.COMMAND", limited)
    before = contents(bundle)
    with pytest.raises(kgan.export.ExportError, match="while converting to onnx"):
        kgan.export.export(small_model(units=4000), bundle / "small.onnx", **NAMES)
    assert contents(bundle) == before


@pytest.mark.parametrize(
    "end", ["sys.exit(1)", "json.dump({'failed': {'small.onnx': 'no'}}, file)"]
)
def test_a_disk_that_the_converter_has_filled_is_told_as_such(
    end, bundle, fake_worker, monkeypatch
):
    """What it says of that itself may not have found room."""

    def fail(**_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    fake_worker(f"file = open(os.path.dirname(sys.argv[1]) + '/response.json', 'w'); {end}")
    monkeypatch.setattr("tempfile.TemporaryFile", fail)
    before = contents(bundle)
    with pytest.raises(kgan.export.ExportError, match=r"Cannot write there: .*No space left"):
        kgan.export.export(small_model(), bundle / "small.onnx", **NAMES)
    assert contents(bundle) == before


def test_two_exports_at_once_leave_one_whole_bundle(tmp_path):
    def export(seed):
        return kgan.export.export(small_model(seed), tmp_path / "same.onnx", **NAMES)

    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(export, (1, 2)))
    assert all(report.artefacts[0].passed for report in reports)
    kgan.export.verify(tmp_path)
    hashes = {report.artefacts[0].sha256 for report in reports}
    assert len(hashes) == 2
    kept = kgan.export.report.read(tmp_path / "export_report.json")
    assert {each.sha256 for each in kept.artefacts} < hashes
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".kgan")]
