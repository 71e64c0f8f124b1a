"""The inputs a model is compared on, and those from which int8 takes its ranges."""

import numpy as np

from kgan.export.compare.samples import CONSTANT, TENFOLD
from kgan.utils.advice import advice

BATCH_SIZES = (1, 2, 7, 16)
# Enough for the range of every activation to settle; more only takes longer.
CALIBRATION_SIZE = 200
LEAST_CALIBRATION = 100


def draw(spec, samples=None, calibration=None, seed=0):
    """Batches of inputs that a right artefact must answer as Keras does.

    Args:
        spec: `ModelSpec` of the model.
        samples: the user's own batches, see `kgan.export.export`. Integer inputs take their
            values from them, since only the user knows which are valid.
        calibration: the user's batches for int8, some rows of which are compared on, in batches
            of 1, 2, 7 and 16. `calibration` leaves those out.
        seed: of the normal draws.

    Returns:
        A list of `(kind, inputs)`: the user's batches, a standard normal in batches of 1, 2, 7
        and 16, zeros, tens, and ten times a normal. In images and sequences the tens carry random
        signs, and half of the zeros are such signs too, since normalisation turns a constant into
        rounding noise divided by almost nothing; constant zeros come last, see `parity.expected`.

    Raises:
        ValueError: a sample does not fit the model, or an integer input has no samples.
    """
    own = [("sample", batch) for batch in own_batches(spec, samples)]
    calibrating = _pools(spec, own_batches(spec, calibration, "calibration"))
    if calibrating:
        shuffled, start = _shuffled(calibrating), 0
        for size in BATCH_SIZES:
            rows = np.resize(np.roll(shuffled, -start), size)
            own.append(("calibration", {name: x[rows] for name, x in calibrating.items()}))
            start += size
    pools = _pools(spec, [batch for _, batch in own])
    random = np.random.default_rng(seed)

    def batch(size, draw_floats):
        return {
            tensor.name: draw_floats((size, *tensor.shape)).astype("float32")
            if tensor.dtype == "float32"
            else _pick(tensor, pools, size, random)
            for tensor in spec.inputs
        }

    drawn = [("normal", batch(size, random.standard_normal)) for size in BATCH_SIZES]
    if any(tensor.dtype == "float32" for tensor in spec.inputs):
        drawn += [
            ("zeros", batch(2, lambda shape: _zeros(shape, random))),
            (TENFOLD[0], batch(2, lambda shape: 10.0 * _signs(shape, random))),
            (TENFOLD[1], batch(2, lambda shape: -10.0 * _signs(shape, random))),
            (TENFOLD[2], batch(2, lambda shape: 10.0 * random.standard_normal(shape))),
        ]
    if any(len(tensor.shape) > 1 for tensor in spec.inputs if tensor.dtype == "float32"):
        drawn.append((CONSTANT, batch(2, np.zeros)))
    return own + drawn


def calibration(spec, samples=None, given=None, seed=1):
    """Inputs from which int8 takes the range of every activation.

    Args:
        spec: `ModelSpec` of the model.
        samples: the user's own batches; integer inputs take their values from them.
        given: the user's batches for this purpose. Default: a standard normal, as latents are.
        seed: of the normal draws.

    Returns:
        A dictionary of arrays by input name, all of one length. Of the user's batches the rows
        that `draw` compares on are not among them: a file that is judged by what it was fitted to
        proves little.

    Raises:
        ValueError: a batch does not fit the model, the batches are too few or all the same, or an
            input has no values to be drawn from.
    """
    if given:
        arrays = _pools(spec, own_batches(spec, given, "calibration"))
        _check_calibration(spec, arrays)
        rows = _shuffled(arrays)[sum(BATCH_SIZES) :]
        return {name: array[rows] for name, array in arrays.items()}
    pools = _pools(spec, own_batches(spec, samples))
    random = np.random.default_rng(seed)
    return {
        tensor.name: random.standard_normal((CALIBRATION_SIZE, *tensor.shape), "float32")
        if tensor.dtype == "float32"
        else _pick(tensor, pools, CALIBRATION_SIZE, random)
        for tensor in spec.inputs
    }


