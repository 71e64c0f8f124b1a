"""The wheel holds all of kgan: it is built, installed elsewhere and imported from there."""

import os
import subprocess
import sys
import venv
import zipfile

import pytest
from conftest import ROOT

SCRIPT = """
import sys
import kgan, kgan.export, kgan.backend, kgan.cli
assert "site-packages" in kgan.__file__, kgan.__file__
assert "site-packages" in kgan.export.__file__, kgan.export.__file__
from importlib import metadata, resources
assert metadata.version("kgan") == kgan.__version__
assert resources.files("kgan").joinpath("py.typed").is_file()
gan = kgan.GAN(kgan.networks.mlp_generator((8, 8, 1)), kgan.networks.mlp_discriminator((8, 8, 1)))
print(gan.generate(2).shape, callable(kgan.export.export))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT],
        check=True,
    )
    (file,) = folder.glob("kgan-*.whl")
    return file


def test_the_wheel_has_every_module(wheel):
    expected = {str(f.relative_to(ROOT)) for f in (ROOT / "kgan").rglob("*.py")}
    expected |= {f"kgan/{f.relative_to(ROOT)}" for f in (ROOT / "export").rglob("*.py")}
    expected |= {"kgan/py.typed", "kgan/backend/README.md", "kgan/report/style.css"}
    names = set(zipfile.ZipFile(wheel).namelist())
    assert expected <= names
    assert not {name for name in names if name.startswith(("tests", "export/", "benchmarks"))}


def test_the_wheel_imports_outside_the_checkout(wheel, tmp_path):
    """In an environment of its own, where the packages it needs come from this one."""
    environment = tmp_path / "env"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", wheel], check=True)
    # The needs of kgan are already installed here; kgan itself must come from the wheel.
    needs = next(p for p in map(os.path.abspath, sys.path) if p.endswith("site-packages"))
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    result = subprocess.run(
        [python, "-c", f"import sys; sys.path.append({needs!r})\n{SCRIPT}"],
        cwd=tmp_path,
        env={**clean, "KERAS_BACKEND": "torch"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "(2, 8, 8, 1) True" in result.stdout
