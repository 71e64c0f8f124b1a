"""Losses added by layers: weight and activity regularizers, and `add_loss`."""

import contextlib
import functools
import threading

import keras
from keras import ops


class AddedLosses:
    """Collects the losses that the layers of a player's networks add in their calls.

    Keras keeps these values on the layers, forgets them at the next call of the same network, and
    on JAX has none of them in the scopes that a step needs. A game calls a network several times
    in a turn, and all of its calls count. So during a turn the
    layers report their values here.

    The first turn of each player, a dry run, shows whether its layers add anything at all. Those
    that do not are left alone from then on.
    """

    def __init__(self):
        self._adds = {}  # by player: whether its layers add anything
        self._collections = 0
        self._now = threading.local()  # replicas of TensorFlow take their turns in threads

    def adds(self, player):
        """Whether layers of a player add losses in their calls; True until known."""
        return self._adds.get(player, True)

    @contextlib.contextmanager
    def collected(self, player, networks):
        """A context with a list, to which the losses of the networks' layers are appended."""
        values = []
        if not self.adds(player):
            yield values
            return
        layers = [layer for network in networks for layer in network._flatten_layers()]
        outer = getattr(self._now, "values", None) or {}
        with self._collecting({**outer, player: values}):
            self._collections += 1
            for layer in layers:
                # Past Keras's own __setattr__, which looks for state in any attribute.
                vars(layer)["add_loss"] = functools.partial(self._add, layer, player)
            try:
                yield values
            finally:
                self._collections -= 1
                for layer in () if self._collections else layers:
                    vars(layer).pop("add_loss", None)
        self._adds.setdefault(player, bool(values))

    def left_out(self):
        """A context in which nothing is collected, for calls outside of a turn."""
        return self._collecting({player: [] for player in getattr(self._now, "values", None) or {}})

    @contextlib.contextmanager
    def _collecting(self, values):
        outer = getattr(self._now, "values", None)
        self._now.values = values
        try:
            yield
        finally:
            self._now.values = outer

    def _add(self, layer, player, loss):
        values = (getattr(self._now, "values", None) or {}).get(player)
        if values is None:  # in a call that belongs to somebody else
            type(layer).add_loss(layer, loss)
        else:
            values.extend(keras.tree.flatten(loss))

    def term(self, player, variables, values):
        """Returns the sum of all added losses as a term, or no term.

        Args:
            player: its name.
            variables: its trained variables, whose regularizers count.
            values: the list of `collected`.
        """
        penalties = [
            variable.regularizer(variable)
            for variable in variables
            if getattr(variable, "regularizer", None) is not None
        ]
        penalties += values
        if not penalties and not self._adds.get(player, False):
            return {}
        penalties = [ops.sum(ops.cast(value, "float32")) for value in penalties]
        return {"regularization": sum(penalties, ops.zeros((), "float32"))}
