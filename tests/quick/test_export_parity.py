"""The comparison itself, on runners that are wrong in one way each."""

import numpy as np
import pytest

from kgan.export import ModelSpec, ParityError, TensorSpec
from kgan.export.compare import drawing, parity, samples

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
    return parity.expected(keras_answers, SPEC, drawing.draw(SPEC), ("normal",))


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


def test_rounding_may_grow_with_the_inputs(batches, spans):
    """Outputs of 20 at tens may be off by 20 x 10 x the tolerance; those of normals by theirs."""

    def off(at_tens, else_):
        def add(array):
            return array + np.float32(at_tens if abs(array).min() == 20 else else_)

        return Runner(add), SPEC, batches, spans, STRICT, "a"

    figures = parity.compare(*off(at_tens=1.9e-3, else_=0))
    assert figures.max_error == pytest.approx(1.9e-3 / 200, rel=1e-2)
    with pytest.raises(ParityError, match=r"'tens' inputs.*above the tolerance"):
        parity.compare(*off(at_tens=2.1e-3, else_=0))
    with pytest.raises(ParityError, match=r"'normal' inputs.*above the tolerance"):
        parity.compare(*off(at_tens=0, else_=1e-4))


def test_narrow_precisions_are_judged_by_psnr_on_typical_inputs(batches, spans):
    """Half a percent off is 46 dB of the span; the limits of the model are not judged."""

    def off(array):
        return array + np.float32(0.005 * spans["image"])

    figures = parity.compare(Runner(off), SPEC, batches, spans, LOOSE, "a")
    assert figures.psnr == pytest.approx(-20 * np.log10(0.005), abs=1e-3)
    assert figures.compared_on == ("normal",)
    bound = parity.Bound(None, 50, limits=False)
    with pytest.raises(ParityError, match=r"'normal' inputs.*PSNR 46\.0 dB .* below 50 dB"):
        parity.compare(Runner(off), SPEC, batches, spans, bound, "a")

    def clipped(array):
        return np.clip(array, -10, 10)

    assert parity.compare(Runner(clipped), SPEC, batches, spans, LOOSE, "a").psnr is None
    with pytest.raises(ParityError, match=r"'tens' inputs.*above the tolerance"):
        parity.compare(Runner(clipped), SPEC, batches, spans, STRICT, "a")

    def broken_at_the_limits(array):
        return array * np.where(abs(array).max() > 15, np.float32("nan"), np.float32(1))

    with pytest.raises(ParityError, match=r"'tens' inputs.*has NaN"):
        parity.compare(Runner(broken_at_the_limits), SPEC, batches, spans, LOOSE, "a")


def test_one_bad_row_does_not_hide_among_good_ones(batches, spans):
    """A mean over 16 rows, of which one is 5 percent off, would be 38 dB."""

    def last_off(array):
        array = array.copy()
        if len(array) == 16:
            array[-1] += np.float32(0.05 * spans["image"])
        return array

    with pytest.raises(ParityError, match=r"batch of 16.*PSNR 26\.0 dB"):
        parity.compare(Runner(last_off), SPEC, batches, spans, LOOSE, "a")


def test_outputs_below_the_tolerance_are_judged_by_their_span():
    answers = parity.expected(
        lambda values: [1e-7 * values[0]], SPEC, drawing.draw(SPEC), ("normal",)
    )
    double = Runner(lambda array: 1e-7 * array)
    wide = parity.Bound(1e-5, None, limits=True)
    assert parity.compare(double, SPEC, *answers, wide, "a").max_error < 1e-5
    with pytest.raises(ParityError, match="PSNR"):
        parity.compare(double, SPEC, *answers, parity.Bound(1e-5, 60, limits=True), "a")


def test_outputs_that_never_change_say_nothing_of_narrow_precisions():
    answers = parity.expected(
        lambda values: [0 * values[0] + 3], SPEC, drawing.draw(SPEC), ("normal",)
    )
    three = Runner(lambda array: 0 * array + 3)
    assert parity.compare(three, SPEC, *answers, STRICT, "a").max_error == 0
    with pytest.raises(ParityError, match="the same for every typical input"):
        parity.compare(three, SPEC, *answers, LOOSE, "a")


@pytest.mark.parametrize("value", [NAN, -1.0, float("inf"), "30", None, True])
def test_bounds_are_numbers(value):
    with pytest.raises(ValueError, match=r"at least 0\. Received: int8_psnr"):
        parity.bounds(1e-5, 60, 1e-2, 50, value)


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


def test_images_are_constant_only_where_rounding_decides_nothing():
    spec = ModelSpec((TensorSpec("image", (4, 4, 3)),), (TensorSpec("out", (4, 4, 3)),))
    drawn = drawing.draw(spec)
    for kind, inputs in drawn:
        constant = kind == samples.CONSTANT
        assert (inputs["image"].std(axis=(1, 2)).min() == 0) == constant
        assert (inputs["image"] == 0).mean() == (constant or (0.5 if kind == "zeros" else 0))

    def normalised(values):
        (x,) = values
        return [(x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-7)]

    def kinds(call):
        return {batch.kind for batch in parity.expected(call, spec, drawn, ("normal",))[0]}

    assert kinds(keras_answers) - kinds(normalised) == {samples.CONSTANT}


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
    drawn = drawing.draw(spec, [own])
    values = np.concatenate([inputs["label"] for _, inputs in drawn])
    assert set(values) == {3, 8} and values.dtype == "int32"


def test_int8_is_not_judged_by_what_it_was_calibrated_on():
    given = [np.arange(300, dtype="float32").reshape(100, 3)]
    judged = {
        tuple(row)
        for kind, inputs in drawing.draw(SPEC, None, given)
        if kind == "calibration"
        for row in inputs["latent"]
    }
    fitted = {tuple(row) for row in drawing.calibration(SPEC, None, given)["latent"]}
    assert len(judged) == 26 and len(fitted) == 74 and not judged & fitted


@pytest.mark.parametrize(
    ("rows", "message"),
    [(np.zeros((99, 3)), "100 typical inputs or more"), (np.ones((200, 3)), "all the same")],
)
def test_calibration_that_proves_nothing(rows, message):
    with pytest.raises(ValueError, match=message) as caught:
        drawing.calibration(SPEC, None, [rows])
    assert "Received: " in str(caught.value)
