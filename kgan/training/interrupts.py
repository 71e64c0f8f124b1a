"""A wish to stop that is never lost: signals are kept until a batch is over."""

import contextlib
import os
import signal
import threading

import keras

MESSAGE = b"\nStopping after this batch; the same signal once more stops at once.\n"


class Interrupts(keras.callbacks.Callback):
    """Keeps signals such as that of Ctrl-C for the time of a run, and acts on them after a batch.

    An exception that a signal's handler raises lands wherever Python happens to be, also in
    functions that a library calls and whose exceptions it swallows, or between a step and the
    moment when its results are taken over. So a signal is only noted, and handed to the handler
    of before once the batch is over: Ctrl-C raises a KeyboardInterrupt as ever, and what would
    have killed the process without a word raises a SystemExit. The second one goes there at once.

    Use it as a context around `fit`, whose last callback it is. Outside of the main thread, where
    Python allows no handlers, it does nothing.

    Args:
        signals: such as `(signal.SIGINT, signal.SIGTERM)`. One that is ignored, or whose handler
            is not Python's to put back, is left alone.
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

    # Where the next batch begins, since for the end of one Keras would have to wait for its losses.
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
        """Hands a signal that was noted to the handler of before."""
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
