"""Checks of custom GAN classes, made in `compile` and on the first batch."""

import inspect

import keras

from kgan.utils import numbers


def check_class(model):
    """Raises a ValueError if a class cannot be saved, or overrides the training step."""
    kind = type(model)
    parameters = inspect.signature(kind.__init__).parameters.values()
    own = [each for each in parameters if each.name != "self"]
    saves_itself = not kind.get_config.__module__.startswith("kgan.")
    if any(each.kind is each.VAR_POSITIONAL for each in own) and not saves_itself:
        raise ValueError(
            "A model is saved by the names of its constructor's arguments: name each of them. "
            f"Received: {kind.__name__}.__init__ with *{_variadic(own, 'VAR_POSITIONAL')}"
        )
    lost = [each.name for each in named(own) if not hasattr(model, each.name)]
    if lost and not saves_itself:
        raise ValueError(
            "A model is saved by its constructor's arguments, so each must be stored under its "
            f"own name: write self.{lost[0]} = {lost[0]} in __init__, or define get_config() and "
            f"from_config(). Received: {kind.__name__} without {', '.join(lost)}"
        )
    for step in ("train_step", "test_step"):
        if not getattr(kind, step).__module__.startswith("kgan."):
            raise ValueError(
                "The training step is the same for all backends and players: define play() and a "
                f"loss for each player in place of {step}(). "
                f"Received: {kind.__name__}.{step} of its own"
            )
    for player in model.players:
        if not callable(getattr(model, f"{player}_loss", None)):
            raise ValueError(
                f"Each player has a loss: define {player}_loss(batch, outputs, training), which "
                f"returns a dictionary of named scalars. Received: {kind.__name__} without "
                f"{player}_loss"
            )


def named(parameters):
    """Returns the parameters of a constructor that must be stored under their own names."""
    return [each for each in parameters if each.kind is not each.VAR_KEYWORD]


def check_learned(learned):
    """Raises a ValueError for players without trainable variables, or that share one.

    Args:
        learned: the variables of each player, by its name.
    """
    owners = {}
    for player, variables in learned.items():
        for variable in variables:
            other = owners.setdefault(id(variable), player)
            if other != player:
                raise ValueError(
                    "Each variable must be trained by one player only: give each player its own "
                    f"networks. Received: {variable.path} of {other} and of {player}"
                )


def check_unpacked(model, batch):
    """Raises a ValueError if `unpack` did not return tensors."""
    leaves = keras.tree.flatten(batch)
    if not leaves or not all(hasattr(leaf, "shape") and hasattr(leaf, "dtype") for leaf in leaves):
        kinds = ", ".join(type(leaf).__name__ for leaf in leaves) or "nothing"
        raise ValueError(
            "unpack(data) must return the tensors that play() and the losses see, such as "
            "ops.convert_to_tensor(x), or a tuple or dictionary of tensors, without None. "
            f"Received: {kinds} from {type(model).__name__}.unpack"
        )


def check_outputs(model, outputs):
    """Raises a ValueError if `play` did not return float tensors."""
    leaves = keras.tree.flatten(outputs)
    kinds = [
        keras.backend.standardize_dtype(leaf.dtype) if hasattr(leaf, "dtype") else type(leaf)
        for leaf in leaves
    ]
    bad = [kind for kind in kinds if "float" not in str(kind)]
    if bad or not kinds:
        raise ValueError(
            "play(batch, training) must return float tensors, in a dictionary: the makers learn "
            "through their gradient. Values that need no gradient belong in the batch, see "
            "unpack(). "
            f"Received: {', '.join(map(str, bad)) or 'nothing'} from {type(model).__name__}.play"
        )


def check_terms(model, player, terms):
    """Raises a ValueError if a loss did not return a dictionary of named scalars."""
    if isinstance(terms, dict) and terms and all(map(_is_scalar, terms.values())):
        return
    received = f"a {type(terms).__name__}"
    if isinstance(terms, dict):
        shapes = {name: tuple(getattr(value, "shape", ())) for name, value in terms.items()}
        received = f"a dict of the shapes {shapes}" if terms else "an empty dict"
    raise ValueError(
        f"{player}_loss(batch, outputs, training) must return a dict of named scalars, whose sum "
        f'the player minimises, such as {{"adversarial": ops.mean(x)}}. '
        f"Received: {received} from {type(model).__name__}.{player}_loss"
    )


def check_uses(model, used):
    """Raises a ValueError if the losses ignore penalties or augmentations given to `compile`.

    Args:
        model: an `AdversarialModel`.
        used: the names of what the losses used: `"penalties"`, `"augmentations"`.
    """
    penalties = [penalty for penalty in model.penalties if hasattr(penalty, "term")]
    for name, given, call in (
        ("penalties", penalties, "judging_terms(judge, real, fake) in the loss of a judge"),
        ("augmentations", model.augmentations, "augment(images, training) in the losses"),
    ):
        if given and name not in used:
            raise ValueError(
                f"The losses of this model ignore the {name} given to compile: call "
                f"self.{call}, see kgan.AdversarialModel. "
                f"Received: {name}={numbers.shown(given)} in a {type(model).__name__}"
            )


def _variadic(parameters, kind):
    return next(each.name for each in parameters if each.kind.name == kind)


def _is_scalar(value):
    return isinstance(value, (int, float)) or (hasattr(value, "dtype") and value.shape == ())
