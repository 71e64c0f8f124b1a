"""The inputs a model is compared on, and their file, from which `verify` repeats the comparison."""

import math
from dataclasses import dataclass

import numpy as np

from kgan.export.untrusted import archives
from kgan.utils.advice import advice

BATCH_SIZES = (1, 2, 7, 16)
STORED_BYTES = 4_000_000
CONSTANT = "constant zeros"  # of images, see `parity.expected`
TENFOLD = ("tens", "negative tens", "10 x normal")
OWN = ("sample", "calibration")  # kinds of inputs that the user gave, and that come first
# One batch is kept however large it is.
UNPACKED_BYTES = 2**30
# Enough for the range of every activation to settle; more only takes longer.
CALIBRATION_SIZE = 200
LEAST_CALIBRATION = 100


@dataclass(frozen=True)
class Batch:
    """One batch: the kind of its values, its inputs and the outputs Keras gave, both by name.

    `typical` tells values the model is made for from those that only test its limits.
    """

    kind: str
    inputs: dict
    outputs: dict
    typical: bool = True

    @property
    def size(self):
        return len(next(iter(self.inputs.values())))

    @property
    def magnitude(self):
        """How many times as large as usual its inputs are, and with them what rounding leaves."""
        return 10.0 if self.kind in TENFOLD else 1.0

    @property
    def first(self):
        """A batch of its first row alone."""
        sides = (self.inputs, self.outputs)
        rows = ({name: array[:1] for name, array in side.items()} for side in sides)
        return Batch(self.kind, *rows, self.typical)

    @property
    def bytes(self):
        return sum(array.nbytes for array in (*self.inputs.values(), *self.outputs.values()))


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


def save(path, batches, spans):
    """Writes batches to an `.npz`, smallest first, until they reach 4 MB.

    The bound keeps the file modest for large images; below it everything is kept. One typical
    input is always there, since by those alone the narrow precisions are judged.
    """
    arrays, kinds, typical, total = {}, [], [], 0
    ordered = sorted(batches, key=lambda batch: (not batch.typical, batch.size))
    ordered[1:] = sorted(ordered[1:], key=lambda batch: (batch.size, not batch.typical))
    if ordered[0].bytes > STORED_BYTES:
        ordered.insert(0, ordered[0].first)
    for batch in ordered:
        total += batch.bytes
        if kinds and total > STORED_BYTES:
            break
        for side in ("inputs", "outputs"):
            for name, array in getattr(batch, side).items():
                arrays[f"{len(kinds)}.{side}.{name}"] = array
        kinds.append(batch.kind)
        typical.append(batch.typical)
    arrays.update({f"span.{name}": np.array(span) for name, span in spans.items()})
    np.savez_compressed(path, kinds=np.array(kinds), typical=np.array(typical), **arrays)


def load(path, spec):
    """Reads the batches and spans of `save`, for the tensors that `spec` names.

    Raises:
        ValueError: the file is none of these, damaged, or unpacks to more than it may.
    """
    with archives.opened(path, UNPACKED_BYTES) as archive:
        _check_sizes(archive)
        with np.load(path, allow_pickle=False) as file:
            batches = [
                Batch(
                    str(kind),
                    {each.name: file[f"{index}.inputs.{each.name}"] for each in spec.inputs},
                    {each.name: file[f"{index}.outputs.{each.name}"] for each in spec.outputs},
                    bool(typical),
                )
                for index, (kind, typical) in enumerate(
                    zip(file["kinds"], file["typical"], strict=True)
                )
            ]
            return batches, {each.name: float(file[f"span.{each.name}"]) for each in spec.outputs}


def _check_sizes(archive):
    """Raises a ValueError, before anything is unpacked, for arrays larger than `save` writes."""
    for member in archive.infolist():
        with archive.open(member) as file:
            version = np.lib.format.read_magic(file)
            read = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
            shape, _, dtype = read(file)
            declared = math.prod(shape) * dtype.itemsize
            if dtype.hasobject or declared > member.file_size:
                raise ValueError(f"{member.filename} declares {declared} bytes that it lacks")


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
            "int8 takes its ranges from inputs that differ as real ones do; pass such in "
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
