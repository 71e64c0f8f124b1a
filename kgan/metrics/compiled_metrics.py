"""The metrics given to `compile`, checked before training."""

import collections
import inspect
import warnings

import keras

from kgan.metrics.evaluation import check


class CompiledMetrics:
    """The metrics given to `compile`, kept from Keras, which would compute them in each step.

    Args:
        metrics: a sequence of Keras metrics, or one.
        has_targets: of the model.

    Raises:
        ValueError: if they are not metrics, compare pairs where the model has no targets, or two
            share a name.
    """

    def __init__(self, metrics=(), has_targets=False):
        several = isinstance(metrics, (list, tuple)) or metrics is None
        self.metrics = [*(metrics or ())] if several else [metrics]
        for metric in self.metrics:
            if not isinstance(metric, keras.metrics.Metric):
                raise ValueError(
                    "metrics must be objects such as kgan.metrics.FrechetDistance(); tracked "
                    f"values of a loss are shown automatically. Received: {metric!r}"
                )
            if _is_stock(metric) and not (has_targets and _is_of_pairs(metric)):
                raise ValueError(
                    "Keras's own metrics compare a prediction with its target, such as those of "
                    "kgan.Pix2Pix with MeanAbsoluteError; this model has only two sets of "
                    f"images: use one of kgan.metrics. Received: a {type(metric).__name__}"
                )
        self.check_names(())

    def check_names(self, taken):
        """Raises a ValueError if two scores share a name, or one has a name already taken."""
        names = [*taken, *(name for metric in self.metrics for name in _score_names(metric))]
        twice = [name for name, times in collections.Counter(names).items() if times > 1]
        if twice and self.metrics:
            raise ValueError(
                "Each score needs a name of its own: pass name= to some of the metrics. "
                f"Received: {', '.join(twice)} twice"
            )

    def networks(self):
        """Yields a name and an extractor for each network that a metric uses."""
        for i, metric in enumerate(self.metrics):
            for j, network in enumerate(getattr(metric, "networks", ())):
                yield f"metric_{i}_{j}", network

    def check_fit(self, shapes, count, trained_on):
        """Raises a ValueError before training for what would fail after the first epoch.

        Args:
            shapes: shapes of the images to measure.
            count: how many real images there are, None if unknown.
            trained_on: whether they are the training images; measures that need those warn
                otherwise.
        """
        for metric in self.metrics:
            if getattr(metric, "searches", False) and not trained_on:
                warnings.warn(
                    f"{type(metric).__name__} measures copies of training images, but "
                    "validation_data seem to be other images: pass the training images to "
                    f"gan.evaluate. Received: {metric.name} in metrics",
                    stacklevel=3,
                )
        check(self.metrics, shapes, count, "give more in validation_data=")

    def check_data(self, x):
        """Raises a ValueError for data that can be iterated only once."""
        if self.metrics and hasattr(x, "__next__"):
            raise ValueError(
                "Measures read the real images a second time, after the losses: pass an array, "
                "a tf.data.Dataset, a torch DataLoader or a keras.utils.PyDataset, or compile "
                f"without metrics. Received: a {type(x).__name__}"
            )


def _is_stock(metric):
    """Whether a metric is one of Keras's own, except a wrapped custom function."""
    own = keras.metrics.MeanMetricWrapper
    return type(metric).__module__.startswith("keras.") and type(metric) is not own


def _is_of_pairs(metric):
    """Whether a metric compares predictions with their targets."""
    return "y_true" in inspect.signature(metric.update_state).parameters


def _score_names(metric):
    return getattr(metric, "score_names", (metric.name,))
