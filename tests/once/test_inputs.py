"""What a generator is called with, by declaration: drawing, checks, and what a file knows of it."""

import json
import subprocess
import sys

import numpy as np
import pytest

import kgan
from kgan.generation import inputs
from kgan.generation.inputs import Given, Label, Latent

TAKES = (Latent((4,)), Label(3), Given("condition", (2,), (0, 1)), Latent((2, 2), "noise"))
CONDITION = np.array([[0.0, 1.0], [0.5, 0.25]])


def drawn(n=2, seed=0, takes=TAKES, **given):
    return inputs.draw(takes, n, seed, {"condition": CONDITION, **given})


def test_the_same_seed_draws_the_same():
    once, again, other = drawn(), drawn(), drawn(seed=1)
    for name, array in once.items():
        np.testing.assert_array_equal(array, again[name])
    assert not np.array_equal(once["latent"], other["latent"])
    assert list(once) == ["latent", "label", "condition", "noise"]
    assert {name: array.dtype.name for name, array in once.items()} == {
        "latent": "float32",
        "label": "int32",
        "condition": "float32",
        "noise": "float32",
    }


def test_what_is_given_changes_nothing_else_that_is_drawn():
    free, told = drawn(), drawn(label=2, latent=np.ones((2, 4)))
    np.testing.assert_array_equal(told["label"], [2, 2])
    np.testing.assert_array_equal(told["latent"], np.ones((2, 4), "float32"))
    np.testing.assert_array_equal(told["noise"], free["noise"])


def test_latents_and_labels_are_drawn_as_ever():
    """What `generate(n, seed=)` gave before there were declarations."""
    found = drawn(n=5, seed=7, takes=TAKES[:2], condition=None)
    normal = np.random.default_rng(7).standard_normal((5, 4), np.float32)
    np.testing.assert_array_equal(found["latent"], normal)
    labels = np.random.default_rng([1, 7]).integers(3, size=5, dtype="int32")
    np.testing.assert_array_equal(found["label"], labels)


def test_inputs_differ_from_each_other():
    found = inputs.draw((Latent((4,)), Latent((4,), "second")), 3, 0)
    assert not np.array_equal(found["latent"], found["second"])


def test_one_value_stands_for_all():
    found = drawn(n=3, label=1, condition=[0.5, 1])
    np.testing.assert_array_equal(found["condition"], [[0.5, 1]] * 3)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"condition": None}, TypeError, r"condition=an array \(n, 2\).*Received: no condition"),
        ({"conditon": CONDITION}, TypeError, r"Received: unknown conditon"),
        ({"condition": CONDITION[:1]}, ValueError, r"shape \(2, 2\).*shape \(1, 2\)"),
        ({"condition": [["a", "b"]] * 2}, ValueError, "array of numbers"),
        ({"condition": CONDITION * 2}, ValueError, r"must lie in \[0, 1\].*\[0.0, 2.0\]"),
        ({"condition": CONDITION * np.nan}, ValueError, "finite"),
        ({"label": 3}, ValueError, r"Labels must be in \[0, 3\)"),
        ({"label": 0.5}, ValueError, "label is an integer"),
        ({"label": [0, 1, 2]}, ValueError, "one label for each of the 2"),
        ({"latent": np.zeros((2, 5))}, ValueError, r"latent must be numbers of shape \(2, 4\)"),
    ],
)
def test_what_does_not_fit_is_told(given, error, message):
    with pytest.raises(error, match=message):
        drawn(**given)


@pytest.mark.parametrize(
    "declare",
    [
        lambda: Latent(4),
        lambda: Latent((0,)),
        lambda: Latent((None,)),
        lambda: Latent((4,), "two words"),
        lambda: Latent((4,), "seed"),
        lambda: Label(0),
        lambda: Label(2.5),
        lambda: Given("condition", "2"),
        lambda: Given("condition", (2,), (1, 0)),
        lambda: Given("n", (2,)),
    ],
)
def test_a_declaration_is_checked(declare):
    with pytest.raises(ValueError, match="Received: "):
        declare()


def test_declarations_survive_json():
    written = json.loads(json.dumps(inputs.to_json(TAKES)))
    assert inputs.from_json(written) == TAKES


class Own(Latent):
    pass


def test_what_no_file_can_know_is_not_written():
    assert inputs.to_json((Own((4,)),)) is None


@pytest.mark.parametrize(
    "written",
    [
        "latent",
        {},
        [{}],
        [{"kind": "latent"}],
        [{"kind": "other", "shape": [4]}],
        [{"kind": ["latent"], "shape": [4]}],
        [{"kind": "latent", "shape": [4], "draw": 1}],
        [{"kind": "latent", "shape": [-1]}],
        [{"kind": "latent", "shape": [True]}],
        [{"kind": "label", "num_classes": 10**30, "name": "n"}],
        [{"kind": "given", "name": "__class__", "shape": {}}],
        [{"kind": "latent", "shape": [4]}] * 2,
        [None],
    ],
)
def test_a_strangers_declarations_are_refused(written):
    with pytest.raises(ValueError, match=r"."):
        inputs.from_json(written)


def test_the_public_names():
    assert (kgan.Latent, kgan.Label, kgan.Given) == (Latent, Label, Given)


def test_numpy_is_all_that_is_needed():
    code = (
        "import sys\n"
        "for absent in ('keras', 'tensorflow', 'jax', 'torch'): sys.modules[absent] = None\n"
        "from kgan.generation.inputs import Latent, draw\n"
        "print(draw((Latent((2,)),), 3, 0)['latent'].shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "(3, 2)", done.stderr
