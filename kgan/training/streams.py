"""Streams of batches, each checked before a step uses it."""

import contextlib
import warnings

import keras

from kgan import checks
from kgan.backend.native import private

get_data_adapter = private("keras.src.trainers.data_adapters", "get_data_adapter")
DataAdapter = private("keras.src.trainers.data_adapters.data_adapter", "DataAdapter") or object


def watched(stream, look, smallest, shuffle=False):
    """Returns a stream for Keras that checks each batch.

    Args:
        stream: a `keras.utils.PyDataset`, a `tf.data.Dataset`, a torch `DataLoader` or a generator.
        look: a function that raises a ValueError for a batch, as NumPy arrays, that is not fit.
        smallest: samples that a step needs. Smaller batches are left out, which is said once.
        shuffle: whether Keras is to shuffle the batches of a `PyDataset`.

    Returns:
        A `Watched`. What cannot be watched, arrays among it, comes back as it is.
    """
    if checks.is_arrays(stream) or getattr(stream, "even", False) or get_data_adapter is None:
        return stream
    return Watched(stream, look, smallest, shuffle)


def source_of(stream):
    """Returns the source of a `Watched`; anything else unchanged."""
    return stream.source if isinstance(stream, Watched) else stream


@contextlib.contextmanager
def plain_errors(*streams):
    """Raises the error that a check has found instead of the one that tf.data makes of it."""
    try:
        yield
    except Exception as error:
        for stream in streams:
            found = getattr(stream, "error", None)
            if found is not None and found is not error:
                raise found from None
        raise


class Watched(DataAdapter):  # type: ignore[valid-type]
    """One of Keras's data adapters, which checks each batch. See `watched`."""

    def __init__(self, source, look, smallest, shuffle=False):
        self.source, self.look, self.smallest = source, look, smallest
        self.shuffled = shuffle and isinstance(source, keras.utils.PyDataset)
        self.adapter = get_data_adapter(source, shuffle=shuffle)
        self.error, self._told, self._finite = None, False, []
        count = self.adapter.num_batches
        rest = self._last_size(count) if smallest > 1 and count and count > 1 else None
        self._short = rest is not None and rest < smallest
        if self._short:
            self._tell(count - 1, rest)

    def get_numpy_iterator(self):
        return self._watch(self.adapter.get_numpy_iterator())

    def get_jax_iterator(self):
        return self._watch(self.adapter.get_jax_iterator())

    def get_torch_dataloader(self):
        return self._watch(self.adapter.get_torch_dataloader())

    def get_tf_dataset(self):
        from kgan.backend.tensorflow.streams import looked_at

        dataset = looked_at(self.adapter.get_tf_dataset(), self._is_fit, self.smallest)
        # Workers read ahead by themselves, and would be waited for where the end is left out.
        ahead = getattr(self.adapter, "enqueuer", None) is None and hasattr(dataset, "prefetch")
        return dataset.prefetch(1) if ahead else dataset

    @property
    def num_batches(self):
        count = self.adapter.num_batches
        return count - 1 if self._short else count

    @property
    def batch_size(self):
        return self.adapter.batch_size

    @property
    def has_partial_batch(self):
        return self.adapter.has_partial_batch

    @property
    def partial_batch_size(self):
        return self.adapter.partial_batch_size

    def on_epoch_begin(self):
        self.adapter.on_epoch_begin()

    def on_epoch_end(self):
        self.adapter.on_epoch_end()
        looked_at, self._finite = self._finite, []
        for index, finite in looked_at:
            if not all(map(bool, finite)):
                self.error = ValueError(
                    f"In batch {index} of the stream: samples must be finite; the weights have "
                    "learned from it, so take those of before. Received: NaN or infinity"
                )
                raise self.error

    def _watch(self, batches):
        for index, batch in enumerate(batches):
            if self._is_fit(batch, index):
                yield batch

    def _is_fit(self, batch, index):
        """Whether a batch is large enough; raises a ValueError if it cannot be trained on."""
        leaves = [leaf for leaf in keras.tree.flatten(batch) if leaf is not None]
        if 0 < len(leaves[0]) < self.smallest:
            self._tell(index, len(leaves[0]))
            return False
        if all(map(checks.is_in_host_memory, leaves)):
            error = self._fault_of(batch)
            if error is not None:
                index = self._place_of(error) if self.shuffled else index
                self.error = ValueError(f"In batch {index} of the stream: {error}")
                raise self.error from error
        else:  # to read an answer now, the step would have to wait for the device
            floats = [
                leaf for leaf in leaves if "float" in keras.backend.standardize_dtype(leaf.dtype)
            ]
            finite = [keras.ops.all(keras.ops.isfinite(leaf)) for leaf in floats]
            self._finite.append((index, finite))
        return True

    def _fault_of(self, batch):
        """Returns the error that a check finds in a batch, or None."""
        batch = keras.tree.map_structure(checks.to_numpy, batch)
        try:
            self.look(tuple(batch) if isinstance(batch, list) else batch)
        except ValueError as error:
            return error

    def _place_of(self, error):
        """Returns the index of the batch with an error if Keras has shuffled them."""
        for index in range(self.adapter.num_batches or 0):
            if str(self._fault_of(self.source[index])) == str(error):
                return index
        return "(unknown)"

    def _tell(self, index, size):
        if not self._told:
            self._told = True
            warnings.warn(
                f"A batch of fewer than {self.smallest} samples is left out: it is too small for "
                "the turns, devices, packs and batch normalisation of a step. Use batches of "
                f"equal size to train on every sample. Received: batch {index} of {size} samples",
                stacklevel=5,
            )

    def _last_size(self, count):
        """Returns the number of samples in the last batch, None if unknown."""
        if isinstance(self.source, keras.utils.PyDataset):
            return len(keras.tree.flatten(self.source[count - 1])[0])
        if getattr(self.source, "drop_last", False):
            return None
        return self.adapter.partial_batch_size or None
