"""The game on `keras.Model`: what a GAN defines, and the verbs that Keras's users know."""

import contextlib
import os
import signal
import warnings

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
    """A `keras.Model` whose players learn from each other: judges, and makers of what is judged.

    Every step follows the same story:

    1. *play*: the makers make their outputs, once;
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

    What the generator is called with is declared: the property `takes` lists `kgan.Latent`,
    `kgan.Label` and `kgan.Given` in order. `generate(n, seed=, **given)`, `predict`, exported files
    and their `sample`, measures and the monitor follow from it; so does `inputs_for(batch)`, what
    the generator is called with in training. Default: one latent.

    What `compile` was given is at hand: `game`, the two losses; `augment(images)`;
    `judging_terms(judge, real, fake)`, the game's term and the penalties;
    `making_terms(judge, real, fake)`, the maker's side of the game;
    `penalty_terms(judge, real, fake)`, these alone; `in_use(network, training)`, the average of a
    generator where it is to be used; and `track(name=value)` shows a value among the metrics.

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

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = numbers.seed(seed)
        self.seed_generator = backend.SeedGenerator(self.seed)
        self._loss_metrics = LossMetrics()
        self._added_losses = AddedLosses()
        self._uses = set()  # what the losses have called of what compile was given
        self._measures = CompiledMetrics()
        self.scores = {}
        self.averages, self.ema = [], None
        self.built = True  # it owns no weights: its networks are built when they are given to it

    # What a GAN defines -----------------------------------------------------------------------

    @property
    def smallest_batch(self):
        """The fewest samples a step can use: one for each turn of the discriminator and device.

        Batches of a stream that have fewer are left out; fewer in all are refused.
        """
        return self.discriminator_steps * backend.devices(self)

    def unpack(self, data):
        """Returns the batch that `play` and the losses see, from what `fit` was given.

        Default: `x` alone, as float32; labels beside it are ignored. Of a dictionary or tuple each
        part.
        """
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return keras.tree.map_structure(lambda part: ops.cast(part, "float32"), x)

    def arguments(self, x, y=None):
        """Returns `x` and `y` as they are meant. Default: as they were given to `fit`."""
        return x, y

    def vary(self, batch):
        """Returns the batch with random changes, such as jitter, in training alone. Default: none.

        Args:
            batch: what `unpack` returned.
        """
        return batch

    def check_batch(self, batch):
        """Raises a ValueError if a batch is not fit to train on. Default: if it is not finite.

        `fit` and `evaluate` call it with each batch of a stream that is in the host's memory, and
        with arrays once, with all of them.

        Args:
            batch: what `fit` was given, as NumPy arrays, before `unpack`.
        """
        checks.check_finite(batch)

    def images_to_make(self, batch):
        """Returns pairs of a generator and the real images of a batch that its own are to be like.

        Their range must be that of the generator. Default: none, nothing is looked at.

        Args:
            batch: what `fit` was given, as NumPy arrays, before `unpack`.
        """
        return []

    def play(self, batch, training=True):
        """Returns what the generator side makes of a batch: a dictionary of float tensors."""
        raise NotImplementedError(f"{type(self).__name__} must define play(batch, training)")

    def discriminator_loss(self, batch, outputs, training=True):
        """Returns the terms that the discriminator side minimises, a dictionary of scalars."""
        raise NotImplementedError(
            f"{type(self).__name__} must define discriminator_loss(batch, outputs, training)"
        )

    def generator_loss(self, batch, outputs, training=True):
        """Returns the terms that the generator side minimises, a dictionary of scalars."""
        raise NotImplementedError(
            f"{type(self).__name__} must define generator_loss(batch, outputs, training)"
        )

    # Keras's verbs ----------------------------------------------------------------------------

    def fit(
        self,
        x=None,
        y=None,
        batch_size: int | None = None,
        validation_data=None,
        checkpoint: str | os.PathLike | None = None,
        **kwargs,
    ) -> keras.callbacks.History:
        """Trains as `keras.Model.fit` does, on anything that Keras reads.

        Args:
            x: images, float32 NHWC in [-1, 1]: an array, a `tf.data.Dataset`, a torch
                `DataLoader`, a `keras.utils.PyDataset` or a generator of batches. A tuple of two
                arrays, such as `kgan.data.digits()`, is `x` and `y`: Keras would take it for two
                inputs of one network.
            y: ignored unless the model says otherwise.
            batch_size: images a turn of the discriminator, for arrays (a step takes
                `discriminator_steps` times as many). Images that do not fill a last batch are
                left out, others each epoch. Default: 32.
            validation_data: real images for `evaluate` after each epoch, in any form that `x` has;
                no generator where there are `metrics`, which go over the images a second time.
            checkpoint: a file such as `"run/checkpoint.keras"`, written after each epoch. Where it
                exists, training goes on from it, so a script that was killed is simply started
                again. On a CPU, with arrays, the result is bit for bit that of a run that never
                stopped; a stream must itself give the same batches in the same epoch. Callbacks
                that look for the best epoch (`ModelCheckpoint`, `EarlyStopping`) go on too, and a
                run that one of them has ended stays ended. One run at a time may have a file.
                Ctrl-C and SIGTERM end the run after the batch, Ctrl-C without a checkpoint too;
                a second one ends it at once. Default: None, no checkpoint.
            **kwargs: every other argument of `keras.Model.fit`.

        Returns:
            A `keras.callbacks.History`; after a restart, of the epochs since.

        Raises:
            ValueError: if the model is not compiled, the data cannot be trained on, or the
                checkpoint is of a run with other settings or in use by another one.
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
                "The metrics given to compile() compare generated images with real ones, and are "
                "not measured in this training: pass validation_data=, or call evaluate() after "
                f"it. Received: metrics {[metric.name for metric in self.score_metrics]} without "
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

    def evaluate(self, x=None, y=None, batch_size=None, **kwargs):
        """Returns the losses and metrics in inference mode, as `keras.Model.evaluate` does.

        The losses are of other latents each time, so they differ a little from call to call.
        Measures given to `compile` compare as many generated images as there are real ones in `x`,
        of latents that are the same each time, and of the average of the generator if one is kept.
        Their protocols are then in `scores`.
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

    def train_on_batch(self, x, y=None, **kwargs):
        """One step, as in `keras.Model.train_on_batch`."""
        self._assert_compiled("train_on_batch")
        self.refresh_averages()
        self._assert_same_variables()
        x, y = self.arguments(x, y)
        self._check_data(x, y, None, training=True)
        return super().train_on_batch(x, y, **kwargs)

    def test_on_batch(self, x, y=None, **kwargs):
        """The metrics of one batch, as in `keras.Model.test_on_batch`."""
        self._assert_compiled("test_on_batch")
        self.refresh_averages()
        x, y = self.arguments(x, y)
        self._check_data(x, y, None)
        return super().test_on_batch(x, y, **kwargs)
