"""The comparison itself, on runners that are wrong in one way each."""

import numpy as np
import pytest

from kgan.export import ModelSpec, ParityError, TensorSpec, parity, samples

SPEC = ModelSpec((TensorSpec("latent", (3,)),), (TensorSpec("image", (3,)),))
NAN = float("nan")


class Runner:
    """Doubles its input, unless told to do something else."""

    def __init__(self, wrong=lambda array: array, inputs=SPEC.inputs, outputs=SPEC.outputs):
        self.wrong, self.inputs, self.outputs = wrong, inputs, outputs

    def __call__(self, inputs):
        return {"image": self.wrong(2 * inputs["latent"])}


def keras_answers(values):
    return [2 * values[0]]


@pytest.fixture
def batches():
    return parity.expected(keras_answers, SPEC, samples.draw(SPEC), 1e-5)


def test_a_right_artefact_passes(batches):
    figures = parity.compare(Runner(), SPEC, batches, 1e-5, "a.onnx")
    assert figures.max_error == 0 and figures.batch_sizes == (1, 2, 7, 16)
    assert {batch.kind for batch in batches} >= {"normal", "zeros", "tens", "10 x normal"}


def test_error_is_relative_only_above_one(batches):
    figures = parity.compare(Runner(lambda array: array * (1 + 5e-6)), SPEC, batches, 1e-5, "a")
    assert figures.max_error <= 6e-6 < figures.max_abs_error
    with pytest.raises(ParityError, match="above the tolerance"):
        parity.compare(Runner(lambda array: array + 2e-5), SPEC, batches, 1e-5, "a")


def first_to(value):
    def change(array):
        array = array.copy()
        array[0, 0] = value
        return array

    return change


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (first_to(NAN), "artefact output has NaN"),
        (first_to(float("inf")), "artefact output has NaN or infinity"),
        (lambda array: array.astype("float16"), "dtype float16, expected float32"),
        (lambda array: array[:1], "shape .1, 3., expected .2, 3."),
        (lambda array: 1 / 0, "fails on a batch"),
    ],
)
def test_a_wrong_answer_is_named(wrong, message, batches):
    with pytest.raises(ParityError, match=message) as caught:
        parity.compare(Runner(wrong), SPEC, batches, 1e-5, "a.onnx")
    assert "a.onnx" in str(caught.value)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (TensorSpec("picture", (3,)), "output names"),
        (TensorSpec("image", (4,)), "output shapes"),
        (TensorSpec("image", (3,), "int32"), "output dtypes"),
    ],
)
def test_a_wrong_promise_is_named(declared, message, batches):
    with pytest.raises(ParityError, match=message):
        parity.compare(Runner(outputs=(declared,)), SPEC, batches, 1e-5, "a.onnx")


def test_nan_in_the_stored_answers_fails_too(batches):
    batches[0].outputs["image"][0, 0] = NAN
    with pytest.raises(ParityError, match="expected output has NaN"):
        parity.compare(Runner(), SPEC, batches, 1e-5, "a.onnx")


def test_images_are_never_constant():
    """Instance normalisation would make noise of them; see `samples.draw`."""
    spec = ModelSpec((TensorSpec("image", (4, 4, 3)),), (TensorSpec("out", (4, 4, 3)),))
    for kind, inputs in samples.draw(spec):
        assert inputs["image"].std(axis=(1, 2)).min() > 0
        assert (np.median(abs(inputs["image"])) == 0) == (kind == "zeros")


def test_stored_samples_stay_small_and_come_back(batches, tmp_path, monkeypatch):
    samples.save(tmp_path / "all.npz", batches)
    loaded = samples.load(tmp_path / "all.npz", SPEC)
    assert len(loaded) == len(batches)
    for mine, want in zip(loaded, sorted(batches, key=lambda each: each.size), strict=True):
        assert mine.kind == want.kind
        np.testing.assert_array_equal(mine.outputs["image"], want.outputs["image"])
    monkeypatch.setattr(samples, "STORED_BYTES", 100)
    samples.save(tmp_path / "few.npz", batches)
    assert [batch.size for batch in samples.load(tmp_path / "few.npz", SPEC)] == [1, 2]
    monkeypatch.setattr(samples, "STORED_BYTES", 1)
    samples.save(tmp_path / "one.npz", batches)
    assert len(samples.load(tmp_path / "one.npz", SPEC)) == 1


def test_integer_inputs_take_only_values_the_user_gave():
    spec = ModelSpec((TensorSpec("label", (), "int32"), *SPEC.inputs), SPEC.outputs)
    own = {"label": np.array([3, 8]), "latent": np.zeros((2, 3))}
    drawn = samples.draw(spec, [own])
    values = np.concatenate([inputs["label"] for _, inputs in drawn])
    assert set(values) == {3, 8} and values.dtype == "int32"
