"""What a generator is called with, by declaration: drawing, checks and names follow from it.

NumPy alone: the runtime of an exported file draws and checks by this very code, where neither Keras
nor a backend is installed.
"""

import dataclasses
import math

import numpy as np

from kgan.utils import numbers
from kgan.utils.advice import advice


@dataclasses.dataclass(frozen=True)
class Input:
    """One input of a generator. Use `Latent`, `Label` or `Given`.

    Attributes:
        name: of the input, also in exported files and in `generate(n, **given)`.
        shape: of one sample.
        dtype: `"float32"` or `"int32"`.
    """

    is_drawn = True  # whether it is drawn at random where it is not given
    dtype = "float32"

    def get_config(self):
        return {
            field: list(value) if isinstance(value, tuple) else value
            for field, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def draw(self, n, rng):
        """Returns `n` samples, an array `(n, *shape)`.

        Args:
            n: how many.
            rng: a `numpy.random.Generator`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define draw(n, rng)")

    def example(self, n, rng):
        """Returns `n` samples to try a generator with: those drawn, if it is drawn."""
        return self.draw(n, rng)

    def check(self, value, n):
        """Returns what was given as an array `(n, *shape)`; one sample stands for all.

        Args:
            value: an array `(n, *shape)`, or one sample, or one number for all.
            n: how many samples there are to be.

        Raises:
            ValueError: if it is anything else.
        """
        array = numbers.array(self.name, value)
        if array.shape in ((), self.shape):
            array = np.broadcast_to(array, (n, *self.shape))
        wanted = (n, *self.shape)
        fits = len(array.shape) == len(wanted) and all(
            size in (None, got) for size, got in zip(wanted, array.shape, strict=True)
        )
        if not fits or not (array.dtype.kind in "iuf" or array.dtype.name == "bfloat16"):
            raise ValueError(
                f"{self.name} must be numbers of shape ({', '.join(map(str, wanted))}). "
                f"Received: dtype {array.dtype}, shape {array.shape}"
            )
        array = np.asarray(array, "float32")
        if array.size and not np.isfinite(array).all():
            raise ValueError(f"{self.name} must be finite. Received: NaN or infinity")
        return array


@dataclasses.dataclass(frozen=True)
class Latent(Input):
    """Noise: independent values of a standard normal.

    For another distribution override `sample_latents` and `draw_latents` of the model; exported
    files then do not know how to draw, and are called with arrays.

    Args:
        shape: of one latent, such as `(64,)`.
        name: of the input. Default: "latent".

    Raises:
        ValueError: if the shape is no tuple of positive integers, or the name not plain.
    """

    shape: tuple
    name: str = "latent"

    def __post_init__(self):
        _set(self, shape=_shape(self.shape), name=_name(self.name))

    def draw(self, n, rng):
        return rng.standard_normal((n, *self.shape), np.float32)


@dataclasses.dataclass(frozen=True)
class Label(Input):
    """A class: an integer from 0.

    Args:
        num_classes: how many classes there are.
        name: of the input. Default: "label".

    Raises:
        ValueError: if the number of classes is no positive integer, or the name not plain.
    """

    num_classes: int
    name: str = "label"
    dtype = "int32"
    shape = ()

    def __post_init__(self):
        _set(self, num_classes=numbers.count("num_classes", self.num_classes))
        _set(self, name=_name(self.name))

    def draw(self, n, rng):
        return rng.integers(self.num_classes, size=n, dtype="int32")

    def check(self, value, n):
        labels = _any_array(self.name, value)
        one_hot = _one_hot(labels, self.num_classes) if labels.shape != (n,) else None
        if labels.ndim == 0:
            if labels.dtype.kind not in "iu":
                raise ValueError(
                    f"{self.name} is an integer for samples of one class, an integer array "
                    f"({n},), or None. Received: {self.name}={numbers.shown(labels.item())}"
                )
            labels = np.full(n, labels)
        if labels.dtype.kind not in "iu":
            raise ValueError(f"Labels must be integers: {_integers_of(labels, one_hot)}")
        if labels.shape not in ((n,), (n, 1)):
            hint = f" Turn one-hot labels into integers with {one_hot}." if one_hot else ""
            raise ValueError(
                f"There must be one label for each of the {n} images.{advice(hint, '')} "
                f"Received: labels of shape {labels.shape}"
            )
        if labels.size and not 0 <= labels.min() <= labels.max() < self.num_classes:
            raise ValueError(
                f"Labels must be in [0, {self.num_classes}), since "
                f"num_classes={self.num_classes}. "
                f"Received: labels from {labels.min()} to {labels.max()}"
            )
        return labels.reshape(-1).astype("int32")


@dataclasses.dataclass(frozen=True)
class Given(Input):
    """What is never drawn but always given: a condition, or an image to translate.

    Args:
        name: of the input.
        shape: of one sample, such as `(40,)` for 40 attributes; a size of None is open.
        range: `(low, high)` that its values lie in. Default: None, any.

    Raises:
        ValueError: if the name is not plain, the shape no tuple of sizes, or the range none.
    """

    name: str
    shape: tuple
    range: tuple | None = None

    is_drawn = False

    def __post_init__(self):
        _set(self, name=_name(self.name), shape=_shape(self.shape, open_sizes=True))
        if self.range is not None:
            pair = tuple(self.range) if isinstance(self.range, (tuple, list)) else ()
            if len(pair) != 2 or not all(map(numbers.is_number, pair)) or not pair[0] < pair[1]:
                raise ValueError(
                    "range must be two numbers, the lower first. "
                    f"Received: range={numbers.shown(self.range)}"
                )
            _set(self, range=(float(pair[0]), float(pair[1])))

    def example(self, n, rng):
        """Returns samples to try a generator with: uniform in the range, else standard normal."""
        shape = (n, *(1 if size is None else size for size in self.shape))
        if self.range is None:
            return rng.standard_normal(shape, np.float32)
        return rng.uniform(*self.range, shape).astype("float32")

    def check(self, value, n):
        array = super().check(value, n)
        low, high = self.range or (-math.inf, math.inf)
        # As in training: a resize may overshoot a little.
        if array.size and not (array.min() >= low - 0.01 and array.max() <= high + 0.01):
            pixels = " For pixels in [0, 255] use images / 127.5 - 1." if low == -1 else ""
            raise ValueError(
                f"Values of {self.name} must lie in [{low:g}, {high:g}], which this model was "
                f"trained on.{pixels} Received: range [{array.min()}, {array.max()}]"
            )
        return array


KINDS = {"latent": Latent, "label": Label, "given": Given}


def draw(takes, n, seed=None, given=None):
    """Returns all that a generator takes for `n` samples: a dictionary of arrays by name.

    Args:
        takes: a sequence of declarations.
        n: how many samples.
        seed: an integer, which gives the same arrays on every call; a `numpy.random.Generator`; or
            None (default) for others each time. The first input is drawn from `seed`, the one at
            place i > 0 from `[i, seed]`, so that none depends on what else is given.
        given: arrays by name, in place of drawing. None stands for not given.

    Raises:
        ValueError: if `n` or the seed is none, or what is given does not fit.
        TypeError: if something is missing, or has an unknown name.
    """
    n = numbers.count("n", n)
    if not isinstance(seed, np.random.Generator):
        seed = numbers.seed(seed)
    given = {name: value for name, value in (given or {}).items() if value is not None}
    check_names(takes, given)
    return {
        each.name: each.check(given[each.name], n)
        if each.name in given
        else each.draw(n, rng_for(seed, place))
        for place, each in enumerate(takes)
    }


def check_names(takes, given):
    """Raises a TypeError unless what is given has the right names and nothing is missing."""
    known = {each.name: each for each in takes}
    unknown = [name for name in given if name not in known]
    missing = [each for each in takes if not each.is_drawn and each.name not in given]
    if unknown or missing:
        may = [f"{name}={described(each)}" for name, each in known.items()]
        lacks = f"no {missing[0].name}" if missing else f"unknown {', '.join(unknown)}"
        raise TypeError(
            f"This model is given {'; '.join(may) or 'nothing'}"
            f"{'; what can be drawn may be left out' if any(e.is_drawn for e in takes) else ''}. "
            f"Received: {lacks}"
        )


def described(each):
    """What an input wants, in words."""
    if isinstance(each, Label):
        return f"integers in [0, {each.num_classes})"
    sizes = ", ".join("?" if size is None else str(size) for size in ("n", *each.shape))
    return f"an array ({sizes})"


def examples(takes, n, seed):
    """Returns samples of all inputs to try a generator with, a dictionary of arrays by name."""
    return {each.name: each.example(n, rng_for(seed, place)) for place, each in enumerate(takes)}


def rng_for(seed, place):
    """Returns the `numpy.random.Generator` of the input at a place, see `draw`."""
    if isinstance(seed, np.random.Generator):
        return seed
    return np.random.default_rng([place, seed] if place and seed is not None else seed)


def to_json(takes):
    """Returns declarations as JSON has them; None if some are of kinds of one's own."""
    kinds = {kind: name for name, kind in KINDS.items()}
    if not all(type(each) in kinds for each in takes):
        return None
    return [
        {"kind": kinds[type(each)]}
        | {field: value for field, value in each.get_config().items() if value is not None}
        for each in takes
    ]


def from_json(entries):
    """Returns the declarations that `to_json` wrote, which a stranger may have changed.

    Raises:
        ValueError: if they are none.
    """
    takes = []
    for entry in entries if isinstance(entries, list) else [entries]:
        fields = dict(entry) if isinstance(entry, dict) else {}
        kind = fields.pop("kind", None)
        try:
            takes.append(KINDS[kind](**fields))
        except (KeyError, TypeError) as error:
            raise ValueError(f"no input is {numbers.shown(entry)}") from error
    if len({each.name for each in takes}) < len(takes):
        raise ValueError("two inputs have one name")
    return tuple(takes)


def _any_array(name, values):
    """Returns an array of whatever kind; raises a ValueError for lists of unequal length."""
    try:
        return np.asarray(values.__array__() if hasattr(values, "__array__") else values)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} must be one array, with one label for each sample. "
            f"Received: {name}={numbers.shown(values)}"
        ) from error


