"""An exported generator runs where nothing is installed but NumPy and the runtime of its format."""

import importlib.metadata
import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from packaging.requirements import Requirement
from PIL import Image

import kgan
from kgan.images import to_pixels

SCRIPT = """
import importlib.util, sys
for absent in ("keras", "tensorflow", "jax", "torch", sys.argv[2]):
    assert importlib.util.find_spec(absent) is None, absent
import numpy as np
import kgan
generator = kgan.export.load(sys.argv[1])
np.savez("images.npz", any=generator.sample(6, seed=3), ones=generator.sample(6, seed=3, label=1))
assert kgan.export.verify(sys.argv[1]).passed
print(generator, generator.metadata["class_names"])
try:
    kgan.GAN
except AttributeError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    """A conditional GAN and the folder with its two files."""
    gan = kgan.ConditionalGAN(
        kgan.networks.mlp_generator((4, 4, 1), latent_dim=4, width=8, num_classes=2),
        kgan.networks.mlp_discriminator((4, 4, 1), width=8, num_classes=2),
        num_classes=2,
        class_names=["cat", "dog"],
    )
    gan.compile()
    folder = tmp_path_factory.mktemp("exported") / "bundle"
    gan.export(folder, ("tflite", "onnx"))
    return gan, folder


def needs(package):
    """A package and all that pip would install with it."""
    found, waiting = set(), [package]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            wanted = map(Requirement, importlib.metadata.requires(name) or [])
            here = [each for each in wanted if not each.marker or each.marker.evaluate()]
            waiting += [each.name for each in here]
    return found


def environment(folder, packages):
    """A new environment with kgan and the installed `packages` alone; its Python."""
    venv.create(folder, symlinks=True)
    paths = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", "venv", vars=paths))
    for package in packages:
        distribution = importlib.metadata.distribution(package)
        tops = {file.parts[0] for file in distribution.files if file.parts[0] != ".."}
        for top in tops - {"__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(distribution.locate_file(top))
    shutil.copytree(ROOT / "kgan", site / "kgan", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "export", site / "kgan" / "export")
    return folder / "bin" / "python"


@pytest.mark.parametrize(
    ("file", "package", "other", "example", "labels"),
    [
        ("generator.onnx", "onnxruntime", "ai_edge_litert", "run_onnx", np.repeat(np.arange(8), 8)),
        ("generator.tflite", "ai-edge-litert", "onnxruntime", "run_litert", np.zeros(64, int)),
    ],
    ids=["onnx", "tflite"],
)
def test_runs_alone(file, package, other, example, labels, generator, tmp_path):
    gan, folder = generator
    python = environment(tmp_path / "env", needs(package))
    result = subprocess.run(
        [python, "-I", "-W", "error", "-c", SCRIPT, folder / file, other],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "latent (batch, 4) float32, label (batch) int32 -> image" in result.stdout
    assert "['cat', 'dog']" in result.stdout
    assert "kgan.GAN needs Keras" in result.stdout
    with np.load(tmp_path / "images.npz") as images:
        np.testing.assert_allclose(images["any"], gan.generate(6, seed=3), atol=1e-5)
        np.testing.assert_allclose(images["ones"], gan.generate(6, labels=1, seed=3), atol=1e-5)

    command = [python, "-I", ROOT / "examples" / f"{example}.py", folder / file]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    drawn = np.asarray(Image.open(tmp_path / "samples.pgm")).reshape(8, 4, 8, 4).swapaxes(1, 2)
    expected = to_pixels(gan.generate(64, labels=labels % 2, seed=0))[..., 0]
    assert abs(drawn.reshape(64, 4, 4) - expected.astype(int)).max() <= 1


def test_without_the_runtime_the_message_names_it(generator, tmp_path):
    """And neither it nor anything else is imported by `kgan.export`."""
    python = environment(tmp_path / "env", needs("numpy"))
    for file, package in (
        ("generator.onnx", "onnxruntime"),
        ("generator.tflite", "ai-edge-litert"),
    ):
        script = f"import kgan.export; kgan.export.load({str(generator[1] / file)!r})"
        result = subprocess.run(
            [python, "-I", "-c", script], capture_output=True, text=True, check=False
        )
        assert f"Run: pip install {package}" in result.stderr.splitlines()[-1]


def test_files_run_beside_a_keras_without_its_backend(python):
    script = """
import sys
sys.modules["jax"] = None
import kgan
from kgan.export import load
try:
    kgan.GAN
except AttributeError as error:
    print(error)
"""
    assert "kgan.GAN needs Keras and the backend" in python(["-c", script], "jax")
