"""Shuffled batches of arrays, in an order that a stopped run can continue exactly."""

import keras
import numpy as np

from kgan import backend, checks
from kgan.utils import numbers


def arrange(model, x, y, options):
    """Prepares the arguments of `fit` for Keras.

    Args:
        model: the `AdversarialModel` that trains.
        x, y: the data, checked.
        options: the other arguments of `fit`, `batch_size` and `validation_data` among them.

    Returns:
        `(x, y, options)` for `keras.Model.fit`: arrays that are to be shuffled become `Batches`.
    """
    if not checks.is_arrays(x):
        if checks.is_stream(x):
            options.setdefault("shuffle", False)  # Keras warns that it cannot shuffle these
        if hasattr(x, "reorder"):
            callback = keras.callbacks.LambdaCallback(
                on_epoch_begin=lambda epoch, logs: x.reorder(epoch_seed(model))
            )
            options = with_callbacks(options | {"shuffle": False}, callback)
        return x, y, options
    data = keras.tree.map_structure(checks.to_numpy, (x, y))
    batch_size = (options["batch_size"] or 32) * model.discriminator_steps
    options["batch_size"] = batch_size
    if options.get("shuffle", True) is not True:
        return *checks.whole_turns(data, batch_size, model.smallest_training_batch), options
    batches = Batches(model, data, batch_size, options.pop("steps_per_epoch", None))
    validation = options.get("validation_batch_size") or batch_size
    options |= {"shuffle": False, "batch_size": None, "validation_batch_size": validation}
    return batches, None, options


def split(x, y, share):
    """Splits arrays as the `validation_split` of Keras does: the last samples are held out.

    Args:
        x, y: arrays; `y` may be None.
        share: the share of held-out samples, in (0, 1).

    Returns:
        Two tuples `(x, y)`.

    Raises:
        ValueError: if they are not arrays, or one of the two sides is empty.
    """
    if not checks.is_arrays(x):
        raise ValueError(
            "validation_split needs arrays: pass validation_data= with a stream. "
            f"Received: validation_split={share!r} with a {type(x).__name__}"
        )
    data = keras.tree.map_structure(checks.to_numpy, (x, y))
    count = len(keras.tree.flatten(data)[0])
    start = int(count * (1 - share))
    if not 0 < start < count:
        raise ValueError(
            "validation_split must leave samples on both sides. "
            f"Received: validation_split={share!r} of {count} samples"
        )
    return _cut(data, 0, start), _cut(data, start, None)


def show(callbacks, first, x, batch_size):
    """Passes samples of the data to callbacks that ask for them.

    Such a callback has `count`, the number of samples it wants, and `see(batch, batch_size)`, which
    receives a batch as given to `fit`, as NumPy arrays, and the training batch size.

    Args:
        callbacks: a list of callbacks, or a `CallbackList`.
        first: the first batch, or all data of arrays, as NumPy arrays. It is not read again, since
            shuffling streams would advance to another order.
        x: what `fit` was given.
        batch_size: the batch size for arrays.
    """
    arrays, size = checks.is_arrays(x), len(keras.tree.flatten(first)[0])
    for callback in getattr(callbacks, "callbacks", callbacks):
        if hasattr(callback, "see"):
            batch = first
            if arrays:
                batch = keras.tree.map_structure(lambda a, n=callback.count: _some(a, n), first)
            elif isinstance(x, keras.utils.PyDataset) and x.num_batches is not None:
                batch = _enough(first, x, -(-callback.count // size))
            batch = keras.tree.map_structure(lambda a, n=callback.count: a[:n], batch)
            callback.see(batch, min(size, batch_size or 32) if arrays else size)


class Batches(keras.utils.PyDataset):
    """Batches of arrays, in a new random order each epoch.

    Keras would shuffle with random numbers that no checkpoint holds. Here the order follows from
    the state of the model: the seed of its latents and the updates it has had. So a
    stopped run continues with the next batches, and runs on different backends see the same ones.
    An incomplete last batch is dropped, which leaves out different samples each epoch: so all
    batches have the same size.

    Args:
        model: the `AdversarialModel` that trains.
        data: `(x, y)`, NumPy arrays of equal length, or nested tuples of them; `y` may be None.
            If the model is `unpaired`, each has its own order, and shorter ones are repeated.
        batch_size: samples per batch, or all samples if there are fewer.
        steps: batches per epoch. Default: one pass over the data.
    """

    even = True  # all batches have the same size

    def __init__(self, model, data, batch_size, steps=None):
        super().__init__()
        self.model = model
        self.data = data if data[1] is not None else data[:1]
        self.counts = [len(array) for array in keras.tree.flatten(self.data)]
        self.count = max(self.counts)
        self.batch_size = min(batch_size, self.count)
        self.batches_in_pass = self.count // self.batch_size
        self.steps = steps or self.batches_in_pass
        self.on_epoch_begin()

    def on_epoch_begin(self):
        self.seed = epoch_seed(self.model)
        self.ordered_pass = None

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        arrays = zip(keras.tree.flatten(self.data), self.rows(index), strict=True)
        return keras.tree.pack_sequence_as(self.data, [array[rows] for array, rows in arrays])

    def rows(self, index):
        """Returns the rows of each array for a batch of the current epoch."""
        current_pass, batch = divmod(index, self.batches_in_pass)
        if current_pass != self.ordered_pass:
            rng = np.random.default_rng([*self.seed, current_pass])
            self.orders = [rng.permutation(self.count)] * len(self.counts)
            if self.model.unpaired:
                self.orders = [np.resize(rng.permutation(n), self.count) for n in self.counts]
            self.ordered_pass = current_pass
        chosen = slice(batch * self.batch_size, (batch + 1) * self.batch_size)
        return [order[chosen] for order in self.orders]


def as_long(x, y):
    """Returns two arrays of equal length, with the shorter one repeated."""
    x, y = (numbers.array("images", array) for array in (x, y))
    if not x.ndim or not y.ndim:
        raise ValueError(f"Pass images of both domains. Received: shapes {x.shape} and {y.shape}")
    count = max(len(x), len(y))
    return tuple(np.resize(array, (count, *array.shape[1:])) for array in (x, y))


def epoch_seed(model):
    """Returns the integers that seed the order of an epoch, from the model's state."""
    backend.sync(model)
    draws = keras.ops.convert_to_numpy(model.seed_generator.state)
    updates = keras.ops.convert_to_numpy(model.optimizer.iterations)
    return [*map(int, draws), int(updates)]


def with_callbacks(options, *callbacks):
    """Returns the arguments of `fit` with more callbacks appended."""
    given = options.get("callbacks") or []
    if isinstance(given, keras.callbacks.CallbackList):
        for callback in callbacks:
            given.append(callback)
        return options
    return options | {"callbacks": [*keras.tree.flatten(given), *callbacks]}


def _some(array, count):
    """Returns random rows, the same for equally long arrays; a set may be sorted."""
    return array[np.random.default_rng(0).permutation(len(array))[:count]]


def _enough(batch, stream, count):
    """The first `count` batches of a stream as one."""
    others = [
        keras.tree.map_structure(checks.to_numpy, stream[i])
        for i in range(1, min(count, stream.num_batches))
    ]
    return keras.tree.map_structure(lambda *parts: np.concatenate(parts), batch, *others)


def _cut(data, start, stop):
    return keras.tree.map_structure(
        lambda array: None if array is None else array[start:stop], data
    )
