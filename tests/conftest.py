"""What all tests share; README.md says which run when."""

import os
import sys
from pathlib import Path

if os.environ.get("KERAS_BACKEND") != "torch":
    # XLA takes longer to make these many small programs fast than they then take to run. The tests
    # in tests/once run TensorFlow and JAX as users do.
    os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
    # Many tests train the same small GANs, so JAX keeps what it has compiled, by the program's own
    # text, in the virtual environment.
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(sys.prefix) / "jax_programs"))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")

import keras
import numpy as np
import pytest

if keras.backend.backend() == "torch":
    import torch

    # On a small machine the threads of tiny operations cost more than they give.
    torch.set_num_threads(1)

if keras.backend.backend() != "torch":
    collect_ignore = ["quick", "once", "export"]  # they run once, on PyTorch

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def _fixed_seed_and_types():
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def images():
    """A few smooth random images: float32 (96, 8, 8, 1) in [-1, 1]."""
    rng = np.random.default_rng(0)
    rows = np.linspace(0, 2, 8)[:, None] + np.linspace(0, 2, 8)
    phases = rng.uniform(0, 2 * np.pi, (96, 1, 1))
    return np.sin(rows + phases).astype("float32")[..., None]


@pytest.fixture
def tfds_folder():
    """The folder of prepared TensorFlow Datasets sets, where there is one."""
    folder = Path(os.environ.get("KGAN_TFDS_DIR", SHARED_DATA / "tfds"))
    if not folder.is_dir():
        pytest.skip(f"no prepared data sets at {folder} (set KGAN_TFDS_DIR)")
    return folder


def pytest_collection_modifyitems(items):
    """Two processes run the tests between them: they must find the same names."""
    for item in items:
        if " at 0x" in item.nodeid:
            raise pytest.UsageError(f"a parameter needs an id. Received: {item.nodeid}")
