"""The comparison itself, on runners that are wrong in one way each."""

import numpy as np
import pytest

from kgan.export import ModelSpec, ParityError, TensorSpec, parity, samples

SPEC = ModelSpec((TensorSpec("latent", (3,)),), (TensorSpec("image", (3,)),))
STRICT = parity.Bound(1e-5, None, limits=True)
LOOSE = parity.Bound(None, 40, limits=False)
NAN = float("nan")


class Runner:
    """Doubles its input, unless told to do something else."""

    def __init__(self, wrong=lambda array: array, inputs=SPEC.inputs, outputs=SPEC.outputs):
        self.wrong, self.inputs, self.outputs = wrong, inputs, outputs

    def __call__(self, inputs):
        return {"image": self.wrong(2 * inputs["latent"])}


def keras_answers(values):
    return [2 * values[0]]


def answers():
    return parity.expected(keras_answers, SPEC, samples.draw(SPEC), ("normal",))


@pytest.fixture
def batches():
    return answers()[0]


@pytest.fixture
def spans():
    return answers()[1]


def test_a_right_artefact_passes(batches, spans):
    figures = parity.compare(Runner(), SPEC, batches, spans, STRICT, "a.onnx")
    assert figures.max_error == 0 and figures.batch_sizes == (1, 2, 7, 16)
    assert {batch.kind for batch in batches} >= {"normal", "zeros", "tens", "10 x normal"}


def test_error_is_relative_only_above_one(batches, spans):
    figures = parity.compare(
        Runner(lambda array: array * (1 + 5e-6)), SPEC, batches, spans, STRICT, "a"
    )
    assert figures.max_error <= 6e-6 < figures.max_abs_error
    with pytest.raises(ParityError, match="above the tolerance"):
        parity.compare(Runner(lambda array: array + 2e-5), SPEC, batches, spans, STRICT, "a")


def test_narrow_precisions_are_judged_by_psnr_on_typical_inputs(batches, spans):
    """Half a percent of noise: 46 dB of the span; the limits of the model are not judged."""
    random = np.random.default_rng(0)

    def noisy(array):
        return array + (0.005 * spans["image"] * random.standard_normal(array.shape)).astype("f")

    figures = parity.compare(Runner(noisy), SPEC, batches, spans, LOOSE, "a")
    assert 43 < figures.psnr < 48
    bound = parity.Bound(None, 50, limits=False)
    with pytest.raises(ParityError, match=r"'normal' inputs.*PSNR 4\d\.\d dB .* below 50 dB"):
        parity.compare(Runner(noisy), SPEC, batches, spans, bound, "a")

    def clipped(array):
        return np.clip(array, -10, 10)

    assert parity.compare(Runner(clipped), SPEC, batches, spans, LOOSE, "a").psnr is None
    with pytest.raises(ParityError, match=r"'tens' inputs.*above the tolerance"):
        parity.compare(Runner(clipped), SPEC, batches, spans, STRICT, "a")

    def broken_at_the_limits(array):
        return array * np.where(abs(array).max() > 15, np.float32("nan"), np.float32(1))

    with pytest.raises(ParityError, match=r"'tens' inputs.*has NaN"):
        parity.compare(Runner(broken_at_the_limits), SPEC, batches, spans, LOOSE, "a")


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
        (lambda array: 1 / 0, "batch of 1.*it fails"),
    ],
)
def test_a_wrong_answer_is_named(wrong, message, batches, spans):
    with pytest.raises(ParityError, match=message) as caught:
        parity.compare(Runner(wrong), SPEC, batches, spans, STRICT, "a.onnx")
    assert "a.onnx" in str(caught.value)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (TensorSpec("picture", (3,)), "output names"),
        (TensorSpec("image", (4,)), "output shapes"),
        (TensorSpec("image", (3,), "int32"), "output dtypes"),
    ],
)
def test_a_wrong_promise_is_named(declared, message, batches, spans):
    with pytest.raises(ParityError, match=message):
        parity.compare(Runner(outputs=(declared,)), SPEC, batches, spans, STRICT, "a.onnx")


def test_nan_in_the_stored_answers_fails_too(batches):
    batches[0].outputs["image"][0, 0] = NAN
    with pytest.raises(ParityError, match="expected output has NaN"):
        parity.compare(Runner(), SPEC, batches, spans, STRICT, "a.onnx")


def test_images_are_never_constant():
    """Instance normalisation would make noise of them; see `samples.draw`."""
    spec = ModelSpec((TensorSpec("image", (4, 4, 3)),), (TensorSpec("out", (4, 4, 3)),))
    for kind, inputs in samples.draw(spec):
        assert inputs["image"].std(axis=(1, 2)).min() > 0
        assert (inputs["image"] == 0).mean() == (0.5 if kind == "zeros" else 0)


def test_stored_samples_stay_small_and_come_back(batches, spans, tmp_path, monkeypatch):
    samples.save(tmp_path / "all.npz", batches, spans)
    loaded, peaks = samples.load(tmp_path / "all.npz", SPEC)
    assert peaks == spans
    assert len(loaded) == len(batches)
    order = sorted(batches, key=lambda each: (each.size, not each.typical))
    for mine, want in zip(loaded, order, strict=True):
        assert (mine.kind, mine.typical) == (want.kind, want.typical)
        np.testing.assert_array_equal(mine.outputs["image"], want.outputs["image"])
    monkeypatch.setattr(samples, "STORED_BYTES", 100)
    samples.save(tmp_path / "few.npz", batches, spans)
    assert [batch.size for batch in samples.load(tmp_path / "few.npz", SPEC)[0]] == [1, 2]
    monkeypatch.setattr(samples, "STORED_BYTES", 1)
    samples.save(tmp_path / "one.npz", batches, spans)
    assert len(samples.load(tmp_path / "one.npz", SPEC)[0]) == 1


def test_integer_inputs_take_only_values_the_user_gave():
    spec = ModelSpec((TensorSpec("label", (), "int32"), *SPEC.inputs), SPEC.outputs)
    own = {"label": np.array([3, 8]), "latent": np.zeros((2, 3))}
    drawn = samples.draw(spec, [own])
    values = np.concatenate([inputs["label"] for _, inputs in drawn])
    assert set(values) == {3, 8} and values.dtype == "int32"
