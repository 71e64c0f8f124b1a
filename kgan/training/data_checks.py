"""What the verbs of a model are given is looked at before Keras sees it."""

import keras
import numpy as np

from kgan import backend, checks
from kgan.checks.value_range import value_range
from kgan.data.image_stream import ImageStream
from kgan.metrics.evaluation import once
from kgan.training import streams
from kgan.training.players import ids_of, trainable
from kgan.training.step import layers_of


class DataChecks:
    """Refuses what a model cannot be trained or judged on, with the fix, and names the metrics."""

    def _assert_compiled(self, method):
        if not self.compiled:
            raise ValueError(
                f"Call compile() before {method}(): gan.compile() alone has good defaults. "
                f"Received: {method}() on a model that is not compiled"
            )

    def _assert_same_variables(self):
        for player in self.players:
            now, then = ids_of(trainable(self.networks_of(player))), ids_of(self._learned[player])
            if now != then:
                raise ValueError(
                    f"What the {player} trains was settled by compile(): after a change of "
                    "`trainable`, or of a network, call compile() again. "
                    f"Received: {len(now)} trainable variables, of which {len(now & then)} were "
                    f"among the {len(then)} at compile()"
                )

    def _check_validation(self, data, trained_on, steps, batch_size):
        """Returns the data for validation; raises a ValueError if they cannot be measured."""
        if isinstance(data, (tuple, list)) and not 0 < len(data) < 4:
            raise ValueError(
                "validation_data must be images, or a tuple of what fit takes as x and y. "
                f"Received: {len(data)} parts"
            )
        x, y, weights = keras.utils.unpack_x_y_sample_weight(data)
        checks.check_no_weights({"sample_weight": weights})
        self._measures.check_data(x)
        try:
            held, x = self._check_data(x, y, batch_size)
        except ValueError as error:
            raise ValueError(f"In validation_data: {error}") from error
        if checks.is_arrays(x):
            for part in keras.tree.flatten(held):
                checks.check_varied(part)
        shapes = self.made_shapes
        count = None
        if checks.is_arrays(x):
            parts = once([held]) if self.unpaired else [held]
            count = sum(len(keras.tree.flatten(part)[0]) for part in parts)
            count = min(count, steps * batch_size if steps else count)
        elif isinstance(x, ImageStream):
            count = min(len(source.items) for source in x.sources)
        self._measures.check_fit(shapes, count, x is trained_on)
        x, y = self._large_enough(x, y, batch_size)
        return x if y is None else (x, y)

    def _large_enough(self, x, y, batch_size):
        """Returns data to evaluate, without batches that are too small to be judged."""
        smallest = self._smallest_judged
        if checks.is_arrays(x):
            return checks.whole_turns((x, y), batch_size, smallest)
        return streams.watched(x, self._check_one, smallest), y

    @property
    def smallest_training_batch(self):
        """As `smallest_batch`, with the two samples a turn that a batch normalisation may need."""
        least, turns = self.smallest_batch, self.discriminator_steps * backend.devices(self)
        if self._single_value_norms(self.generators):
            least = max(least, 2 * turns)
        if self._single_value_norms(self.discriminators):  # of packs, where it sees such
            least = max(least, 2 * self.smallest_batch)
        return least

    def _single_value_norms(self, networks):
        return checks.single_value_norms(layers_of(networks))

    @property
    def _smallest_judged(self):
        return self.smallest_batch // self.discriminator_steps

    def _check_one(self, batch):
        """Raises a ValueError for a batch that is not fit, or has weights that nobody reads."""
        if type(self).unpack.__module__.startswith("kgan."):
            *_, weights = keras.utils.unpack_x_y_sample_weight(batch)
            checks.check_no_weights({"sample_weight": weights})
        self.check_batch(batch)

    def _check_data(self, x, y, batch_size, training=False):
        turns, smallest, norms = 1, self._smallest_judged, ()
        if training:
            turns, smallest = self.discriminator_steps, self.smallest_training_batch
            if smallest > self.smallest_batch:
                norms = self._single_value_norms((*self.generators, *self.discriminators))
        batch, x = checks.first_batch(x, y, batch_size)
        self._check_one(batch)
        for network, images in self.images_to_make(batch):
            if isinstance(images, np.ndarray):
                checks.check_range(images, value_range(network))
        devices = backend.devices(self)
        if checks.is_arrays(x):
            checks.check_shares(batch, batch_size, devices)
            checks.check_enough(batch, smallest, batch_size and batch_size * turns, norms)
        else:
            checks.check_divisible(batch, turns, devices)
            checks.check_enough(batch, smallest, norms=norms)
        self._find_metrics(keras.tree.map_structure(lambda x: x[: self.smallest_batch], batch))
        self._measures.check_names(metric.name for metric in self.metrics)
        return batch, x