def _one_hot(labels, num_classes):
    """What turns labels that seem to be one-hot into classes, in Python; None if they are not."""
    if labels.dtype.kind not in "biuf" or labels.ndim not in (1, 2):
        return None
    if labels.ndim == 2:
        return "labels.argmax(axis=1)" if labels.shape[1] == num_classes else None
    single = len(labels) == num_classes and np.count_nonzero(labels) == 1
    return "labels.argmax()" if single and labels.max() == 1 else None


def _integers_of(labels, one_hot):
    """How labels of another kind become classes, and what they are, for a message."""
    received = f"Received: dtype {labels.dtype}, shape {labels.shape}"
    if labels.dtype.kind in "USO":
        fix = "use names = numpy.unique(labels) and numpy.searchsorted(names, labels)"
        return f"{advice(fix, 'these name the classes by text')}. {received}"
    if one_hot or (labels.ndim == 2 and labels.shape[1] > 1):
        fix = f"use {one_hot or 'labels.argmax(axis=1)'} if they are one-hot"
        return f"{advice(fix, 'each of these is a row')}. {received}"
    if labels.dtype.kind == "f" and np.any(labels != np.floor(labels)):
        fix = (
            "cut it into classes with numpy.digitize(labels, edges), or condition on it with "
            "condition=kgan.Given(...)"
        )
        fix = advice(fix, "train on a set that has classes")
        return (
            "they name classes, and these have fractions. If they measure something, such as an "
            f"angle, {fix}. {received}, from {labels.min()} to {labels.max()}"
        )
    fix = advice("use labels.astype('int32')", "these are whole numbers of another kind")
    return f"{fix}. {received}"


def _set(declaration, **values):
    for name, value in values.items():
        object.__setattr__(declaration, name, value)


def _shape(shape, open_sizes=False):
    sizes = tuple(shape) if isinstance(shape, (tuple, list)) else None
    if sizes is None or not all(
        (size is None and open_sizes) or (numbers.is_integer(size) and size > 0) for size in sizes
    ):
        raise ValueError(
            "shape must be that of one sample, a tuple such as (64,). "
            f"Received: shape={numbers.shown(shape)}"
        )
    return tuple(size if size is None else int(size) for size in sizes)


def _name(name):
    if not (isinstance(name, str) and name.isidentifier() and name.isascii()) or name in TAKEN:
        raise ValueError(
            "The name of an input must be letters, digits and underscores, and none of "
            f"{', '.join(TAKEN)}. Received: name={numbers.shown(name)}"
        )
    return name


TAKEN = ("n", "seed", "batch_size", "self")  # the other arguments of `generate`
