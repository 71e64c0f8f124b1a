"""The optimizers of the players, seen by Keras as one."""

import keras

from kgan.utils import numbers


@keras.saving.register_keras_serializable("kgan")
class PlayerOptimizers(keras.optimizers.Optimizer):
    """Holds one optimizer for each player, so that `model.optimizer` is a single object.

    Keras's trainers read the state to carry through a step from `model.optimizer.variables`, its
    callbacks look for `.optimizers`, and its saving walks the attributes. This class answers all
    three. It never updates anything itself: each player's turn uses that player's optimizer.

    Keras's `LearningRateScheduler` and `ReduceLROnPlateau` change both rates, one after the other:
    a schedule that multiplies the rate it is given keeps their ratio, a constant sets both. Each
    optimizer takes the name of its player, under which callbacks log its rate.

    Args:
        discriminator: the `keras.optimizers.Optimizer` of the discriminator.
        generator: the `keras.optimizers.Optimizer` of the generator.

    Raises:
        ValueError: if both players are given the same optimizer object, whose moments would mix.
    """

    def __init__(self, discriminator, generator, name="players"):
        if _inner(discriminator) is _inner(generator):
            raise ValueError(
                "Each player needs an optimizer of its own, since an optimizer keeps the moments "
                "of the variables it updates. Create two. "
                f"Received: the same {type(generator).__name__} object for both players"
            )
        super().__init__(learning_rate=0.0, name=name)
        self.discriminator = discriminator
        self.generator = generator
        # Two optimizers of one class have one name, and callbacks would log one of the two rates.
        discriminator.name, generator.name = "discriminator", "generator"

    def build_players(self, discriminator_variables, generator_variables):
        """Creates the state of both optimizers.

        Raises:
            ValueError: if one has the state of other variables already.
        """
        for optimizer, variables in (
            (self.discriminator, discriminator_variables),
            (self.generator, generator_variables),
        ):
            known = getattr(_inner(optimizer), "_trainable_variables", ())
            if _inner(optimizer).built and ids_of(known) != ids_of(variables):
                raise ValueError(
                    "An optimizer keeps the moments of the variables that it has updated, and "
                    "cannot go on with others: make a new one for each player and each model, and "
                    "for a network some of whose layers have been frozen since. "
                    f"Received: {optimizer.name}_optimizer, {_class(optimizer)} in use for "
                    f"{len(known)} variables"
                )
        self.discriminator.build(discriminator_variables)
        self.generator.build(generator_variables)
        self.built = True

    def build(self, variables):
        """Does nothing: `build_players` has built the optimizers when the model was compiled."""

    @property
    def optimizers(self):
        """The optimizers, the discriminator's first, in the order of the turns."""
        return [self.discriminator, self.generator]

    @property
    def variables(self):
        return self.discriminator.variables + self.generator.variables

    @property
    def learning_rate(self):
        raise AttributeError(
            "Each player has its own learning rate: use gan.optimizer.generator.learning_rate and "
            "gan.optimizer.discriminator.learning_rate. "
            "Received: gan.optimizer.learning_rate"
        )

    @learning_rate.setter
    def learning_rate(self, rate):
        raise AttributeError(
            "Each player has its own learning rate: set gan.optimizer.generator.learning_rate and "
            "gan.optimizer.discriminator.learning_rate. "
            f"Received: gan.optimizer.learning_rate = {rate!r}"
        )

    @property
    def iterations(self):
        """The number of updates of the generator."""
        return self.generator.iterations

    def finalize_variable_values(self, variables):
        for optimizer in self.optimizers:
            optimizer.finalize_variable_values(optimizer._trainable_variables)

    def save_own_variables(self, store):
        """Saves nothing: the two optimizers are saved as attributes, each under its name."""

    def load_own_variables(self, store):
        """Loads nothing, see `save_own_variables`."""

    def get_config(self):
        return {
            "name": self.name,
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "generator": keras.saving.serialize_keras_object(self.generator),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        for player in ("discriminator", "generator"):
            config[player] = keras.saving.deserialize_keras_object(config[player], custom_objects)
        return cls(**config)


def adam_unless_given(name, optimizer):
    """Returns the optimizer of a player, by default that of the DCGAN paper.

    Args:
        name: of the argument, for the message.
        optimizer: what `compile` was given.

    Raises:
        ValueError: if it is not an optimizer, the name of one, or None.
    """
    if optimizer is None:
        return keras.optimizers.Adam(2e-4, beta_1=0.5)
    try:
        return keras.optimizers.get(optimizer)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must be an optimizer of Keras, such as keras.optimizers.Adam(2e-4), or the "
            f"name of one. Received: {name}={numbers.shown(optimizer)}"
        ) from error


def ids_of(variables):
    """What tells a set of variables from another."""
    return frozenset(map(id, variables))


def _inner(optimizer):
    """An optimizer, without the loss scale around it."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def _class(optimizer):
    return type(_inner(optimizer)).__name__


def loss_scaled(optimizer, layers):
    """Returns an optimizer with a loss scale of its own, if a layer computes in float16."""
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if scaled or not any(layer.compute_dtype == "float16" for layer in layers):
        return optimizer
    return keras.optimizers.LossScaleOptimizer(optimizer)
