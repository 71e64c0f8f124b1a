"""Does an artefact compute what Keras computes? Loads, names, shapes, dtypes, finite, values.

Only NumPy: the same comparison runs after an export and, years later, in `verify`.
"""

from dataclasses import dataclass

import numpy as np

from kgan.export.errors import ParityError
from kgan.export.samples import Batch


@dataclass(frozen=True)
class Parity:
    """The figures of a comparison that passed.

    `max_abs_error` is the largest absolute difference. `max_error` is the one that was judged:
    each output's difference divided by max(1, largest absolute expected value of the batch).
    """

    max_abs_error: float
    max_error: float
    batch_sizes: tuple[int, ...]


def expected(call, spec, inputs, tolerance):
    """Lets the Keras model answer the inputs.

    Args:
        call: the model in inference: flat list of arrays to flat list of arrays.
        spec: its `ModelSpec`.
        inputs: list of `(kind, inputs by name)`.
        tolerance: how far two answers to one input may lie apart.

    Returns:
        A list of `Batch`.

    Raises:
        ParityError: the model answers NaN or infinity, or differently each time it is asked.
    """
    batches = []
    for kind, values in inputs:
        outputs = _answer(call, spec, values)
        if not batches and _distance(spec, outputs, _answer(call, spec, values)) > tolerance:
            raise ParityError(
                "The Keras model answers differently each time: it draws random numbers at "
                "inference. Make the noise an input of the model."
            )
        batches.append(Batch(kind, values, outputs))
        for tensor in spec.outputs:
            problem = _not_finite(outputs[tensor.name])
            if problem:
                raise ParityError(
                    f"The Keras model itself gives {problem} in output '{tensor.name}' for the "
                    f"'{kind}' inputs, so no artefact of it can be trusted."
                )
    return batches


def compare(runner, spec, batches, tolerance, file):
    """Compares a loaded artefact with the answers of Keras.

    Args:
        runner: what a format's `load` returned.
        spec: `ModelSpec` that the artefact must keep.
        batches: list of `Batch` with Keras's outputs.
        tolerance: largest error relative to max(1, largest expected value).
        file: name of the artefact, for the message.

    Returns:
        `Parity`.

    Raises:
        ParityError: with the first thing that differs, and the figures.
    """
    _check_declared("input", runner.inputs, spec.inputs, file)
    _check_declared("output", runner.outputs, spec.outputs, file)
    worst_absolute = worst = 0.0
    for batch in batches:
        try:
            outputs = runner(batch.inputs)
        except Exception as error:
            raise ParityError(
                f"{file} fails on a batch of {batch.size} ('{batch.kind}' inputs): {error}"
            ) from error
        for tensor in spec.outputs:
            where = f"{file}, output '{tensor.name}', batch of {batch.size}, '{batch.kind}' inputs"
            want, got = batch.outputs[tensor.name], outputs[tensor.name]
            absolute, relative = _compare(want, got, tolerance, where)
            worst_absolute, worst = max(worst_absolute, absolute), max(worst, relative)
    sizes = tuple(sorted({batch.size for batch in batches}))
    return Parity(worst_absolute, worst, sizes)


def load(module, path, file):
    """Loads an artefact with its format's module; ParityError when it does not load."""
    try:
        return module.load(path)
    except Exception as error:
        raise ParityError(f"{file} does not load: {error}") from error


def _answer(call, spec, values):
    outputs = call([values[tensor.name] for tensor in spec.inputs])
    return {
        tensor.name: np.asarray(output)
        for tensor, output in zip(spec.outputs, outputs, strict=True)
    }


def _distance(spec, first, second):
    return max(_error(first[each.name], second[each.name])[1] for each in spec.outputs)


def _check_declared(side, declared, promised, file):
    for what in ("name", "shape", "dtype"):
        got = [getattr(tensor, what) for tensor in declared]
        want = [getattr(tensor, what) for tensor in promised]
        if got != want:
            raise ParityError(f"{file}: {side} {what}s are {got}, expected {want}")


def _compare(want, got, tolerance, where):
    if got.shape != want.shape:
        raise ParityError(f"{where}: shape {got.shape}, expected {want.shape}")
    if got.dtype != want.dtype:
        raise ParityError(f"{where}: dtype {got.dtype}, expected {want.dtype}")
    for owner, array in (("expected", want), ("artefact", got)):
        # Looked at before the values: a NaN is below every tolerance, since it compares False.
        problem = _not_finite(array)
        if problem:
            raise ParityError(f"{where}: the {owner} output has {problem}")
    absolute, relative = _error(want, got)
    if relative > tolerance:
        raise ParityError(
            f"{where}: error {relative:.3g} (largest difference {absolute:.3g}, largest expected "
            f"value {np.abs(want).max():.3g}) is above the tolerance {tolerance:.3g}"
        )
    return absolute, relative


def _error(want, got):
    if not want.size:
        return 0.0, 0.0
    want, got = want.astype("float64"), got.astype("float64")
    absolute = float(np.abs(want - got).max())
    return absolute, absolute / max(1.0, float(np.abs(want).max()))


def _not_finite(array):
    if not np.issubdtype(array.dtype, np.floating):
        return ""
    count = int(array.size - np.isfinite(array).sum())
    return f"NaN or infinity ({count} of {array.size} values)" if count else ""
