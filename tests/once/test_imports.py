"""What `import kgan` brings along, and what is missing says how to get it."""

import re

import pytest
from conftest import ROOT

LOADED = """
import sys, kgan
assert callable(kgan.export.load)
print([m for m in ("tensorflow", "jax", "torch") if m in sys.modules])
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_tensorflow_is_not_imported_on_other_backends(python, backend):
    loaded = python(["-c", LOADED], backend)
    assert backend in loaded
    assert "tensorflow" not in loaded


def test_training_and_loading_need_no_tensorflow_on_torch(python, tmp_path):
    """With TensorFlow and JAX made impossible to import."""
    script = f"""
import sys
sys.modules["tensorflow"] = sys.modules["jax"] = None
import keras, numpy, kgan
gan = kgan.GAN(kgan.networks.mlp_generator((8, 8, 1)), kgan.networks.mlp_discriminator((8, 8, 1)))
gan.compile()
gan.fit(numpy.zeros((64, 8, 8, 1), "float32"), verbose=0)
gan.save("{tmp_path}/gan.keras")
print(keras.saving.load_model("{tmp_path}/gan.keras").generate(2).shape)
"""
    assert "(2, 8, 8, 1)" in python(["-c", script], "torch")


def test_frameworks_are_imported_in_the_backend_folder_alone():
    pattern = re.compile(r"^\s*(import|from) (tensorflow|jax|torch)\b", re.MULTILINE)
    importing = {
        str(file.relative_to(ROOT))
        for folder in ("kgan", "export")
        for file in (ROOT / folder).rglob("*.py")
        if pattern.search(file.read_text())
    }
    formats = {f"export/formats/{name}.py" for name in ("onnx", "saved_model", "tflite")}
    converting = {"export/convert/serving.py", *formats}
    outside = {file for file in importing if not file.startswith("kgan/backend/")}
    assert outside == converting


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_importing_kgan_imports_keras_and_nothing_else(python, backend):
    script = """
import sys, keras
before = set(sys.modules)
import kgan
print(sorted({name.partition(".")[0] for name in set(sys.modules) - before} - {"keras"}))
"""
    assert python(["-c", script], backend).splitlines()[-1] == "['kgan']"


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["train", "--help"]])
def test_the_command_answers_before_keras_is_loaded(python, arguments):
    script = f"""
import sys
sys.argv = ["/usr/bin/kgan", *{arguments!r}]
from kgan.cli import main
try:
    main()
finally:
    print("loaded:", [name for name in ("keras", "torch", "PIL") if name in sys.modules])
"""
    assert "loaded: []" in python(["-c", script], "torch")


def test_what_is_asked_of_kgan_is_loaded_then(python):
    script = """
import sys
sys.argv = ["/usr/bin/kgan"]
import kgan
assert "keras" not in sys.modules
print(kgan.GAN.__name__, kgan.losses.get("hinge"))
"""
    assert python(["-c", script], "torch").startswith("GAN")


@pytest.mark.parametrize("first", ["models.adversarial", "metrics.protocol", "metrics.evaluation"])
def test_the_command_may_begin_anywhere(python, first):
    script = f"""
import sys
sys.argv = ["/usr/bin/kgan"]
import kgan.{first}
print(kgan.GAN.__name__)
"""
    assert python(["-c", script], "torch").startswith("GAN")


def test_an_unknown_backend_is_refused(python):
    script = """
import keras
keras.backend.backend = lambda: "numpy"
try:
    import kgan
except ImportError as error:
    print(error)
"""
    assert "tensorflow, jax and torch" in python(["-c", script], "torch")
