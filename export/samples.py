"""The inputs a model is compared on, and their file, from which `verify` repeats the comparison."""

from dataclasses import dataclass

import numpy as np

BATCH_SIZES = (1, 2, 7, 16)
STORED_BYTES = 4_000_000


@dataclass(frozen=True)
class Batch:
    """One batch: the kind of its values, its inputs and the outputs Keras gave, both by name."""

    kind: str
    inputs: dict
    outputs: dict

    @property
    def size(self):
        return len(next(iter(self.inputs.values())))

    @property
    def bytes(self):
        return sum(array.nbytes for array in (*self.inputs.values(), *self.outputs.values()))


def draw(spec, samples=None, seed=0):
    """Batches of inputs that a right artefact must answer as Keras does.

    Args:
        spec: `ModelSpec` of the model.
        samples: the user's own batches, see `kgan.export.export`. Integer inputs take their
            values from them, since only the user knows which are valid.
        seed: of the normal draws.

    Returns:
        A list of `(kind, inputs)`: the user's batches, a standard normal in batches of 1, 2, 7
        and 16, zeros, tens, and ten times a normal. Images and sequences are never constant: the
        tens carry random signs, the zeros have a first row of random ones. Instance normalisation
        turns a constant into rounding noise divided by almost nothing, where two right programs
        differ as much as their outputs can.

    Raises:
        ValueError: a sample does not fit the model, or an integer input has no samples.
    """
    own = [_own_batch(spec, sample) for sample in _as_list(samples)]
    pools = {
        tensor.name: np.concatenate([batch[tensor.name] for batch in own]) if own else None
        for tensor in spec.inputs
    }
    random = np.random.default_rng(seed)

    def batch(size, draw_floats):
        return {
            tensor.name: draw_floats((size, *tensor.shape)).astype("float32")
            if tensor.dtype == "float32"
            else _pick(tensor, pools[tensor.name], size, random)
            for tensor in spec.inputs
        }

    drawn = [("normal", batch(size, random.standard_normal)) for size in BATCH_SIZES]
    if any(tensor.dtype == "float32" for tensor in spec.inputs):
        drawn += [
            ("zeros", batch(2, lambda shape: _zeros(shape, random))),
            ("tens", batch(2, lambda shape: 10.0 * _signs(shape, random))),
            ("negative tens", batch(2, lambda shape: -10.0 * _signs(shape, random))),
            ("10 x normal", batch(2, lambda shape: 10.0 * random.standard_normal(shape))),
        ]
    return [("sample", inputs) for inputs in own] + drawn


def save(path, batches):
    """Writes batches to an `.npz`, smallest first, until they reach 4 MB; at least one.

    The bound keeps the file modest for large images; below it everything is kept.
    """
    arrays, kinds, total = {}, [], 0
    for batch in sorted(batches, key=lambda batch: batch.size):
        total += batch.bytes
        if kinds and total > STORED_BYTES:
            break
        for side in ("inputs", "outputs"):
            for name, array in getattr(batch, side).items():
                arrays[f"{len(kinds)}.{side}.{name}"] = array
        kinds.append(batch.kind)
    np.savez_compressed(path, kinds=np.array(kinds), **arrays)


def load(path, spec):
    """Reads the batches of `save`, for the tensors that `spec` names."""
    with np.load(path, allow_pickle=False) as file:
        return [
            Batch(
                str(kind),
                {tensor.name: file[f"{index}.inputs.{tensor.name}"] for tensor in spec.inputs},
                {tensor.name: file[f"{index}.outputs.{tensor.name}"] for tensor in spec.outputs},
            )
            for index, kind in enumerate(file["kinds"])
        ]


def _signs(shape, random):
    return np.ones(shape) if len(shape) < 3 else random.choice([-1.0, 1.0], shape)


def _zeros(shape, random):
    zeros = np.zeros(shape)
    if len(shape) > 2:
        zeros[:, 0] = random.choice([-1.0, 1.0], zeros[:, 0].shape)
    return zeros


def _as_list(samples):
    if samples is None:
        return []
    if isinstance(samples, (list, tuple)):
        return samples
    raise ValueError(
        "samples is a list of batches; a batch is an array, a tuple of arrays or a dictionary of "
        f"them by input name. Received: samples of type {type(samples).__name__}"
    )


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
    return array.astype(tensor.dtype)


def _pick(tensor, pool, size, random):
    if pool is None:
        raise ValueError(
            f"Which values of the {tensor.dtype} input '{tensor.name}' are valid is not known; "
            "pass samples=, a list of input batches with valid ones. Received: samples=None"
        )
    return random.choice(pool, size)
