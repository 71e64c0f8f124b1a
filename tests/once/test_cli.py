"""The command line from end to end, on the backends' own processes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import run
from PIL import Image
from typer.testing import CliRunner

import kgan
from kgan.cli import app

KGAN = ["-c", "from kgan.cli import main; main()"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    arguments = ["train", "digits", "--out", folder, "--epochs", 2, "--network", "mlp"]
    printed = run([*KGAN, *arguments, "--width", 32], "torch")
    assert f"Saved {folder}/gan.keras" in printed
    return folder


def test_train_leaves_a_gan_pictures_and_a_log(trained):
    assert (trained / "gan.keras").is_file()
    names = sorted(file.name for file in (trained / "samples").iterdir())
    assert names == ["epoch_0001.png", "epoch_0002.png", "film.gif"]
    header, *rows = (trained / "log.csv").read_text().splitlines()
    assert "generator_loss" in header
    assert len(rows) == 2


def test_train_goes_on_from_its_checkpoint(trained, tmp_path):
    folder = shutil.copytree(trained, tmp_path / "run")
    arguments = ["train", "digits", "--out", folder, "--epochs", 3, "--network", "mlp"]
    run([*KGAN, *arguments, "--width", 32, "--resume"], "torch")
    assert len((folder / "log.csv").read_text().splitlines()) == 1 + 3
    assert (folder / "samples" / "epoch_0003.png").is_file()
    assert "--overwrite" in fails([*arguments, "--width", 32], code=2)
    message = fails([*arguments, "--width", 16, "--resume"], code=2)
    assert "other settings" in message and "--width 16 (32)" in message
    assert "no checkpoint to go on from" in fails(
        ["train", "digits", "--out", tmp_path / "new", "--resume"], code=2
    )


def test_sample_repeats_with_a_seed(trained, tmp_path):
    for name, seed in [("a", 1), ("b", 1), ("c", 2)]:
        out = tmp_path / f"{name}.png"
        options = ["--out", out, "--count", 6, "--columns", 3, "--seed", seed]
        run([*KGAN, "sample", trained / "gan.keras", *options], "torch")
    a, b, c = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert a == b != c
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (6 * (3 * 9 - 1), 6 * (2 * 9 - 1))


def test_a_conditional_gan_draws_the_class_it_is_asked_for(tmp_path):
    arguments = ["train", "digits", "--out", tmp_path, "--epochs", 1, "--network", "mlp"]
    run([*KGAN, *arguments, "--width", 16, "--model", "acgan"], "torch")
    gan = tmp_path / "gan.keras"
    for label in (3, 4):
        options = ["--label", label, "--count", 4, "--out", tmp_path / f"{label}.png"]
        run([*KGAN, "sample", gan, *options], "torch")
    assert (tmp_path / "3.png").read_bytes() != (tmp_path / "4.png").read_bytes()
    assert "[0, 10)" in fails(["sample", gan, "--label", 10], code=2)
    run([*KGAN, "interpolate", gan, "--out", tmp_path / "walk.gif", "--label", 3], "torch")
    with Image.open(tmp_path / "walk.gif") as walk:
        assert walk.n_frames == 4 * 12


def test_interpolate_draws_a_strip(trained, tmp_path):
    options = ["--out", tmp_path / "walk.png", "--points", 3, "--steps", 5]
    run([*KGAN, "interpolate", trained / "gan.keras", *options], "torch")
    assert "Received: --out walk.mp4" in fails(
        ["interpolate", trained / "gan.keras", "--out", "walk.mp4"], code=2
    )
    with Image.open(tmp_path / "walk.png") as strip:
        assert strip.size == (6 * (5 * 9 - 1), 6 * (3 * 9 - 1))
    assert "knows no classes" in fails(["sample", trained / "gan.keras", "--label", 1], code=2)


def test_a_gan_of_torch_exports_and_verifies(trained, tmp_path):
    gan, bundle = trained / "gan.keras", tmp_path / "bundle"
    checked = run([*KGAN, "export", gan, "--out", bundle, "--check"], "torch")
    assert "latent (batch, 64) float32 -> image (batch, 8, 8, 1) float32" in checked
    assert not bundle.exists()
    options = ["--to", "onnx,tflite", "--precision", "float32,int8"]
    printed = run([*KGAN, "export", gan, "--out", bundle, *options], "torch")
    assert "passed" in printed
    report = json.loads((bundle / "export_report.json").read_text())
    files = [artefact["file"] for artefact in report["artefacts"]]
    assert files == ["generator.onnx", "generator.tflite", "generator_int8.tflite"]
    assert max(artefact["max_abs_error"] for artefact in report["artefacts"][:2]) <= 1e-5
    verified = run([*KGAN, "verify", bundle], "jax")
    assert verified.count("passed") == 3 and "bound 30 dB" in verified

    file = bundle / "generator_int8.tflite"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert "content changed" in fails(["verify", bundle], code=1)
    assert "No file would be int8" in fails(
        ["export", gan, "--out", tmp_path / "b", "--precision", "int8"], code=2
    )


def fails(arguments, code):
    """The message of a command that ends with an exit code."""
    with pytest.raises(AssertionError) as caught:
        run([*KGAN, *arguments], "torch")
    assert f"exit code {code}\n" in str(caught.value), str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sample", "none.keras"], "no saved GAN here. Received: none.keras"),
        (["train", "digits", "--loss", "mse"], "Received: --loss mse"),
        (["train", "."], "needs --image-size"),
        (["train", "digits", "--learning-rate", "-1"], "Received: --learning-rate -1"),
        (["train", "digits", "--features", "classifier"], "without --metrics"),
        (["verify", "."], "nothing to verify: name an exported file"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_bad_input_is_a_message_and_not_a_traceback(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = fails(arguments, code=2)
    assert message in printed
    assert "Traceback" not in printed


def test_a_run_that_breaks_down_is_no_success(tmp_path):
    out = tmp_path / "run"
    rate = ["--learning-rate", "1e30", "--network", "mlp", "--width", "8", "--epochs", "9"]
    measure = ["--metrics", "sliced_wasserstein", "--out", str(out)]
    message = fails(["train", "digits", *rate, *measure], code=2)
    assert "broke down in epoch 1" in message and "Received: --learning-rate 1e+30" in message
    assert not [*out.glob("gan.keras"), *out.glob("best.keras")]
    assert len((out / "log.csv").read_text().splitlines()) == 2
    (out / "gan.keras").write_bytes(b"of an earlier run")
    fails(["train", "digits", *rate, *measure, "--overwrite"], code=2)
    assert not (out / "gan.keras").exists()


def test_help_teaches():
    assert CliRunner().invoke(app, ["--version"]).output == f"{kgan.__version__}\n"
    assert "KERAS_BACKEND" in run(["-m", "kgan", "--help"], "torch")
    for command in app.registered_commands:
        name = command.callback.__name__
        shown = CliRunner().invoke(app, [name, "--help"], prog_name="kgan")
        assert shown.exit_code == 0 and f"Usage: kgan {name}" in shown.output, shown.output


@pytest.mark.timeout(580)
def test_demo_goes_the_whole_road(tmp_path):
    printed = run([*KGAN, "demo", "--out", tmp_path, "--epochs", 2], "tensorflow")
    for name in ("gan.keras", "samples.png", "generator.onnx", "export_report.json"):
        assert (tmp_path / name).is_file(), name
    assert "A classifier recognises" in printed
    assert "passed" in printed


def test_the_command_is_installed():
    command = Path(sys.executable).parent / "kgan"
    result = subprocess.run([command, "--help"], capture_output=True, text=True, check=False)
    assert result.returncode == 0
