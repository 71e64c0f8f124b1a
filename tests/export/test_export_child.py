"""A converter that crashes, hangs or lies is an error with its cause; older files survive."""

import time

import keras
import pytest
from export_test_models import NAMES, small_model

import kgan.export
from kgan.export import child


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


def test_the_child_sees_no_gpu_and_the_parents_path(monkeypatch):
    monkeypatch.setattr("sys.path", ["", "/some/where"])
    environment = child.environment()
    assert environment["KERAS_BACKEND"] == "tensorflow"
    assert environment["CUDA_VISIBLE_DEVICES"] == "-1"
    assert environment["PYTHONPATH"].split(":")[-1] == "/some/where"
    assert "" not in environment["PYTHONPATH"].split(":")
