"""A stream of images from one or more sources, read from disk during training."""

import itertools
import warnings
import zlib

import keras
import numpy as np

from kgan.data.decoding import CorruptImageError, Remarks
from kgan.data.files import SHOWN
from kgan.images import from_pixels
from kgan.utils import numbers


class Samples:
    """The samples of one source of a data set, read one at a time.

    An unreadable sample is reported once and replaced by the next one in the order of the epoch, so
    that batches keep their size and the order depends on the seed only.

    Args:
        items: what the samples are read from: files, or tuples of files.
        read: a function from an item and a `Remarks` to pixels, uint8
            `(height, width, channels)`, or to a tuple of them; raises `CorruptImageError`.
        corrupt: `"skip"` or `"raise"`.

    Raises:
        ValueError: if `corrupt` is neither.
    """

    def __init__(self, items, read, corrupt="skip"):
        numbers.choice("corrupt", corrupt, ("skip", "raise"))
        self.items = items
        self.read = read
        self.corrupt = corrupt
        self.unreadable = {}
        self.told = 0
        self.remark = Remarks()

    def part(self, rows):
        """Returns the samples at some places; they do not repeat earlier warnings."""
        part = Samples([self.items[i] for i in rows], self.read, self.corrupt)
        part.remark = self.remark
        known = ((place, self.unreadable.get(row)) for place, row in enumerate(rows))
        part.unreadable = {place: reason for place, reason in known if reason}
        part.told = len(part.unreadable)
        return part

    def arrange(self, length, rng=None):
        """Sets the order of an epoch: passes over all samples, shuffled if there is an `rng`."""
        count = len(self.items)
        passes = -(-length // count)
        orders = [rng.permutation(count) if rng else np.arange(count) for _ in range(passes)]
        self.order = np.concatenate(orders)[:length]

    def __getitem__(self, position):
        for step in range(len(self.order)):
            sample = self._read(self.order[(position + step) % len(self.order)])
            if sample is not None:
                return sample
        raise self._none()

    def once(self):
        """Yields each readable sample once, in the order of the items."""
        yield from (s for s in map(self._read, range(len(self.items))) if s is not None)
        self.remark.tell()
        if len(self.unreadable) == len(self.items):
            raise self._none()

    def _read(self, index):
        """Returns the sample, or None if it cannot be read."""
        if index not in self.unreadable:
            try:
                return self.read(self.items[index], self.remark)
            except CorruptImageError as error:
                if self.corrupt == "raise":
                    raise
                self.unreadable[index] = f"{error.file} ({error.reason})"
        return None

    def _none(self):
        return ValueError(f"None of the {len(self.items)} images can be read. {self._names(0)}")

    def tell(self):
        """Warns about unreadable and unusual images not reported before."""
        self.remark.tell()
        if len(self.unreadable) > self.told:
            warnings.warn(
                f"{len(self.unreadable)} of {len(self.items)} images cannot be read and are passed "
                f"over. Replace or remove them. {self._names(self.told)}",
                stacklevel=2,
            )
            self.told = len(self.unreadable)

    def _names(self, start):
        names = list(self.unreadable.values())[start:]
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        return f"Received: {', '.join(names[:SHOWN])}{more}"


class ImageStream(keras.utils.PyDataset):
    """Batches for `fit`, float32 in [-1, 1], in a seeded order.

    An epoch goes once through the largest source and repeats the smaller ones, each time in a new
    order.

    Args:
        sources: `Samples` of each kind. A batch of one source is its stacked samples, a batch
            of several sources a tuple with a batch of each.
        batch_size: samples of each source per batch. When shuffled, an incomplete last batch is
            dropped, which leaves out different samples each epoch; otherwise the last batch may be
            smaller.
        shuffle: whether the order changes from epoch to epoch.
        seed: seed of that order outside of kgan's `fit`; see `reorder`.
        **kwargs: of `keras.utils.PyDataset`.

    Raises:
        ValueError: if the batch size is not a positive integer.
    """

    def __init__(self, sources, batch_size, shuffle=True, seed=None, **kwargs):
        super().__init__(**kwargs)
        batch_size, seed = numbers.count("batch_size", batch_size), numbers.seed(seed)
        shuffle = numbers.flag("shuffle", shuffle)
        self.sources = sources
        self.length = max(len(source.items) for source in sources)
        self.batch_size = min(batch_size, self.length)
        self.rng = np.random.default_rng(seed) if shuffle else None
        self._arrange(self.rng)

    @property
    def unpaired(self):
        """Whether the samples side by side in a batch are unrelated."""
        return len(self.sources) > 1

    @property
    def even(self):
        """Whether all batches have the same size."""
        return self.rng is not None or self.length % self.batch_size == 0

    def __len__(self):
        full, rest = divmod(self.length, self.batch_size)
        return full + (rest > 0 and self.rng is None)

    def __getitem__(self, index):
        start = index * self.batch_size
        stop = min(start + self.batch_size, self.length)
        batches = []
        for source in self.sources:
            samples = [source[position] for position in range(start, stop)]
            batches.append(keras.tree.map_structure(_stack, *samples))
            source.remark.tell()
        return batches[0] if len(batches) == 1 else tuple(batches)

    def once(self, batch_size):
        """Yields each sample once, in the order of the files, independent of the training order.

        Measures use it, which need the same images each time. Unreadable images are skipped; with
        several sources it stops at the end of the smallest one.

        Args:
            batch_size: samples of each source in a batch; the last one may be smaller.
        """
        samples = zip(*(source.once() for source in self.sources), strict=False)
        while batch := list(itertools.islice(samples, batch_size)):
            kinds = zip(*batch, strict=True)
            batches = [keras.tree.map_structure(_stack, *kind) for kind in kinds]
            yield batches[0] if len(batches) == 1 else tuple(batches)
        for source in self.sources:
            source.tell()

    def on_epoch_end(self):
        for source in self.sources:
            source.tell()
        self._arrange(self.rng)

    def reorder(self, seed):
        """Shuffles by a seed; `fit` calls it, so that a stopped run can continue exactly."""
        if self.rng is not None:
            self._arrange(np.random.default_rng(seed))

    def describe(self):
        """Returns a JSON-able description that identifies this data set, without reading images."""
        return {
            "batch_size": self.batch_size,
            "sources": [
                {
                    "images": len(source.items),
                    "names": f"crc32 {zlib.crc32(' '.join(map(str, source.items)).encode()):08x}",
                    "read": repr(source.read),
                }
                for source in self.sources
            ],
        }

    def _arrange(self, rng):
        for source in self.sources:
            source.arrange(self.length, rng)


def _stack(*pixels):
    return from_pixels(np.stack(pixels))
