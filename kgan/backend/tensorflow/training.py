"""TensorFlow: variables are stateful and a tape records the calls."""

import contextlib
import functools

import keras
import numpy as np
import tensorflow as tf

from kgan.backend.native import private
from kgan.backend.tensorflow.adam import fused

PyDatasetAdapter = private(
    "keras.src.trainers.data_adapters.py_dataset_adapter", "PyDatasetAdapter"
)


def step(method):
    """Runs `method(self, data)`, as Keras's trainer calls it, with native calls in use."""

    @functools.wraps(method)
    def in_native_calls(self, data):
        with self.native_calls.in_use():
            return method(self, data)

    return in_native_calls


def vjp(model, function, *, variables=(), inputs=(), pulls=1):
    """Calls `function(*inputs)` and returns its outputs with their pullback, good for `pulls`."""
    sources = [variable.value for variable in variables], list(inputs)
    with tf.GradientTape(persistent=pulls > 1, watch_accessed_variables=False) as tape:
        tape.watch(sources)
        outputs = function(*inputs)

    def pullback(cotangents):
        gradients = tape.gradient(
            keras.tree.flatten(outputs),
            sources,
            output_gradients=keras.tree.flatten(cotangents),
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        # What an embedding learned comes as slices, one for each sample, whose squares Keras's
        # Adam would add up where it means the square of their sum.
        return keras.tree.map_structure(tf.convert_to_tensor, gradients)

    return outputs, pullback


def input_gradient(model, function, x):
    """Returns the gradient of `sum(function(x))` for `x`, itself differentiable."""
    with (
        keras.StatelessScope(),
        _twice_differentiable_moments(),
        tf.GradientTape(watch_accessed_variables=False) as tape,
    ):
        tape.watch(x)
        outputs = function(x)
    return tape.gradient(outputs, x)


def value_and_input_gradient(model, function, x):
    """Returns `function(x)` and the gradient of its sum for `x`, itself differentiable.

    State that the call changes stays changed.
    """
    with (
        _twice_differentiable_moments(),
        tf.GradientTape(watch_accessed_variables=False) as tape,
    ):
        tape.watch(x)
        outputs = function(x)
    return outputs, tape.gradient(outputs, x)


def update(optimizer, gradients, variables):
    """Lets the optimizer change the variables.

    On several devices Keras clips each replica's gradients, asks the first replica whether they
    are finite, and only then adds them up. So every replica gets the mean beforehand, and all but
    the first turn theirs to zero: what Keras does then is what it does on one device.

    Raises:
        ValueError: if the optimizer belongs to one device and the model to several.
    """
    strategy = tf.distribute.get_strategy()
    if strategy.num_replicas_in_sync > 1:
        if not strategy.extended.variable_created_in_scope(optimizer.iterations.value):
            raise ValueError(
                "An optimizer made outside strategy.scope() would update one device and leave the "
                "others behind: create the networks, the model and the optimizers and call "
                f"compile() inside. Received: {optimizer.name!r}, made outside"
            )
        replica = tf.distribute.get_replica_context()
        gradients = replica.all_reduce(tf.distribute.ReduceOp.MEAN, gradients)
        first = tf.equal(replica.replica_id_in_sync_group, 0)
        gradients = [tf.math.scalar_mul(tf.cast(first, g.dtype), g) for g in gradients]
    with fused(optimizer):
        optimizer.apply(gradients, variables)


def dry_run(model, function):
    """Runs `function()` for the errors and names it shows, without keeping any state it changes."""
    with keras.StatelessScope():
        function()


def spectator(model, function):
    """Returns a function of `function`'s arguments that gives what it gives and keeps no state."""

    def watch(*inputs):
        # Not compiled: tracing would take longer than the few calls that there are.
        with keras.StatelessScope():
            return function(*inputs)

    return watch


def sync(model):
    """Nothing to do: the variables always hold their values."""


class Trainer:
    """Nothing to add: a failed call takes nothing from the variables."""


def kept(model):
    """Nothing to do, see `Trainer`."""
    return contextlib.nullcontext()


def devices(model):
    """Returns how many devices share a batch."""
    return model.distribute_strategy.num_replicas_in_sync


def scope(model):
    """Variables made in this context live on all devices of the model."""
    return model.distribute_strategy.scope()


def stream(batches):
    """Returns a `PyDataset` of equal batches as a `tf.data.Dataset` that knows their size.

    Keras would leave the batch axis open, for which XLA's program is slower, and have the dataset
    tune itself. There is nothing to tune, and the tuner's thread would hold up the end of `fit`
    until it wakes: as long again as the call itself, seen from outside.

    Returns:
        The dataset, and callbacks that belong to it.
    """
    if hasattr(batches, "rows"):
        dataset, source = _gathered(batches), batches
    elif PyDatasetAdapter is None:
        return batches, []
    else:
        source = PyDatasetAdapter(batches, shuffle=False)  # which knows of workers
        dataset = source.get_tf_dataset().map(_sized(batches[0]))
    # Before an epoch, and not when its first batch is asked for: that happens inside the first
    # step, whose updates of the state that the order follows from may already be on their way.
    callback = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: source.on_epoch_begin(),
        on_epoch_end=lambda epoch, logs: source.on_epoch_end(),
    )
    options = tf.data.Options()
    options.autotune.enabled = False
    cardinality = tf.data.experimental.assert_cardinality(len(batches))
    return dataset.apply(cardinality).prefetch(1).with_options(options), [callback]


