"""A callback that reports failures of GAN training in words."""

import dataclasses
import json
import os
from typing import Any

import keras
import numpy as np
from keras import ops

from kgan import backend, checks
from kgan.callbacks.monitor.diversity import Drawn, variety
from kgan.callbacks.monitor.held_batch import HeldBatch
from kgan.callbacks.monitor.rules import LOOKS, VARIETY, Diagnoses, Diagnosis
from kgan.metrics.mode_coverage import ModeCoverage
from kgan.utils import files, numbers


class CollapseMonitor(keras.callbacks.Callback):
    """Monitors the variety of the images, the discriminator's accuracy and both gradients.

    After each epoch it generates images from fixed latents and runs one batch without updates, so a
    monitored run takes the same steps as any other. The results go into the logs; signs of known
    failures are reported in words, with the usual remedies. See `kgan.callbacks.monitor.rules` for
    the rules and the reasons for their limits.

    It adds to the logs

    - `diversity`: the root mean square distance between the images, relative to real ones;
    - `distinctness`: the same for distances to the nearest other image, a proxy for modes that also
      falls if a generator repeats a few images;
    - `modes`, `high_quality`, `kl_to_uniform`: with `coverage`, its scores for the images;
    - `discriminator_accuracy_real`, `discriminator_accuracy_fake`: the share of samples judged
      correctly, on one batch of training data. Games that compare scores
      (`wasserstein`, `relativistic`) have no threshold between real and fake; the middle of the
      two mean scores replaces it, so 0.5 means guessing there too, but 1 is not a failure;
    - `generator_gradient`, `discriminator_gradient`: the norms of their gradients, on that batch;
    - `loss_ratio`: the absolute value of the generator's loss divided by the discriminator's.

    Callbacks that read the logs (`CSVLogger`, `TensorBoard`, `EarlyStopping`) must come after this
    one in the list; the `History` that `fit` returns always does. In `kgan.Pix2Pix` and
    `kgan.CycleGAN` the images are translations of held inputs, compared with real images of the
    same side, for a CycleGAN in the less varied of its two directions. With `ema` the images come
    from the generator's average and the gradients from the trained generator.

    Args:
        count: number of images to generate, and of real ones to compare with. Default: 64.
        every: training steps between looks, in addition to one after each epoch, for long epochs.
            Default: None, only after epochs.
        real_images: a batch to compare with, in the form that `fit` takes: images, or a tuple of
            images and labels, or of both sides of a translator. Default: up to `count` samples of
            the training data; the first batch of streams that cannot be indexed.
        coverage: a `kgan.metrics.ModeCoverage` to count modes with. Default: none.
        looks: how many looks in a row must show a symptom before it is reported. Default: 3. Values
            that are not finite are reported at once.
        stop: whether to end training when a symptom is reported. Default: False.
        restore_best: whether to restore the networks, averages and optimizers of the last look
            without any symptom if training ends with one. They are the last healthy ones, not
            necessarily the best by a measure. A later callback that restores weights, such as
            `EarlyStopping(restore_best_weights=True)`, takes precedence. Default: False.
        log: a file such as `"run/warnings.jsonl"` that gets a line of JSON for each warning,
            immediately; overwritten unless training continues from a later epoch. Default: none.
        verbose: whether to print the reports. Default: True.
        seed: seed of the latents. Default: 0.

    Attributes:
        history: list of dictionaries, one per look, with `epoch`, the logged values, and the
            `updates` of the generator that show in its images (with an average, those older than
            its memory). The first is from before training.
        restored_epoch: the epoch whose weights were restored, 0 for those before training; None if
            nothing was restored.
        warnings: list of `kgan.callbacks.monitor.rules.Diagnosis`, each with `epoch` (from 1),
            `rule`, `text` and `remedies`.

    Raises:
        ValueError: if `count`, `every` or `looks` is not a positive integer, `count` is 1, the
            seed is not an integer from 0, or `real_images` are not arrays; when training begins,
            for a batch of only one real image, or a custom model that neither generates nor
            translates.

    Example:

    ```python
    monitor = kgan.callbacks.CollapseMonitor(stop=True, restore_best=True)
    gan.fit(images, batch_size=64, epochs=100, callbacks=[monitor])
    for warning in monitor.warnings:
        print(warning)
    ```
    """

    def __init__(
        self,
        count: int = 64,
        every: int | None = None,
        real_images: Any = None,
        coverage: ModeCoverage | None = None,
        looks: int = LOOKS,
        stop: bool = False,
        restore_best: bool = False,
        log: str | os.PathLike | None = None,
        verbose: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if coverage is not None and not isinstance(coverage, ModeCoverage):
            raise ValueError(
                f"coverage is a kgan.metrics.ModeCoverage or None. Received: coverage={coverage!r}"
            )
        if real_images is not None:
            first: Any = None if isinstance(real_images, (dict, list)) else real_images
            first = first[0] if isinstance(first, tuple) and first else first
            if not checks.is_arrays(first):
                raise ValueError(
                    "real_images must be a batch in the form that fit takes, such as images[:64]. "
                    f"Received: real_images={numbers.shown(real_images)}"
                )
            checks.check_images(first, first.shape[1:], "monitor")
        self.count = numbers.count("count", count)
        if self.count < 2:
            raise ValueError(
                f"The variety of one image cannot be measured: raise count. Received: count={count}"
            )
        self.every = None if every is None else numbers.count("every", every)
        self.real_images = real_images
        self.coverage = coverage
        self.looks = numbers.count("looks", looks)
        self.stop = numbers.flag("stop", stop)
        self.restore_best = numbers.flag("restore_best", restore_best)
        self.log = None if log is None else checks.check_path("log", log)
        self.verbose = numbers.flag("verbose", verbose)
        self.seed = numbers.fixed_seed(seed)
        self.history: list[dict[str, Any]] = []
        self.warnings: list[Diagnosis] = []
        self.restored_epoch: int | None = None
        self._shown: Any = None
        self._good: Any = None
        if every is not None:
            # As an attribute: Keras runs ahead of callbacks that have no method of this name.
            self.on_train_batch_end = self._after_step

    def see(self, batch: Any, batch_size: int) -> None:
        """Receives samples of the training data and the batch size; `fit` calls this."""
        self._shown = batch, batch_size

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.history, self.warnings = [], []
        self.restored_epoch = self._good = None
        shown, size = self._shown or (self.real_images, self.count)
        if shown is None:
            raise ValueError(
                "There is nothing to compare with: give real_images=, or train with fit() of a "
                f"kgan model. Received: real_images=None with a {type(self.model).__name__}"
            )
        real = shown if self.real_images is None else self.real_images
        self._drawn = Drawn(self.model, real, self.count, self.seed)
        size = max(size - size % self.model.smallest_batch, self.model.smallest_batch)
        self._held = HeldBatch(self.model, keras.tree.map_structure(lambda x: x[:size], shown))
        self._diagnoses = Diagnoses(self.looks, "looks" if self.every else "epochs")

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not self.history:
            if self.log and epoch == 0:
                # Empty, it tells that all was well.
                files.write_text(self.log, "")
            self._epoch = epoch
            self.history.append({"epoch": epoch, "updates": self._updates(), **self._measures()})
            self._keep()
        self._epoch = epoch + 1

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        found = self._look(logs or {})
        if logs is not None:
            logs.update(found)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.restore_best and self._diagnoses.ill:
            self.restore()
            if self.verbose:
                print(f"\nTraining ended in epoch {self._epoch}; {self._restored()}.")

    def restore(self) -> None:
        """Restores networks, averages and optimizers of the last look without any symptom.

        Use it after training that ended in an error. Needs `restore_best=True`.

        Raises:
            ValueError: if there is no such look.
        """
        if self._good is None:
            raise ValueError(
                "There are no weights to restore: pass restore_best=True, and train until a "
                "look shows no symptom. Received: a call of restore() without such a look"
            )
        backend.sync(self.model)
        self.restored_epoch, _, state = self._good
        for variable, value in zip(_state(self.model), state, strict=True):
            variable.assign(value)

    def _after_step(self, batch, logs=None):
        # The last step of an epoch is looked at when the epoch ends.
        if (batch + 1) % self.every == 0 and batch + 1 != self.params.get("steps"):
            self._look(logs or {})

    def _look(self, logs):
        names = [f"{player}_loss" for player in self.model.players]
        losses = {name: float(logs[name]) for name in names if name in logs}
        found = self._measures()
        if len(losses) == 2 and len(self.model.judges) == 1:
            discriminator, generator = (abs(losses[name]) for name in names)
            found["loss_ratio"] = generator / max(discriminator, 1e-12)
        self.history.append({"epoch": self._epoch, "updates": self._updates(), **losses, **found})
        for diagnosis in self._diagnoses(self.history, self.model.game, self.model.judges):
            self.warnings.append(diagnosis)
            if self.log:
                files.append_line(self.log, json.dumps(dataclasses.asdict(diagnosis)))
            if self.verbose:
                print(f"\n{diagnosis}")
            if self.stop:
                self.model.stop_training = True
        self._keep()
        return found

    def _keep(self):
        if self.restore_best and not self._diagnoses.ill:
            backend.sync(self.model)
            state = [ops.convert_to_numpy(variable).copy() for variable in _state(self.model)]
            updates = int(ops.convert_to_numpy(self.model.optimizer.iterations))
            self._good = self.history[-1]["epoch"], updates, state

    def _restored(self):
        epoch, updates, _ = self._good
        if not updates:
            return "no look since was without a symptom, so the untrained weights are back"
        after = f"epoch {epoch}, after {updates:,} updates," if self.every else f"epoch {epoch}"
        return f"the weights of {after} are back, the last ones without a symptom"

    def _measures(self):
        state = backend.random_state()  # which even `predict` moves on PyTorch
        pairs = self._drawn()
        backend.set_random_state(state)
        # Of several directions the worse one, and what is not finite in either.
        lowest = np.min([variety(made, real) for made, real in pairs], axis=0)
        found = dict(zip(VARIETY, map(float, lowest), strict=True))
        if self.coverage is not None:
            self.coverage.reset_state()
            self.coverage.update_state(np.nan_to_num(pairs[0][0], nan=0, posinf=0, neginf=0))
            found |= {
                name.removeprefix(f"{self.coverage.name}_"): float(value)
                for name, value in self.coverage.result().items()
            }
        return found | self._held()

    def _updates(self):
        """Returns the updates that show in the images: an average consists of older weights."""
        backend.sync(self.model)
        updates = int(ops.convert_to_numpy(self.model.optimizer.iterations))
        memory = 3 / (1 - self.model.ema) if self.model.averages else 0
        return max(updates - memory, 0)


def _state(model):
    """Returns all variables that training changes, except seeds, so that new draws follow."""
    return [*model.weights, *model.optimizer.variables]
