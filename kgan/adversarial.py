"""The game on `keras.Model`: play, judge, learn, written once for three backends."""

import inspect

import keras
import numpy as np
from keras import ops

from kgan import augmentations as augmentations_module
from kgan import averages, backend, checks, losses
from kgan import penalties as penalties_module
from kgan.layers import SpectralNormalization
from kgan.means import Means
from kgan.optimizers import PlayerOptimizers


class AdversarialModel(keras.Model):
    """A `keras.Model` that two players train: a discriminator side and a generator side.

    Every step follows the same story:

    1. *play*: the generator side makes its outputs, once;
    2. *judge*: the discriminator side is updated on them;
    3. *learn*: the generator side is updated through the discriminator's new judgement.

    To make a new GAN, store the networks as attributes and write `play`, `discriminator_loss`
    and `generator_loss` with `keras.ops`; `fit`, `evaluate`, callbacks, saving, three backends
    and export follow. A loss returns a dictionary of named scalar terms whose sum is minimised.
    Each constructor argument must be kept under its own name (as in scikit-learn): that is what
    saves the model.

    Args:
        seed: seed of the latents drawn in training. Default: a random one.
        **kwargs: `name` and `dtype`, as for `keras.Model`.

    Example: a GAN whose generator also keeps its images dark.

    ```python
    @keras.saving.register_keras_serializable("my_package")
    class DarkGAN(kgan.GAN):
        def generator_loss(self, batch, outputs, training=True):
            terms = super().generator_loss(batch, outputs, training)
            return {**terms, "brightness": ops.mean(outputs["image"])}
    ```
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self._means = Means()
        self.averages = []

    # What a GAN defines -----------------------------------------------------------------------

    @property
    def discriminators(self):
        """The networks of the discriminator side, a tuple."""
        return (self.discriminator,)

    @property
    def generators(self):
        """The networks of the generator side, a tuple."""
        return (self.generator,)

    @property
    def smallest_batch(self):
        """The fewest samples a step can use: one for each turn of the discriminator."""
        return self.discriminator_steps

    def unpack(self, data):
        """Returns the batch that `play` and the losses see, from what `fit` was given.

        Default: the images alone, as float32; labels beside them are ignored.
        """
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return ops.cast(x, "float32")

    def check_batch(self, batch):
        """Raises a ValueError if the first batch given to `fit` is not fit to train on.

        Args:
            batch: what `fit` was given, as NumPy arrays, before `unpack`.
        """

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

    # The step ---------------------------------------------------------------------------------

    @backend.step
    def train_step(self, data):
        *parts, batch = self._parts(self.unpack(data))
        _move_spectral_vectors(self.generators)
        for part in parts:
            self._discriminator_turn(part, _stop_gradient(self.play(part)))

        (outputs, _), pull_play = backend.vjp(
            self,
            lambda: (self.play(batch), _regularization(self.generators)),
            variables=_trainable(self.generators),
        )
        outputs = _stop_gradient(outputs)
        self._discriminator_turn(batch, outputs)
        self._generator_turn(batch, outputs, pull_play)
        if self.ema:
            averages.update(self.generators, self.averages, self.ema, self.optimizer.iterations)
        return self.get_metrics_result()

    def _parts(self, batch):
        """Splits a batch into fresh data for each of the discriminator's turns."""
        count = self.discriminator_steps
        size = ops.shape(keras.tree.flatten(batch)[0])[0] // count
        return [
            keras.tree.map_structure(lambda x, i=i: x[i * size : (i + 1) * size], batch)
            for i in range(count)
        ]

    def _discriminator_turn(self, batch, outputs):
        optimizer = self.optimizer.discriminator
        variables = _trainable(self.discriminators)
        _move_spectral_vectors(self.discriminators)
        terms, pull = backend.vjp(
            self, lambda: self._discriminator_terms(batch, outputs), variables=variables
        )
        gradients, _ = pull(_ones(terms, optimizer))
        self._update("discriminator", gradients, variables)
        for constraint in self.penalties:
            if hasattr(constraint, "constrain"):
                constraint.constrain(variables)
        self._track_terms("discriminator", terms, batch)

    def _generator_turn(self, batch, outputs, pull_play):
        optimizer = self.optimizer.generator
        terms, pull = backend.vjp(
            self,
            lambda outputs: _float32(self.generator_loss(batch, outputs)),
            inputs=(outputs,),
        )
        _, (output_gradients,) = pull(_ones(terms, optimizer))
        regularization = _regularization(self.generators)
        gradients, _ = pull_play((output_gradients, _ones(regularization, optimizer)))
        self._update("generator", gradients, _trainable(self.generators))
        self._track_terms("generator", terms | regularization, batch)

    def _update(self, player, gradients, variables):
        optimizer = getattr(self.optimizer, player)
        before = ops.cast(optimizer.iterations, "float32")
        backend.update(optimizer, gradients, variables)
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            # It counts no iteration when it skips an update because a gradient has overflowed.
            done = ops.cast(optimizer.iterations, "float32") - before
            self._means.update(f"{player}_skipped_updates", 1 - done)

    @backend.step
    def test_step(self, data):
        self._look(self.unpack(data), training=False)
        return self.get_metrics_result()

    def _look(self, batch, training):
        """Plays and judges without learning."""
        outputs = self.play(batch, training)
        terms = self._discriminator_terms(batch, outputs, training)
        self._track_terms("discriminator", terms, batch)
        terms = _float32(self.generator_loss(batch, outputs, training))
        self._track_terms("generator", terms | _regularization(self.generators), batch)

    def _discriminator_terms(self, batch, outputs, training=True):
        terms = _float32(self.discriminator_loss(batch, outputs, training))
        return terms | _regularization(self.discriminators)

    def in_use(self, network, training):
        """Returns the generator network to call: in inference its average, if one is kept."""
        if training or not self.averages:
            return network
        return self.averages[self.generators.index(network)]

    def augment(self, images, training=True):
        """Returns images as the discriminator is to see them."""
        for augmentation in self.augmentations if training else ():
            images = augmentation(images, self.seed_generator)
        return images

    def penalty_terms(self, judge, real, fake):
        """Returns the penalties given to `compile`, for use in a `discriminator_loss`.

        Args:
            judge: a function from what the discriminator judges to its logits.
            real, fake: the two kinds of samples to judge, `(batch, ...)`.

        Returns:
            A dictionary of scalar terms, weighted.
        """
        terms = {}
        for penalty in self.penalties:
            if not hasattr(penalty, "term"):
                continue
            # Drawn here and not inside the condition, where seeds would go astray.
            points = ops.stop_gradient(penalty.prepare(real, fake, self.seed_generator))

            def term(penalty=penalty, points=points):
                gradient = backend.input_gradient(self, judge, points)
                return penalty.term(ops.cast(gradient, "float32"))

            terms[penalty.name] = penalty.weight * self._lazily(term, penalty.interval)
        return terms

    def _lazily(self, term, interval):
        """The term in every `interval`-th discriminator turn, times `interval`; else zero."""
        if interval == 1:
            return term()
        due = self.optimizer.discriminator.iterations % interval == 0
        return interval * ops.cond(due, term, lambda: ops.zeros((), "float32"))

    # Metrics ----------------------------------------------------------------------------------

    @property
    def metrics(self):
        return list(self._means.metrics.values())

    def track(self, **values):
        """Shows values among the metrics; call it inside `discriminator_loss` or `generator_loss`.

        Args:
            **values: name and value, a scalar or a tensor whose mean is shown.
        """
        for name, value in values.items():
            self._means.update(name, value)

    def _track_terms(self, player, terms, batch):
        count = ops.shape(keras.tree.flatten(batch)[0])[0]
        self._means.update(f"{player}_loss", sum(terms.values()), count)
        if len(terms) > 1:
            for name, value in terms.items():
                self._means.update(f"{player}_{name}", value, count)

    def _find_metrics(self, batch):
        """A dry run names the metrics, and shows what is wrong with the losses before training."""
        if not self._means.metrics:
            with self._means.finding():
                backend.dry_run(self, lambda: self._look(self.unpack(batch), training=True))
                for player in ("discriminator", "generator"):
                    optimizer = getattr(self.optimizer, player)
                    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
                        self._means.update(f"{player}_skipped_updates", 0.0)

    # Keras's verbs ----------------------------------------------------------------------------

    def compile(
        self,
        loss="non_saturating",
        penalties=(),
        augmentations=(),
        generator_optimizer=None,
        discriminator_optimizer=None,
        discriminator_steps=1,
        ema=None,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
    ):
        """Chooses the game and the optimizers.

        Args:
            loss: the game: `"non_saturating"` (default), `"minimax"`, `"wasserstein"`,
                `"least_squares"`, `"hinge"`, `"relativistic"`, or an object, see
                `kgan.losses.Game`.
            penalties: objects of `kgan.penalties`, such as `[R1(10.0)]`. Default: none.
            augmentations: objects of `kgan.augmentations`, applied to whatever the discriminator
                judges, such as `[DiffAugment()]`. Default: none.
            generator_optimizer: a `keras.optimizers.Optimizer` or its name. Default: Adam with
                rate 2e-4 and beta_1 0.5, after the DCGAN paper (Radford et al., 2016).
            discriminator_optimizer: the same for the discriminator; an object of its own.
            discriminator_steps: turns of the discriminator for each of the generator's, each on
                fresh real and generated samples. Default: 1.
            ema: decay of the exponential moving average of the generator's weights, such as 0.999.
                `generate`, `predict`, `evaluate` and `export` then use the average (Yazici et al.,
                The Unusual Effectiveness of Averaging in GAN Training, 2019). Default: None, off.
            run_eagerly, steps_per_execution, jit_compile: as in `keras.Model.compile`.

        Raises:
            ValueError: for an unknown game, penalties that contradict each other, one optimizer
                for both players, a player that has nothing to train, or no discriminator steps.
        """
        self.game = losses.get(loss)
        self.penalties = penalties_module.check(penalties)
        self.augmentations = augmentations_module.check(augmentations)
        if not isinstance(discriminator_steps, int) or discriminator_steps < 1:
            raise ValueError(
                "discriminator_steps must be a positive integer. "
                f"Received: discriminator_steps={discriminator_steps!r}"
            )
        self.discriminator_steps = discriminator_steps
        if ema is not None and not 0 < ema < 1:
            raise ValueError(f"ema must be a decay in (0, 1), or None. Received: ema={ema!r}")
        self.ema = ema
        self.averages = [averages.average_of(network) for network in self.generators if ema]
        self._compile_arguments = {
            "loss": self.game,
            "penalties": self.penalties,
            "augmentations": self.augmentations,
            "generator_optimizer": _adam(generator_optimizer),
            "discriminator_optimizer": _adam(discriminator_optimizer),
            "discriminator_steps": discriminator_steps,
            "ema": ema,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        variables = {}
        for player, networks in [
            ("discriminator", self.discriminators),
            ("generator", self.generators),
        ]:
            variables[player] = _trainable(networks)
            if not variables[player]:
                raise ValueError(
                    f"The {player} has nothing to train: set `trainable = True` on the network or "
                    f"on some of its layers before compile(). Received: {networks[0].name!r} "
                    "without trainable variables"
                )
        for layer in _spectral_layers((*self.discriminators, *self.generators)):
            layer.moved_by_model = True
        players = PlayerOptimizers(
            _loss_scaled(self._compile_arguments["discriminator_optimizer"], self.discriminators),
            _loss_scaled(self._compile_arguments["generator_optimizer"], self.generators),
        )
        players.build_players(variables["discriminator"], variables["generator"])
        self._means = Means()
        super().compile(
            optimizer=players,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            auto_scale_loss=False,
        )

    def fit(self, x=None, y=None, batch_size=None, validation_data=None, **kwargs):
        """Trains as `keras.Model.fit` does, on anything that Keras reads.

        Args:
            x: images, float32 NHWC in [-1, 1]: an array, a `tf.data.Dataset`, a torch
                `DataLoader`, a `keras.utils.PyDataset` or a generator of batches.
            y: ignored unless the model says otherwise.
            batch_size: images a turn of the discriminator, for arrays (a step takes
                `discriminator_steps` times as many). Default: 32.
            validation_data: real images for `evaluate` after each epoch.
            **kwargs: every other argument of `keras.Model.fit`.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            ValueError: if the model is not compiled, or the data cannot be trained on.
        """
        self._assert_compiled("fit")
        if validation_data is not None:
            val_x, val_y, _ = keras.utils.unpack_x_y_sample_weight(validation_data)
            self._check_data(val_x, val_y, None)
        x = self._check_data(x, y, batch_size)
        if checks.is_stream(x):
            kwargs.setdefault("shuffle", False)  # Keras warns that it cannot shuffle these
        if checks.is_arrays(x):
            batch_size = (batch_size or 32) * self.discriminator_steps
            x, y = checks.whole_turns((x, y), batch_size, self.smallest_batch)
        return super().fit(x, y, batch_size=batch_size, validation_data=validation_data, **kwargs)

    def evaluate(self, x=None, y=None, batch_size=None, **kwargs):
        """Returns the losses and metrics in inference mode, as `keras.Model.evaluate` does."""
        self._assert_compiled("evaluate")
        if "_use_cached_eval_dataset" not in kwargs:  # else fit calls, which has checked the data
            x = self._check_data(x, y, batch_size)
        return super().evaluate(x, y, batch_size=batch_size, **kwargs)

    def train_on_batch(self, x, y=None, **kwargs):
        """One step, as in `keras.Model.train_on_batch`."""
        self._assert_compiled("train_on_batch")
        self._check_data(x, y, None)
        return super().train_on_batch(x, y, **kwargs)

    def test_on_batch(self, x, y=None, **kwargs):
        """The metrics of one batch, as in `keras.Model.test_on_batch`."""
        self._assert_compiled("test_on_batch")
        self._check_data(x, y, None)
        return super().test_on_batch(x, y, **kwargs)

    def _assert_compiled(self, method):
        if not self.compiled:
            raise ValueError(
                f"Call compile() before {method}(): gan.compile() alone has good defaults. "
                f"Received: {method}() on a model that is not compiled"
            )

    def _check_data(self, x, y, batch_size):
        batch, x = checks.first_batch(x, y, batch_size)
        self.check_batch(batch)
        if not checks.is_arrays(x):
            checks.check_divisible(batch, self.discriminator_steps)
        self._find_metrics(keras.tree.map_structure(lambda array: array[:32], batch))
        return x

    # Samples ----------------------------------------------------------------------------------

    @property
    def latent_shape(self):
        """The shape of one latent, from the generator's input."""
        return tuple(self.generator.input_shape[1:])

    def sample_latents(self, batch_size):
        """Draws latents for a training step: float32 of a standard normal."""
        return keras.random.normal((batch_size, *self.latent_shape), seed=self.seed_generator)

    def call(self, latents, training=False):
        """Returns the images of latents, so that `predict` does too."""
        return self.in_use(self.generator, training)(latents, training=training)

    def generate(self, n, seed=None, batch_size=64):
        """Returns `n` generated images.

        Args:
            n: how many, at least 1.
            seed: an int gives the same latents on every call and on every backend. Default: new
                ones each time.
            batch_size: how many at a time.

        Returns:
            float32 NumPy array `(n, height, width, channels)` in the generator's range.

        Raises:
            ValueError: if `n` is not a positive integer.
        """
        if not isinstance(n, (int, np.integer)) or n < 1:
            raise ValueError(f"Ask for at least one image, as an integer. Received: n={n!r}")
        backend.sync(self)
        latents = np.random.default_rng(seed).standard_normal((n, *self.latent_shape), np.float32)
        images = self.predict(latents, batch_size=batch_size, verbose=0)
        return np.asarray(images, "float32")

    # Saving and export ------------------------------------------------------------------------

    def get_config(self):
        own = [name for name in inspect.signature(type(self).__init__).parameters if name != "self"]
        config = {
            name: keras.saving.serialize_keras_object(getattr(self, name))
            for name in own
            if name != "kwargs"
        }
        return {**super().get_config(), **config, "seed": self.seed}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(
            **{
                name: keras.saving.deserialize_keras_object(value, custom_objects)
                if isinstance(value, dict) and "class_name" in value
                else value
                for name, value in config.items()
            }
        )

    def get_compile_config(self):
        if not self.compiled:
            return {}
        return {
            name: keras.saving.serialize_keras_object(value)
            for name, value in self._compile_arguments.items()
        }

    def compile_from_config(self, config):
        if config:
            self.compile(**keras.saving.deserialize_keras_object(config))

    def save_own_variables(self, store):
        super().save_own_variables(store)
        # Keras leaves out the state of seed generators, without which neither the latents nor
        # the dropout masks after loading would be those of a run that never stopped.
        for i, seed in enumerate(self._seeds()):
            store[f"seed_{i}"] = seed

    def load_own_variables(self, store):
        for i, seed in enumerate(self._seeds()):
            seed.assign(store[f"seed_{i}"])
        names = [name for name in list(store.keys()) if not name.startswith("seed_")]
        super().load_own_variables({name: store[name] for name in names})

    def _seeds(self):
        weights = {id(weight) for weight in self.weights}
        return [variable for variable in self.variables if id(variable) not in weights]

    def export(self, path, formats=None, **options):
        """Exports the generator and proves that the file gives the same images.

        Args:
            path: where to; the suffix chooses the format (`"generator.onnx"`).
            formats: for a `path` without suffix, the formats of the bundle.
            **options: see `kgan.export.export`.

        Returns:
            A `kgan.export.ExportReport`.

        Raises:
            kgan.export.ExportError: if a file cannot be made or its images differ.
        """
        from kgan.export import export

        backend.sync(self)
        options.setdefault("input_names", ["latent"])
        options.setdefault("output_names", ["image"])
        generator = self.in_use(self.generator, training=False)
        return export(generator, path, formats, **options)


def _trainable(networks):
    return [variable for network in networks for variable in network.trainable_variables]


def _layers(networks):
    """Every layer of the networks, nested ones included."""
    for network in networks:
        yield network
        yield from _layers(getattr(network, "layers", ()))


def _spectral_layers(networks):
    return [layer for layer in _layers(networks) if isinstance(layer, SpectralNormalization)]


def _move_spectral_vectors(networks):
    for layer in _spectral_layers(networks):
        layer.move()


def _stop_gradient(outputs):
    return keras.tree.map_structure(ops.stop_gradient, outputs)


def _regularization(networks):
    """The weight regularizers of the networks' own layers, as a term if there are any."""
    penalties = [
        variable.regularizer(variable)
        for variable in _trainable(networks)
        if getattr(variable, "regularizer", None) is not None
    ]
    return {"regularization": ops.cast(sum(penalties), "float32")} if penalties else {}


def _float32(terms):
    return {name: ops.cast(value, "float32") for name, value in terms.items()}


def _ones(terms, optimizer):
    """The cotangents that minimise the sum of the terms, times the optimizer's loss scale."""
    return {name: optimizer.scale_loss(ops.ones_like(value)) for name, value in terms.items()}


def _loss_scaled(optimizer, networks):
    """Gives a player that computes in float16 a loss scale of its own."""
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if scaled or not any(layer.compute_dtype == "float16" for layer in _layers(networks)):
        return optimizer
    return keras.optimizers.LossScaleOptimizer(optimizer)


def _adam(optimizer):
    if optimizer is None:
        return keras.optimizers.Adam(2e-4, beta_1=0.5)
    return keras.optimizers.get(optimizer)
