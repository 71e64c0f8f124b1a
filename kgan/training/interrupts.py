"""Handles Ctrl-C and other signals at the end of a batch."""

import contextlib
import os
import signal
import threading

import keras

MESSAGE = b"\nStopping after this batch; the same signal once more stops at once.\n"


class Interrupts(keras.callbacks.Callback):
    """Delays signals such as Ctrl-C during a run until the end of a batch.

    An exception raised by a signal handler can occur anywhere, also in callbacks of a library that
    swallows exceptions, or between a step and the assignment of its results. So a signal is only
    noted, and passed to the previous handler after the batch: Ctrl-C raises a KeyboardInterrupt as
    usual, and a signal that would have killed the process raises a SystemExit. A second signal is
    passed on at once.

    Use it as a context around `fit` and as its last callback. It does nothing outside of the main
    thread, where Python does not allow signal handlers.

    Args:
        signals: such as `(signal.SIGINT, signal.SIGTERM)`. Ignored signals, and those
            whose handler Python cannot restore, are left alone.
    """

    def __init__(self, signals):
        super().__init__()
        self.signals, self.before, self.pending = signals, {}, None

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in self.signals:
                if signal.getsignal(number) not in (None, signal.SIG_IGN):
                    self.before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, kind, error, traceback):
        self._take_back()
        if kind is None:
            self._act()

    # At the start of the next batch: at the end of one Keras would have to wait for its losses.
    def on_train_batch_begin(self, batch, logs=None):
        self._act()

    def on_test_batch_begin(self, batch, logs=None):
        self._act()

    def on_epoch_end(self, epoch, logs=None):
        self._act()

    def _note(self, number, frame):
        if self.pending is not None:
            self._take_back()
            signal.raise_signal(number)
        self.pending = number
        with contextlib.suppress(OSError):
            os.write(2, MESSAGE)  # print is not for handlers

    def _act(self):
        """Passes a noted signal to the previous handler."""
        number, self.pending = self.pending, None
        if number is None:
            return
        if callable(self.before[number]):
            self.before[number](number, None)
        else:
            raise SystemExit(128 + number)

    def _take_back(self):
        for number, handler in self.before.items():
            if signal.getsignal(number) == self._note:
                signal.signal(number, handler)
