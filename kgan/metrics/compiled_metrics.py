"""The metrics given to `compile`, looked at before any training."""

import collections
import inspect
import warnings

import keras

from kgan.metrics.evaluation import check


class CompiledMetrics:
    """The metrics given to `compile`, out of sight of Keras, which would put them in its step.

    Args:
        metrics: a sequence of Keras metrics, or one.
        has_targets: of the model.

    Raises:
        ValueError: if they are anything else, compare each image with one that has nothing to do
            with it, or two share a name.
    """

    def __init__(self, metrics=(), has_targets=False):
        several = isinstance(metrics, (list, tuple)) or metrics is None
        self.metrics = [*(metrics or ())] if several else [metrics]
        for metric in self.metrics:
            if not isinstance(metric, keras.metrics.Metric):
                raise ValueError(
                    "metrics must be objects such as kgan.metrics.FrechetDistance(); what a loss "
                    f"tracks is shown by itself. Received: {metric!r}"
                )
            if _is_stock(metric) and not (has_targets and _is_of_pairs(metric)):
                raise ValueError(
                    "Keras's own metrics compare a prediction with its target, such as those of "
                    "kgan.Pix2Pix with MeanAbsoluteError; here are only two sets of images: take "
                    f"one of kgan.metrics. Received: a {type(metric).__name__}"
                )
        self.check_names(())

    def check_names(self, taken):
        """Raises a ValueError if two scores have one name, or one has a name that is taken."""
        names = [*taken, *(name for metric in self.metrics for name in _score_names(metric))]
        twice = [name for name, times in collections.Counter(names).items() if times > 1]
        if twice and self.metrics:
            raise ValueError(
                "Each score needs a name of its own: pass name= to some of the metrics. "
                f"Received: {', '.join(twice)} twice"
            )

    def networks(self):
        """Yields a name and an extractor for each network that a metric looks through."""
        for i, metric in enumerate(self.metrics):
            for j, network in enumerate(getattr(metric, "networks", ())):
                yield f"metric_{i}_{j}", network

    def check_fit(self, shapes, count, trained_on):
        """Raises a ValueError, before any training, for what would fail after an epoch of it.

        Args:
            shapes: of the images that will be measured.
            count: how many real ones there are, None if that is not known.
            trained_on: whether they are those trained on; a measure that means nothing of others
                is warned of.
        """
        for metric in self.metrics:
            if getattr(metric, "searches", False) and not trained_on:
                warnings.warn(
                    f"{type(metric).__name__} tells of copies of training images, and "
                    "validation_data seem to be others: give it the images trained on, with "
                    f"gan.evaluate. Received: {metric.name} in metrics",
                    stacklevel=3,
                )
        check(self.metrics, shapes, count, "give more in validation_data=")

    def check_data(self, x):
        """Raises a ValueError for data that can be gone over once only."""
        if self.metrics and hasattr(x, "__next__"):
            raise ValueError(
                "Measures go over the real images a second time, after the losses: give an array, "
                "a tf.data.Dataset, a torch DataLoader or a keras.utils.PyDataset, or compile "
                f"without metrics. Received: a {type(x).__name__}"
            )


def _is_stock(metric):
    """Whether a metric is one of Keras's, but for the wrapper of a function of one's own."""
    own = keras.metrics.MeanMetricWrapper
    return type(metric).__module__.startswith("keras.") and type(metric) is not own


def _is_of_pairs(metric):
    """Whether a metric compares predictions with their targets."""
    return "y_true" in inspect.signature(metric.update_state).parameters


def _score_names(metric):
    return getattr(metric, "score_names", (metric.name,))
