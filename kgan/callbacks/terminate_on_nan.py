"""Ends training when a loss is NaN."""

from typing import Any

import keras

from kgan.utils import numbers


class TerminateOnNaN(keras.callbacks.TerminateOnNaN):
    """Ends training when the loss of a player is NaN or infinite.

    Keras's callback of this name looks for a metric called `loss`, which a GAN does not have;
    `fit` replaces it by this one.

    Args:
        raise_error: whether to raise a RuntimeError instead of ending quietly. Default: False.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__(raise_error=numbers.flag("raise_error", raise_error))

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        for player in self.model.players:
            super().on_batch_end(batch, {"loss": (logs or {}).get(f"{player}_loss")})


def watch_losses(callbacks):
    """Returns callbacks with Keras's `TerminateOnNaN` replaced, which finds no `loss` in a GAN."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks.callbacks = [*map(_watching, callbacks.callbacks)]
        return callbacks
    return [*map(_watching, keras.tree.flatten(callbacks or []))]


def _watching(callback):
    if type(callback) is not keras.callbacks.TerminateOnNaN:
        return callback
    return TerminateOnNaN(raise_error=callback.raise_error)
