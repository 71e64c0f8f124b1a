"""Running means that `fit` shows, with names found in the losses."""

import contextlib

import keras
from keras import ops

from kgan import losses


class LossMetrics:
    """Named `keras.metrics.Mean` objects, created together after a dry run found the names.

    Keras wants every metric to exist before training, while the names of the terms are known only
    when a loss has run. So a dry run inside `finding()` collects the names and makes the metrics.
    """

    def __init__(self):
        self.metrics = {}
        self._found = None
        self._recorded = None

    @property
    def are_sought(self):
        """Whether this is the dry run that finds the names."""
        return self._found is not None

    @contextlib.contextmanager
    def finding(self):
        """Collects the names given to `update` in this block, then creates the metrics."""
        self._found = []
        try:
            yield
            self.metrics = {name: keras.metrics.Mean(name=name) for name in self._found}
        finally:
            self._found = None

    @contextlib.contextmanager
    def recording(self):
        """Collects, by name, lists of the values given to `update` in this block; no mean moves."""
        self._recorded = {}
        try:
            yield self._recorded
        finally:
            self._recorded = None

    def update(self, name, value, count=None, weights=None):
        """Adds a scalar that represents `count` samples, or all values of a tensor.

        Args:
            name: the name of the metric.
            value: a scalar, or a tensor whose mean counts.
            count: how many samples a scalar represents. Default: 1.
            weights: weights of the values, as for `kgan.losses.mean`. Default: equal weights.
        """
        if weights is not None:
            value, count = losses.mean(value, weights), ops.sum(losses.fitting(weights, value))
        if self._found is not None:
            self._found.append(name)
        elif self._recorded is not None:
            self._recorded.setdefault(name, []).append(ops.stop_gradient(value))
        elif name not in self.metrics:
            raise KeyError(
                f"The name of a metric must be the same in every step. Received: {name!r}, which "
                f"the first step did not have; it had {', '.join(self.metrics)}"
            )
        else:
            self._add(self.metrics[name], ops.cast(ops.stop_gradient(value), "float32"), count)

    @staticmethod
    def _add(metric, value, count):
        """What `metric.update_state(value, count)` does, by a fraction of the operations."""
        if len(value.shape) > 0:
            value, count = ops.mean(value), ops.shape(value)[0]
        if not isinstance(count, int):
            count = 1 if count is None else ops.cast(count, "float32")
        metric.total.assign_add(value * count)
        metric.count.assign_add(count)
