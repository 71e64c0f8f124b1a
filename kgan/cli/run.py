"""What the command fits: a model on images."""

import dataclasses
from typing import Any


@dataclasses.dataclass
class Run:
    """What `train` fits: a model on images, drawn by a callback."""

    model: Any
    images: Any  # arrays or a stream
    picture: Any  # a callback
    shape: tuple
    batch_size: int | None = None  # of arrays
    labels: Any = None  # that the model learns from
    known: Any = None  # those of the data, from which a classifier for measures can learn

    def monitor(self, log, coverage=None):
        """The callback that says what goes wrong, also in a file, and may count modes."""
        from kgan.callbacks import CollapseMonitor

        # A translator is shown large images, one after the other: fewer will do.
        count = 64 if self.model.draws_latents else 16
        return CollapseMonitor(count, coverage=coverage, log=log)

    def __str__(self):
        """What is learned from, and how much of it."""
        kind, shape = "images", self.shape
        counts = [len(self.images)]
        if hasattr(self.images, "sources"):
            counts = [len(s.items) - len(s.unreadable) for s in self.images.sources]
        if not self.model.draws_latents:
            made = tuple(self.model.made_shapes[-1])
            shape = shape if made == tuple(shape) else f"{shape} -> {made}"
            kind = "images" if self.images.unpaired else "pairs of images"
        return f"{' and '.join(map(str, counts))} {kind} {shape}"

    def left_out(self, validation=None):
        """How many images could not be read, of which the run learned nothing; and of how many.

        Args:
            validation: a stream of those held out, or None.
        """
        streams = self.images, validation
        sources = [source for stream in streams for source in getattr(stream, "sources", ())]
        return sum(len(s.unreadable) for s in sources), sum(len(s.items) for s in sources)

    def rate(self, rate, epochs, decay):
        """The learning rate of `--learning-rate` and `--decay`."""
        if not decay:
            return rate
        from kgan.schedules import LinearDecay

        batches = len(self.images) // (self.batch_size or 1)
        return LinearDecay(rate, epochs * max(batches, 1))