def takes_images(spec):
    """Whether an input looks like images, which are no standard normal."""
    return any(tensor.dtype == "float32" and len(tensor.shape) > 2 for tensor in spec.inputs)


def own_batches(spec, batches, argument="samples"):
    """The user's batches as a list of dictionaries by input name, each checked."""
    if batches is None:
        return []
    if not isinstance(batches, (list, tuple)):
        raise ValueError(
            f"{argument} is a list of batches; a batch is an array, a tuple of arrays or a "
            "dictionary of them by input name. "
            f"Received: {argument} of type {type(batches).__name__}"
        )
    return [_own_batch(spec, batch) for batch in batches]


def _shuffled(arrays):
    """The numbers of the rows, in the one order by which they are parted."""
    return np.random.default_rng(0).permutation(len(next(iter(arrays.values()))))


def _calibration():
    return advice("calibration=", "--calibration")


def _check_calibration(spec, arrays):
    count = len(next(iter(arrays.values())))
    if count < LEAST_CALIBRATION:
        raise ValueError(
            f"int8 takes its ranges from {LEAST_CALIBRATION} typical inputs or more, and is judged "
            f"on {sum(BATCH_SIZES)} of them; pass more in {_calibration()}. Received: {count} rows"
        )
    floats = [arrays[tensor.name] for tensor in spec.inputs if tensor.dtype == "float32"]
    if floats and all((array == array[0]).all() for array in floats):
        raise ValueError(
            "int8 takes its ranges from varied, realistic inputs; pass them in "
            f"{_calibration()}. Received: {count} rows that are all the same"
        )


def _signs(shape, random):
    return np.ones(shape) if len(shape) < 3 else random.choice([-1.0, 1.0], shape)


def _zeros(shape, random):
    zeros = np.zeros(shape)
    if len(shape) > 2:
        half = zeros[:, : (shape[1] + 1) // 2]
        half[:] = random.choice([-1.0, 1.0], half.shape)
    return zeros


def _own_batch(spec, sample):
    names = [tensor.name for tensor in spec.inputs]
    if not isinstance(sample, dict):
        arrays = sample if isinstance(sample, (list, tuple)) else (sample,)
        sample = dict(zip(names, arrays, strict=False)) if len(arrays) == len(names) else {}
    if sorted(sample) != sorted(names):
        raise ValueError(
            f"A sample needs an array for each of the inputs {names}. "
            f"Received: a sample with {sorted(sample)}"
        )
    batch = {tensor.name: _checked(tensor, sample[tensor.name]) for tensor in spec.inputs}
    if len({len(array) for array in batch.values()}) != 1:
        shapes = {name: array.shape for name, array in batch.items()}
        raise ValueError(f"The inputs of a sample differ in batch size. Received: {shapes}")
    return batch


def _checked(tensor, array):
    array = np.asarray(array)
    if array.shape[1:] != tensor.shape or not array.shape or not len(array):
        raise ValueError(f"A sample must fit the input {tensor}. Received: shape {array.shape}")
    if tensor.dtype == "float32" and array.dtype.kind not in "f":
        raise ValueError(
            f"The input '{tensor.name}' takes floats: scale integers as for training, such as "
            f"array.astype('float32') / 127.5 - 1. Received: dtype {array.dtype}"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(
            f"A sample of '{tensor.name}' must be finite: leave such rows out. Received: NaN or "
            "infinity"
        )
    return array.astype(tensor.dtype)


def _pools(spec, own):
    if not own:
        return {}
    return {
        tensor.name: np.concatenate([batch[tensor.name] for batch in own]) for tensor in spec.inputs
    }


def _pick(tensor, pools, size, random):
    if not pools:
        raise ValueError(
            f"Which values of the {tensor.dtype} input '{tensor.name}' are valid is not known; "
            "pass samples=, a list of input batches with valid ones. Received: samples=None"
        )
    return random.choice(pools[tensor.name], size)
