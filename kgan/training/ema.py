"""The averages of a model's generators: made, kept, and used wherever images are looked at."""

import warnings
import zlib

import keras
import numpy as np

from kgan import backend
from kgan.training import averaged_network


class MovingAverages:
    """Keeps an exponential moving average of each generator, where `compile` was given `ema`.

    Attributes:
        averages: the averages, one for each of `generators` and in their order, each a
            `keras.Model`; empty without `ema`.
    """

    _average_offset = 0  # updates of the averages less those that the optimizer counts
    _average_prints = None  # checksums of averages without an update; None: as they were loaded

    @property
    def averaged_generator(self):
        """The average of the generator, a `keras.Model`; None where `compile` had no `ema`.

        It is what `generate`, `evaluate` and `export` use, and changes as training goes on.

        Raises:
            ValueError: if the model has several generators: see `averages`.
        """
        if not self.averages:
            return None
        if any(len(self.networks_of(maker)) > 1 for maker in self.makers):
            raise ValueError(
                "Each generator has an average of its own: take one of `averages`, which are in "
                f"the order of `generators`. Received: {len(self.averages)} averages"
            )
        self.refresh_averages()
        return self.in_use(self.generator, training=False)

    def __dir__(self):
        # Keras saves what it finds here, and is to find each network once, under one name.
        hidden = {"averaged_generator"}
        if isinstance(getattr(type(self), "generator", None), property):
            hidden.add("generator")
        return [name for name in super().__dir__() if name not in hidden]

    def in_use(self, network, training):
        """Returns the generator network to call: in inference its average, if one is kept."""
        if training or not self.averages:
            return network
        return self.averages[self.generators.index(network)]

    def refresh_averages(self):
        """Lets averages that have had no update follow their networks.

        Whoever loads weights into a generator wants to see them, and training to start from them.
        """
        if not self.ema:
            return
        backend.sync(self)
        if not self.averages:  # the weights that were loaded had none
            self._make_averages()
        elif not self._average_updates() and self._average_prints in (None, self._prints()):
            for network, average in zip(self.generators, self.averages, strict=True):
                average.set_weights(network.get_weights())
            self._average_prints = self._prints()

    def keep_averages(self, ema, optimizer):
        """Prepares the averages for training with another optimizer, when the model is compiled.

        Those that there are go on, unless their networks have been replaced.
        """
        updates = self._average_updates() if self.averages else 0
        known = vars(self).get("_averaged", ())
        same = len(known) == len(self.generators) and all(map(_same, known, self.generators))
        if updates and not (ema and same):
            reason = "the generator is another one" if ema else "compile() was given no ema"
            warnings.warn(
                "The average of the generator's weights is lost, and images are now those of the "
                f"last weights: {reason}. Keep it with the same networks and ema=; or first give "
                "it to the generator, gan.generator.set_weights("
                f"gan.averaged_generator.get_weights()). Received: ema={ema!r} after {updates:,} "
                "updates of the average",
                stacklevel=4,
            )
        self.ema = ema
        iterations = int(keras.ops.cast(optimizer.iterations, "int32"))
        if not ema:
            self._drop_averages()
        elif not (same and self.averages):
            self._make_averages()
            self._average_offset = -iterations
        else:
            self._average_offset = updates - iterations

    def _drop_averages(self):
        self.averages.clear()  # the list tells Keras that its members are no longer tracked
        self.averages = []

    def _make_averages(self):
        self._drop_averages()
        with backend.scope(self):
            self.averages = [averaged_network.average_of(network) for network in self.generators]
        # Past Keras's own __setattr__, which would save the networks under this name.
        vars(self)["_averaged"] = tuple(self.generators)
        self._average_prints = self._prints()
        if self.compiled:
            self._average_offset = -self._iterations()

    def _average_updates(self):
        """How many updates the averages have had."""
        return self._iterations() + self._average_offset if self.compiled else 0

    def _iterations(self):
        backend.sync(self)
        return int(keras.ops.cast(self.optimizer.iterations, "int32"))

    def _prints(self):
        return [
            zlib.crc32(np.ascontiguousarray(weight).view(np.uint8))
            for average in self.averages
            for weight in average.get_weights()
        ]

    def save_averaging(self, store):
        """Adds to the model's own variables in a file what the averages do not hold themselves."""
        self.refresh_averages()
        if self.averages:
            store["average_offset"] = np.asarray(self._average_offset)

    def load_averaging(self, store):
        """Gets ready for the averages in a file, if there are any; called before they are read."""
        keys = list(store.keys())
        saved = "average_offset" in keys or "averages" in getattr(store, "h5_file", ())
        if saved and not self.averages:
            warnings.warn(
                "This file holds an average of the generator's weights, which this model has no "
                "place for: its images are those of the last weights. Load the model with "
                "keras.saving.load_model(), or call compile(ema=...) before load_weights(). "
                "Received: a file with an average for a model compiled without ema",
                stacklevel=2,
            )
        elif saved:
            offset = store["average_offset"] if "average_offset" in keys else 0
            self._average_offset = int(np.asarray(offset))
            self._average_prints = None
            if self.train_function is not None:  # it has the number of before
                self.make_train_function(force=True)
        elif self.averages:
            self._drop_averages()  # nothing is looked for then, and they follow what is loaded


def _same(one, other):
    return one is other
