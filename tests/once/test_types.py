"""The public names are annotated, and a type checker sees a user's mistakes in them."""

import inspect
import subprocess
import sys

import pytest
from conftest import ROOT

import kgan
import kgan.export

RIGHT = """
import kgan

images, labels = kgan.data.digits()
gan = kgan.ConditionalGAN(
    kgan.networks.dcgan_generator((8, 8, 1), latent_dim=64, num_classes=10),
    kgan.networks.dcgan_discriminator((8, 8, 1), num_classes=10),
    num_classes=10,
)
gan.compile(loss="hinge", penalties=[kgan.penalties.R1(1.0)], ema=0.999)
gan.fit(images, labels, batch_size=64, callbacks=[kgan.callbacks.SampleGrid("samples", every=10)])
largest: float = gan.generate(16, labels=3, seed=0).max()
print(gan.export("generator.onnx"), kgan.export.load("generator.onnx").sample(16, seed=0))
"""
WRONG = {
    "an argument that does not exist": ("latent_dim=64", "latents=64"),
    "a setting of another type": ('"samples", every=10', '"samples", every="10"'),
    "an argument that is missing": ("gan.generate(16, ", "gan.generate("),
    "a name that does not exist": ("kgan.data.digits", "kgan.datasets.digits"),
    "a result taken for another": ("seed=0).max()", "seed=0)"),
}


@pytest.fixture(scope="module")
def errors(tmp_path_factory):
    """A function from a user's program to what mypy says of it, beside kgan as it is installed."""
    folder = tmp_path_factory.mktemp("types")
    (folder / "kgan").mkdir()
    for part in [*(ROOT / "kgan").iterdir(), ROOT / "export"]:
        (folder / "kgan" / part.name).symlink_to(part)
    settings = (ROOT / "pyproject.toml").read_text().replace('"build/types"', f'"{folder}"')
    (folder / "pyproject.toml").write_text(settings)

    def check(program):
        (folder / "program.py").write_text(program)
        result = subprocess.run(
            [sys.executable, "-m", "mypy", "program.py"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode in (0, 1), result.stderr + result.stdout
        return [line for line in result.stdout.splitlines() if "error:" in line]

    return check


def test_a_right_program_has_no_errors(errors):
    assert errors(RIGHT) == []


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_is_the_only_error(errors, mistake):
    right, wrong = WRONG[mistake]
    assert right in RIGHT
    found = errors(RIGHT.replace(right, wrong))
    assert len(found) == 1
    place = RIGHT[: RIGHT.index(right)].count("\n") + 1
    assert found[0].startswith(f"program.py:{place}:")


def public():
    """Yields every public function and method of kgan, with a name, once."""
    seen = set()
    waiting = [(name, getattr(kgan, name)) for name in kgan.__all__]
    while waiting:
        name, thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if inspect.ismodule(thing):
            own = [
                key
                for key, value in vars(thing).items()
                if not key.startswith("_") and getattr(value, "__module__", "") == thing.__name__
            ]
            names = getattr(thing, "__all__", own)
            waiting += [(f"{name}.{each}", getattr(thing, each)) for each in names]
        elif inspect.isclass(thing):
            for kind in thing.__mro__:
                if kind.__module__.startswith("kgan."):
                    waiting += methods(kind)
        elif inspect.isfunction(thing):
            yield name, thing


def methods(kind):
    for name, value in vars(kind).items():
        function = getattr(value, "fget", None) or getattr(value, "__func__", value)
        if inspect.isfunction(function) and (name[0] != "_" or name in ("__init__", "__call__")):
            yield f"{kind.__module__}.{kind.__name__}.{name}", function


def test_every_public_function_is_annotated():
    bare = {}
    for name, function in public():
        signature = inspect.signature(function)
        lacks = [p.name for p in signature.parameters.values() if p.annotation is p.empty]
        lacks = lacks[1:] if lacks[:1] in (["self"], ["cls"]) else lacks
        if signature.return_annotation is signature.empty:
            lacks.append("return")
        if lacks:
            bare[name] = lacks
    assert bare == {}
    assert len(list(public())) > 300  # it finds them at all
