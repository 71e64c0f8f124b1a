"""One progress bar for a whole run, for the command line."""

import atexit
from typing import Any

import keras

from kgan.utils.optional import require

WAIT = "losses after each epoch; the first step takes longest"


class ProgressBar(keras.callbacks.Callback):
    """Shows finished epochs, remaining time and losses on one line of the terminal.

    Use it with `fit(..., verbose=0)`, since Keras's own bar uses a line per epoch.

    Raises:
        ImportError: if rich is not installed.
    """

    def __init__(self) -> None:
        super().__init__()
        progress = require("rich.progress", "cli", "kgan.callbacks.ProgressBar")
        self.bar = progress.Progress(
            progress.TextColumn("[bold]{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.fields[losses]}"),
        )

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.bar.start()
        atexit.register(self.bar.stop)  # else an interrupted run leaves a terminal without cursor
        self.task = self.bar.add_task("epoch", total=self.params["epochs"], losses=WAIT)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        losses = {k: v for k, v in (logs or {}).items() if k.endswith("_loss")}
        text = "  ".join(f"{name} {float(value):.3f}" for name, value in losses.items())
        self.bar.update(self.task, completed=epoch + 1, losses=text)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.bar.stop()
        atexit.unregister(self.bar.stop)
