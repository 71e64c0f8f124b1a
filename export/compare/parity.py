"""Does an artefact compute what Keras computes? Loads, names, shapes, dtypes, finite, values.

Only NumPy: the same comparison runs after an export and, years later, in `verify`.
"""

import math
from dataclasses import dataclass

import numpy as np

from kgan.export.compare.samples import CONSTANT, OWN, Batch
from kgan.export.errors import ParityError
from kgan.export.untrusted import process
from kgan.utils import numbers
from kgan.utils.advice import advice


@dataclass(frozen=True)
class Bound:
    """What the values of an artefact must keep to.

    Attributes:
        tolerance: largest error, relative to max(1, largest expected value of a batch), and to the
            magnitude of its inputs. None: any.
        psnr: least peak signal-to-noise ratio of a row of a batch, in dB. None: any.
        limits: whether zeros and extremes count too, or typical inputs alone.
    """

    tolerance: float | None
    psnr: float | None
    limits: bool


def bounds(tolerance, float32_psnr, float16_tolerance, float16_psnr, int8_psnr):
    """The `Bound` of each precision; the arguments are those of `kgan.export.export`."""
    for name, value in locals().copy().items():
        numbers.factor(name, value)
    narrow = Bound(None, int8_psnr, limits=False)
    return {
        "float32": Bound(tolerance, float32_psnr, limits=True),
        "float16": Bound(float16_tolerance, float16_psnr, limits=False),
        **dict.fromkeys(("dynamic_range", "int8", "int8_io"), narrow),
    }


@dataclass(frozen=True)
class Parity:
    """The figures of a comparison that passed, over the batches whose values were judged.

    `max_abs_error` is the largest absolute difference. `max_error` divides each output's difference
    by max(1, largest absolute expected value of the batch), and for inputs ten times as large as
    usual by ten more, since rounding grows with the inputs. `psnr` is that of the worst row of any
    batch and output, in dB, with the span of Keras's typical outputs as the peak; None if no output
    differs at all. `compared_on` names the kinds of inputs.
    """

    max_abs_error: float
    max_error: float
    psnr: float | None
    batch_sizes: tuple[int, ...]
    compared_on: tuple[str, ...]


def expected(call, spec, inputs, typical):
    """Lets the Keras model answer the inputs.

    Inputs drawn here that the model answers with NaN or infinity are not meant for it, such as
    negative ones for a logarithm: where the user has given others, they are left out. So are
    constant images where rounding alone decides the answer: instance normalisation divides what is
    left of a constant by almost nothing, and two right programs then differ as much as they can.

    Args:
        call: the model in inference: flat list of arrays to flat list of arrays.
        spec: its `ModelSpec`.
        inputs: list of `(kind, inputs by name)`.
        typical: which kinds are of the values that the model is made for.

    Returns:
        A list of `Batch`, and for each output its span over the typical ones.

    Raises:
        ParityError: the model answers NaN or infinity.
    """
    batches = []
    for kind, values in inputs:
        outputs = answer(call, spec, values)
        problems = {name: _not_finite(output) for name, output in outputs.items()}
        name = next(filter(problems.get, problems), None)
        if name is None:
            if kind == CONSTANT and _rounding_decides(call, spec, values, outputs):
                continue
            batches.append(Batch(kind, values, outputs, kind in typical))
        elif kind in OWN or not any(batch.kind in OWN for batch in batches):
            raise ParityError(
                f"The Keras model itself gives {problems[name]} in output '{name}' for the "
                f"'{kind}' inputs, so no artefact of it can be trusted. "
                + advice(
                    "If such inputs are not meant for it, pass samples= that are.",
                    "Take the model of an earlier epoch.",
                )
            )
    return batches, {tensor.name: _span(batches, tensor.name) for tensor in spec.outputs}


def answer(call, spec, values):
    """A model's outputs by name, from inputs by name."""
    outputs = call([values[tensor.name] for tensor in spec.inputs])
    return {
        tensor.name: np.asarray(output)
        for tensor, output in zip(spec.outputs, outputs, strict=True)
    }


