"""The base class of all GANs: what a subclass defines, and Keras's `fit` and `evaluate`."""

import contextlib
import os
import signal
import warnings
from typing import Any

import keras
from keras import ops

from kgan import backend, checks
from kgan.callbacks.terminate_on_nan import watch_losses
from kgan.generation.generate import Generation
from kgan.metrics.compiled_metrics import CompiledMetrics
from kgan.metrics.evaluation import Evaluation
from kgan.training import data_order, streams
from kgan.training.added_losses import AddedLosses
from kgan.training.checkpoint import Checkpoint
from kgan.training.compilation import Compilation
from kgan.training.data_checks import DataChecks
from kgan.training.ema import MovingAverages
from kgan.training.interrupts import Interrupts
from kgan.training.loss_metrics import LossMetrics
from kgan.training.loss_terms import LossTerms
from kgan.training.players import Players
from kgan.training.serialization import Serialization
from kgan.training.step import Step
from kgan.utils import numbers


class AdversarialModel(
    Players,
    Step,
    LossTerms,
    Compilation,
    MovingAverages,
    DataChecks,
    Generation,
    Serialization,
    Evaluation,
    backend.Trainer,
    keras.Model,
):
    """A `keras.Model` trained as a game between players: makers, and judges of what they make.

    Every step follows the same story:

    1. *play*: the makers make their outputs, once for each turn of the judges;
    2. *judge*: the judges are updated on them;
    3. *learn*: the makers are updated through the new judgement.

    To make a new GAN, store the networks as `generator` and `discriminator`, and write `play`,
    `discriminator_loss` and `generator_loss` with `keras.ops`; `fit`, `evaluate`, callbacks,
    saving, three backends and export follow. A loss returns a dictionary of named scalar terms
    whose sum is minimised. Each constructor argument must be kept under its own name (as in
    scikit-learn): that is what saves the model.

    Other players have other names, in `judges` and `makers`: `makers = ("encoder", "decoder")`
    asks for the networks `encoder` and `decoder`, `encoder_loss` and `decoder_loss`, and
    `compile(encoder_optimizer=, decoder_optimizer=)`. A player with several networks has a property
    of the plural, such as `encoders`. Without judges (`judges = ()`) nothing is judged. The network
    that `generate`, `ema` and `export` use is `generator`, which a property may return.

    The property `takes` declares the inputs of the generator: `kgan.Latent`, `kgan.Label` and
    `kgan.Given` in the order of the call. `generate(n, seed=, **given)`, `predict`, exported files
    and their `sample`, measures and the monitor follow from it, and so does
    `inputs_for(batch)`, the generator's inputs in training. Default: one latent.

    The losses can use what `compile` was given: `game`, the two losses; `augment(images)`;
    `judging_terms(judge, real, fake)`, the game's term and the penalties;
    `making_terms(judge, real, fake)`, the maker's side of the game;
    `penalty_terms(judge, real, fake)`, the penalties only; `in_use(network, training)`, which in
    inference is the average of a generator; and `track(name=value)`, which adds a metric.

    Args:
        seed: seed of the latents drawn in training. Default: a random one.
        **kwargs: `name` and `dtype`, as for `keras.Model`.

    Example: a GAN from nothing.

    ```python
    import keras, kgan
    from keras import ops

    @keras.saving.register_keras_serializable("my_package")
    class MyGAN(kgan.AdversarialModel):
        def __init__(self, generator, discriminator, seed=None, **kwargs):
            super().__init__(seed=seed, **kwargs)
            self.generator = generator
            self.discriminator = discriminator

        def play(self, batch, training=True):
            generator = self.in_use(self.generator, training)  # its average, if one is kept
            return {"image": generator(self.inputs_for(batch), training=training)}

        def discriminator_loss(self, batch, outputs, training=True):
            def judge(images):
                return self.discriminator(images, training=training)

            real, fake = self.augment(batch, training), self.augment(outputs["image"], training)
            return self.judging_terms(judge, real, fake)

        def generator_loss(self, batch, outputs, training=True):
            def judge(images):
                return self.discriminator(self.augment(images, training), training=training)

            return {**self.making_terms(judge, batch, outputs["image"]),
                    "brightness": 0.1 * ops.mean(outputs["image"])}
    ```
    """

    unpaired = False  # whether the arrays given to `fit` are shuffled each by itself

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = numbers.seed(seed)
        self.seed_generator = backend.SeedGenerator(self.seed)
        self._loss_metrics = LossMetrics()
        self._added_losses = AddedLosses()
        self._uses: set[str] = set()  # what the losses have called of what compile was given
        self._measures = CompiledMetrics()
        self.scores = {}
        self.averages, self.ema = [], None
        self.built = True  # it has no weights of its own, and its networks are already built

    # What a GAN defines -----------------------------------------------------------------------

    @property
    def smallest_batch(self) -> int:
        """The fewest samples a step can use: one for each turn of the discriminator and device.

        Smaller batches of a stream are skipped; a smaller data set is refused.
        """
        return self.discriminator_steps * backend.devices(self)

    def unpack(self, data: Any) -> Any:
        """Returns the batch that `play` and the losses see, from what `fit` was given.

        Default: `x` as float32, part by part if it is a dictionary or tuple; labels are ignored.
        """
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return keras.tree.map_structure(lambda part: ops.cast(part, "float32"), x)

    def arguments(self, x: Any, y: Any = None) -> tuple[Any, Any]:
        """Returns the `x` and `y` to train on, from the arguments of `fit`. Default: unchanged."""
        return x, y

    def vary(self, batch: Any) -> Any:
        """Returns the batch with random changes such as jitter, for training. Default: unchanged.

        Args:
            batch: what `unpack` returned.
        """
        return batch

    def check_batch(self, batch: Any) -> None:
        """Validates a batch. Default: raises a ValueError if it is not finite.

        `fit` and `evaluate` call it for each batch of a stream that is in host memory, and once for
        whole arrays.

        Args:
            batch: what `fit` was given, as NumPy arrays, before `unpack`.
        """
        checks.check_finite(batch)

    def images_to_make(self, batch: Any) -> list[tuple[keras.Model, Any]]:
        """Returns pairs of a generator and the real images of a batch that it imitates.

        `fit` checks that the images lie in the generator's range. Default: no pairs, no check.

        Args:
            batch: what `fit` was given, as NumPy arrays, before `unpack`.
        """
        return []

    def play(self, batch: Any, training: bool = True) -> dict[str, Any]:
        """Returns the outputs of the generator side for a batch: a dictionary of float tensors."""
        raise NotImplementedError(f"{type(self).__name__} must define play(batch, training)")

    def discriminator_loss(
        self, batch: Any, outputs: dict[str, Any], training: bool = True
    ) -> dict[str, Any]:
        """Returns the terms that the discriminator side minimises, a dictionary of scalars."""
        raise NotImplementedError(
            f"{type(self).__name__} must define discriminator_loss(batch, outputs, training)"
        )

    def generator_loss(
        self, batch: Any, outputs: dict[str, Any], training: bool = True
    ) -> dict[str, Any]:
        """Returns the terms that the generator side minimises, a dictionary of scalars."""
        raise NotImplementedError(
            f"{type(self).__name__} must define generator_loss(batch, outputs, training)"
        )

    # Keras's verbs ----------------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        validation_data: Any = None,
        checkpoint: str | os.PathLike | None = None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Trains as `keras.Model.fit` does, on anything that Keras reads.

        Args:
            x: images, float32 NHWC in [-1, 1]: an array, a `tf.data.Dataset`, a torch
                `DataLoader`, a `keras.utils.PyDataset` or a generator of batches. A tuple of two
                arrays, such as `kgan.data.digits()`, is `x` and `y`: Keras would take it for two
                inputs of one network.
            y: ignored unless the model says otherwise.
            batch_size: for arrays, images per turn of the discriminator; a step uses
                `discriminator_steps` times as many. An incomplete last batch is dropped, which
                leaves out different images each epoch. Default: 32.
            validation_data: real images for `evaluate` after each epoch, in any form that `x`
                accepts. With compiled `metrics` it must not be a Python generator, since they read
                it again.
            checkpoint: a file such as `"run/checkpoint.keras"`, written after each epoch. Where it
                exists, training goes on from it, so a script that was killed is simply started
                again. On a CPU, with arrays, the result is bit for bit that of a run that never
                stopped; a stream must itself give the same batches in the same epoch. Callbacks
                that look for the best epoch (`ModelCheckpoint`, `EarlyStopping`) go on too, and a
                run that one of them has ended stays ended. Only one run at a time can use a file.
                Ctrl-C and SIGTERM end the run after the batch, Ctrl-C without a checkpoint too;
                a second one ends it at once. Default: None, no checkpoint.
            **kwargs: every other argument of `keras.Model.fit`.

        Returns:
            A `keras.callbacks.History`; after a restart, of the epochs since then.

        Raises:
            ValueError: if the model is not compiled, the data cannot be trained on, or the
                checkpoint belongs to a run with other settings or is in use by another run.
            KeyboardInterrupt, SystemExit: after Ctrl-C or SIGTERM.
        """
        self._assert_compiled("fit")
        self.refresh_averages()
        self._assert_same_variables()
        checks.check_no_weights(kwargs)
        checks.check_fit_options({**kwargs, "batch_size": batch_size})
        x, y = self.arguments(x, y)
        y = checks.even(y) if isinstance(y, list) else y
        share = kwargs.pop("validation_split", None)
        if share and validation_data is None:
            (x, y), validation_data = data_order.split(x, y, share)
        turns = self.discriminator_steps
        if hasattr(x, "reorder"):  # what callbacks are shown follows from the seed, too
            x.reorder(data_order.epoch_seed(self))
        first, x = self._check_data(x, y, 32 if batch_size is None else batch_size, training=True)
        if checks.is_arrays(x):
            for part in keras.tree.flatten(first):
                checks.check_varied(part)
        if validation_data is not None:
            size = (batch_size or 32) * (turns if checks.is_arrays(x) else 1)
            size = kwargs.get("validation_batch_size") or size
            steps = kwargs.get("validation_steps")
            validation_data = self._check_validation(validation_data, x, steps, size)
        elif self.score_metrics:
            warnings.warn(
                "The metrics given to compile() compare generated images with real ones, but "
                "this training has no data to measure them on: pass validation_data=, or call "
                "evaluate() afterwards. Received: metrics "
                f"{[metric.name for metric in self.score_metrics]} without "
                "validation_data",
                stacklevel=2,
            )
        options = {**kwargs, "batch_size": batch_size, "validation_data": validation_data}
        options["callbacks"] = watch_losses(options.get("callbacks"))
        data_order.show(options["callbacks"], first, x, batch_size)
        x, y, options = data_order.arrange(self, x, y, options)
        with contextlib.ExitStack() as stack:
            signals = [signal.SIGINT]
            if checkpoint is not None:
                checkpoint = Checkpoint(checkpoint, self, (x, y), options)
                stack.enter_context(checkpoint.locked())
                options = checkpoint.resume(options)
                signals.append(signal.SIGTERM)
            if getattr(x, "even", False):
                x, callbacks = backend.stream(x)
                options = data_order.with_callbacks(options, *callbacks)
            shuffle = options.get("shuffle", True)
            x = streams.watched(x, self._check_one, self.smallest_training_batch, shuffle)
            interrupts = stack.enter_context(Interrupts(signals))
            options = data_order.with_callbacks(options, interrupts)
            self.trained_on = keras.config.backend()
            stack.enter_context(streams.plain_errors(x, validation_data))
            return super().fit(x, y, **options)

    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, **kwargs: Any
    ) -> Any:
        """Returns the losses and metrics in inference mode, as `keras.Model.evaluate` does.

        The losses use new latents in each call, so they differ a little from call to call. Measures
        given to `compile` compare the real images in `x` with as many generated ones, always from
        the same latents, and made by the average of the generator if one is kept. Afterwards
        `scores` has each value with its protocol.
        """
        self._assert_compiled("evaluate")
        self.refresh_averages()
        checks.check_no_weights(kwargs)
        x, y = self.arguments(x, y)
        self._measures.check_data(x)
        if "_use_cached_eval_dataset" not in kwargs:  # else fit calls, which has checked the data
            size = 32 if batch_size is None else batch_size
            _, x = self._check_data(x, y, size)
            x, y = self._large_enough(x, y, size)
        with streams.plain_errors(x):
            return super().evaluate(x, y, batch_size=batch_size, **kwargs)

    def train_on_batch(self, x: Any, y: Any = None, **kwargs: Any) -> Any:
        """Runs one training step, as `keras.Model.train_on_batch` does."""
        self._assert_compiled("train_on_batch")
        self.refresh_averages()
        self._assert_same_variables()
        x, y = self.arguments(x, y)
        self._check_data(x, y, None, training=True)
        return super().train_on_batch(x, y, **kwargs)

    def test_on_batch(self, x: Any, y: Any = None, **kwargs: Any) -> Any:
        """Returns the metrics of one batch, as `keras.Model.test_on_batch` does."""
        self._assert_compiled("test_on_batch")
        self.refresh_averages()
        x, y = self.arguments(x, y)
        self._check_data(x, y, None)
        return super().test_on_batch(x, y, **kwargs)