def _gathered(batches):
    """`Batches` that tf.data gathers by itself, where Python would do it beside the step."""
    with tf.device("CPU:0"):
        arrays = [*map(tf.convert_to_tensor, keras.tree.flatten(batches.data))]  # no copies

    def one_epoch():
        return np.stack([batches.rows(i) for i in range(len(batches))])

    def epoch(_):
        rows = tf.numpy_function(one_epoch, [], tf.int64)
        rows.set_shape((len(batches), len(arrays), batches.batch_size))
        return tf.data.Dataset.from_tensor_slices(rows)

    def batch(rows):
        gathered = [tf.gather(array, rows[i]) for i, array in enumerate(arrays)]
        return keras.tree.pack_sequence_as(batches.data, gathered)

    return tf.data.Dataset.range(1).flat_map(epoch).map(batch)


def _sized(example):
    """A function that tells tf.data the shapes of batches, which are those of an example."""
    shapes = [x.shape for x in keras.tree.flatten(example)]

    def tell(*batch):
        for x, shape in zip(keras.tree.flatten(batch), shapes, strict=True):
            x.set_shape(shape)
        return batch

    return tell


def spread(batch):
    """Nothing to do: each device runs the step by itself and makes its own share."""
    return batch


class SeedGenerator(keras.random.SeedGenerator):
    """Draws something else on each device: the copies of its state count in step."""

    def next(self, ordered=True):
        seed = super().next(ordered)
        replica = tf.distribute.get_replica_context()
        number = replica.replica_id_in_sync_group if replica else 0
        # A large stride, since the next integers are the seeds of other runs.
        return seed + 1_000_003 * tf.cast([number, 0], seed.dtype)


def random_state():
    """Nothing: every random number comes from a seed that the model holds."""
    return b""


def set_random_state(state):
    """Nothing to do, see `random_state`."""


_tf_moments = tf.nn.moments


@contextlib.contextmanager
def _twice_differentiable_moments():
    """Mends the second derivative of `tf.nn.moments`, and so of Keras's normalisation layers.

    It takes the variance around a mean whose gradient is stopped, which leaves the first
    derivative right and the second wrong. What is taken off here is zero, with a derivative of
    zero, and has the second derivative that is missing.
    """

    def moments(*arguments, **options):
        mean, variance = _tf_moments(*arguments, **options)
        return mean, variance - tf.square(mean - tf.stop_gradient(mean))

    tf.nn.moments = moments
    try:
        yield
    finally:
        tf.nn.moments = _tf_moments