def compare(runner, spec, batches, spans, bound, file):
    """Compares a loaded artefact with the answers of Keras.

    Args:
        runner: what a format's `load` returned.
        spec: `ModelSpec` that the artefact must keep.
        batches: list of `Batch` with Keras's outputs.
        spans: the peak of the PSNR for each output.
        bound: `Bound` of its precision.
        file: name of the artefact, for the message.

    Returns:
        `Parity`.

    Raises:
        ParityError: with the first thing that differs, and the figures.
    """
    _check_declared("input", runner.inputs, spec.inputs, file)
    _check_declared("output", runner.outputs, spec.outputs, file)
    if bound.tolerance is None and not any(spans.values()):
        raise ParityError(
            f"{file}: the model gives the same for every typical input, so a precision judged by "
            "PSNR cannot be compared. "
            + advice(
                "Pass samples= or calibration= that differ.",
                "Name a folder of images that differ with --calibration.",
            )
        )
    worst_absolute = worst = 0.0
    least = math.inf
    judged = {}
    for batch in batches:
        where = f"{file}, batch of {batch.size}, '{batch.kind}' inputs"
        try:
            outputs = runner(batch.inputs)
        except Exception as error:
            raise ParityError(f"{where}: it fails: {error}") from error
        for tensor in spec.outputs:
            want, got = batch.outputs[tensor.name], outputs[tensor.name]
            place = f"{where}, output '{tensor.name}'"
            _check_form(want, got, place)
            if not (batch.typical or bound.limits):
                continue
            judged[batch.kind] = None
            absolute, relative = _error(want, got)
            relative /= batch.magnitude
            psnr = _psnr(want, got, spans[tensor.name])
            _judge(absolute, relative, psnr, bound, want, place)
            worst_absolute, worst = max(worst_absolute, absolute), max(worst, relative)
            least = min(least, psnr)
    if not judged:
        raise ParityError(f"{file}: none of the inputs is typical, so no value could be judged")
    sizes = tuple(sorted({batch.size for batch in batches}))
    psnr = None if least == math.inf else least
    return Parity(worst_absolute, worst, psnr, sizes, tuple(judged))


def load(module, path, file, threads=None, timeout=process.TIMEOUT):
    """Loads an artefact in a process of its own; ParityError when it does not load."""
    try:
        return process.Runner(module, path, threads, timeout)
    except ImportError:  # of the runtime, which says nothing about the file
        raise
    except Exception as error:
        raise ParityError(f"{file} does not load: {error}") from error


def differs(first, second, than=1e-4):
    """Whether two answers by name differ by more than rounding."""
    return any(_error(first[name], second[name])[1] > than for name in first)


def likeness(first, second, spans):
    """The least PSNR between two answers by name, in dB."""
    return min(_psnr(first[name], second[name], spans[name]) for name in first)


def _rounding_decides(call, spec, values, outputs):
    random = np.random.default_rng(0)
    nudged = {
        name: array + random.choice([-1e-7, 1e-7], array.shape).astype("float32")
        if array.dtype == "float32"
        else array
        for name, array in values.items()
    }
    return differs(outputs, answer(call, spec, nudged), than=1e-5)


def _check_declared(side, declared, promised, file):
    for what in ("name", "shape", "dtype"):
        got = [getattr(tensor, what) for tensor in declared]
        want = [getattr(tensor, what) for tensor in promised]
        if got != want:
            raise ParityError(f"{file}: {side} {what}s are {got}, expected {want}")


def _check_form(want, got, where):
    if got.shape != want.shape:
        raise ParityError(f"{where}: shape {got.shape}, expected {want.shape}")
    if got.dtype != want.dtype:
        raise ParityError(f"{where}: dtype {got.dtype}, expected {want.dtype}")
    for owner, array in (("expected", want), ("artefact", got)):
        # Looked at before the values: a NaN is below every tolerance, since it compares False.
        problem = _not_finite(array)
        if problem:
            raise ParityError(f"{where}: the {owner} output has {problem}")


def _judge(absolute, relative, psnr, bound, want, where):
    if bound.tolerance is not None and relative > bound.tolerance:
        raise ParityError(
            f"{where}: error {relative:.3g} (largest difference {absolute:.3g}, largest expected "
            f"value {np.abs(want).max():.3g}) is above the tolerance {bound.tolerance:.3g}"
        )
    if bound.psnr is not None and psnr < bound.psnr:
        raise ParityError(
            f"{where}: PSNR {psnr:.1f} dB (largest difference {absolute:.3g}) is below "
            f"{bound.psnr:g} dB"
        )


def _error(want, got):
    if not want.size:
        return 0.0, 0.0
    want, got = want.astype("float64"), got.astype("float64")
    absolute = float(np.abs(want - got).max())
    return absolute, absolute / max(1.0, float(np.abs(want).max()))


def _psnr(want, got, span):
    if not want.size:
        return math.inf
    # Of each row: a mean over the batch would let one bad class hide among good ones.
    rows = (want.astype("float64") - got.astype("float64")).reshape(len(want), -1)
    squared = np.max(np.mean(rows**2, axis=1))
    if squared == 0:
        return math.inf
    # An output that never changes has no span: its size takes the place.
    peak = span or max(1.0, float(np.abs(want).max()))
    return float(10 * np.log10(peak**2 / squared))


def _span(batches, name):
    arrays = [batch.outputs[name] for batch in batches if batch.typical]
    return float(max(a.max() for a in arrays)) - float(min(a.min() for a in arrays))


def _not_finite(array):
    if not np.issubdtype(array.dtype, np.floating):
        return ""
    count = int(array.size - np.isfinite(array).sum())
    return f"NaN or infinity ({count} of {array.size} values)" if count else ""
