"""The players of a game: their networks, and an optimizer for each."""

from collections.abc import Sequence

import keras

from kgan.utils import numbers


class Players:
    """The players of an `AdversarialModel`, by name.

    A name stands for a network or several (an attribute or a property of that name, or a property
    of the plural, such as `generator` or `generators`), a loss (`generator_loss`), an optimizer
    (`compile(generator_optimizer=)`), and for what is logged of it.

    Attributes:
        judges: names of the players that learn from what is made. Default: `("discriminator",)`.
        makers: names of the players whose networks make it. Default: `("generator",)`.
    """

    judges: tuple[str, ...] = ("discriminator",)
    makers: tuple[str, ...] = ("generator",)

    @property
    def players(self) -> tuple[str, ...]:
        """The names of all players, in the order of their turns."""
        return (*self.judges, *self.makers)

    @property
    def discriminators(self) -> Sequence[keras.Model]:
        """The networks of the judges, a tuple."""
        return tuple(network for judge in self.judges for network in self.networks_of(judge))

    @property
    def generators(self) -> Sequence[keras.Model]:
        """The networks of the makers, a tuple."""
        return tuple(network for maker in self.makers for network in self.networks_of(maker))

    def networks_of(self, player: str) -> tuple[keras.Model, ...]:
        """Returns the networks of a player, a tuple.

        Raises:
            ValueError: if the model has no network of this name.
        """
        several = f"{player}s"
        if getattr(type(self), several, None) is not getattr(Players, several, None):
            return tuple(getattr(self, several))
        if not hasattr(self, player):
            raise ValueError(
                f"Store the network as `{player}`, or define the property `{several}` that "
                f"returns its networks. Received: a {type(self).__name__} without `{player}`"
            )
        return (getattr(self, player),)


@keras.saving.register_keras_serializable("kgan")
class PlayerOptimizers(keras.optimizers.Optimizer):
    """Holds one optimizer for each player, so that `model.optimizer` is a single object.

    Keras's trainers read the state to carry through a step from `model.optimizer.variables`, its
    callbacks look for `.optimizers`, and its saving walks the attributes. This class answers all
    three. It never updates anything itself: each player's turn uses that player's optimizer, which
    is an attribute under the player's name.

    Keras's `LearningRateScheduler` and `ReduceLROnPlateau` change all rates, one after the other:
    a schedule that multiplies the rate it is given keeps their ratio, a constant sets them all.
    Each optimizer takes the name of its player, under which callbacks log its rate.

    Args:
        name: of this object. Default: "players".
        **optimizers: a `keras.optimizers.Optimizer` by the name of its player, in the order of the
            turns.

    Raises:
        ValueError: if two players are given the same optimizer object, whose moments would be
            mixed.
    """

    def __init__(self, name="players", **optimizers):
        known = {}
        for player, optimizer in optimizers.items():
            other = known.setdefault(id(_inner(optimizer)), player)
            if other != player:
                raise ValueError(
                    "Each player needs its own optimizer, since an optimizer stores moments of "
                    "the variables that it updates. Create one for each. "
                    f"Received: the same {type(optimizer).__name__} object for {other} and {player}"
                )
        super().__init__(learning_rate=0.0, name=name)
        self.players = tuple(optimizers)
        for player, optimizer in optimizers.items():
            setattr(self, player, optimizer)
            # Optimizers of one class have one name, and callbacks would log one of the rates.
            optimizer.name = player

    def build_players(self, learned):
        """Creates the state of the optimizers.

        Args:
            learned: the variables of each player, by its name.

        Raises:
            ValueError: if one has the state of other variables already.
        """
        for player, variables in learned.items():
            optimizer = self.of(player)
            known = getattr(_inner(optimizer), "_trainable_variables", ())
            if _inner(optimizer).built and ids_of(known) != ids_of(variables):
                raise ValueError(
                    "An optimizer stores moments of the variables that it has updated and cannot "
                    "be used for others: make a new one for each player and each model, and "
                    "after freezing layers of a network. "
                    f"Received: {player}_optimizer, {_class(optimizer)} in use for "
                    f"{len(known)} variables"
                )
            optimizer.build(variables)
        self.built = True

    def build(self, variables):
        """Does nothing: `build_players` has built the optimizers when the model was compiled."""

    def of(self, player):
        """Returns the optimizer of a player."""
        return getattr(self, player)

    @property
    def optimizers(self):
        """The optimizers, in the order of the turns."""
        return [self.of(player) for player in self.players]

    @property
    def variables(self):
        return [variable for optimizer in self.optimizers for variable in optimizer.variables]

    @property
    def learning_rate(self):
        raise AttributeError(
            f"Each player has its own learning rate: use {self._rates()}. "
            "Received: gan.optimizer.learning_rate"
        )

    @learning_rate.setter
    def learning_rate(self, rate):
        raise AttributeError(
            f"Each player has its own learning rate: set {self._rates()}. "
            f"Received: gan.optimizer.learning_rate = {rate!r}"
        )

    def _rates(self):
        last_first = [f"gan.optimizer.{player}.learning_rate" for player in self.players[::-1]]
        return " and ".join(last_first)

    @property
    def iterations(self):
        """The number of steps: the updates of the player whose turn is last, a maker."""
        return self.optimizers[-1].iterations

    def finalize_variable_values(self, variables):
        for optimizer in self.optimizers:
            optimizer.finalize_variable_values(optimizer._trainable_variables)

    def save_own_variables(self, store):
        """Saves nothing: the optimizers are saved as attributes, each under its player's name."""

    def load_own_variables(self, store):
        """Loads nothing, see `save_own_variables`."""

    def get_config(self):
        optimizers = {
            player: keras.saving.serialize_keras_object(self.of(player)) for player in self.players
        }
        return {"name": self.name, **optimizers}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(
            **{
                key: value
                if key == "name"
                else keras.saving.deserialize_keras_object(value, custom_objects)
                for key, value in config.items()
            }
        )


def check_names(players):
    """Raises a ValueError for invalid player names."""
    taken = [name for name in players if not str(name).isidentifier() or _is_taken(name)]
    if taken or len(set(players)) < len(players):
        raise ValueError(
            "judges and makers are tuples of names, each once, that Keras's optimizers do not "
            f"use. Received: {', '.join(map(repr, players))}"
        )


def _is_taken(name):
    return hasattr(PlayerOptimizers, name) or name in ("name", "players")


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


def trainable(networks):
    """Returns the trainable variables of a player's networks."""
    return [variable for network in networks for variable in network.trainable_variables]


def ids_of(variables):
    """Returns a set that identifies variables."""
    return frozenset(map(id, variables))


def _inner(optimizer):
    """Returns an optimizer without its loss scale wrapper."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def _class(optimizer):
    return type(_inner(optimizer)).__name__


def loss_scaled(optimizer, layers):
    """Returns an optimizer with a loss scale of its own, if a layer computes in float16."""
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if scaled or not any(layer.compute_dtype == "float16" for layer in layers):
        return optimizer
    return keras.optimizers.LossScaleOptimizer(optimizer)
