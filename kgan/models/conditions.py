"""What networks are told beside an image: a class, attributes, an embedding, or several of them."""

import keras
from keras import ops

from kgan import checks
from kgan.generation.inputs import Given, Label
from kgan.utils import numbers


def declared(num_classes, condition):
    """Returns what networks are told, as a tuple of declarations; empty for nothing.

    Args:
        num_classes: how many classes there are, or None.
        condition: a `kgan.Given`, a `kgan.Label`, a tuple of such, or None.

    Raises:
        ValueError: if both are given, or one of them is something else.
    """
    if condition is None:
        return () if num_classes is None else (Label(numbers.count("num_classes", num_classes)),)
    several = condition if isinstance(condition, (tuple, list)) else (condition,)
    if num_classes is not None or not several or not all(map(_is_declared, several)):
        raise ValueError(
            "condition must be a kgan.Given or a kgan.Label, or a tuple of such, in place of "
            f"num_classes. Received: num_classes={numbers.shown(num_classes)}, "
            f"condition={numbers.shown(condition)}"
        )
    if len({each.name for each in several} | {"latent"}) <= len(several):
        raise ValueError(
            "Each condition needs a name of its own, and none is called latent. "
            f"Received: {', '.join(each.name for each in several)}"
        )
    return tuple(several)


def _is_declared(each):
    return isinstance(each, (Given, Label))


class Conditioned:
    """A model whose batches are images, with its conditions beside them.

    Attributes:
        conditions: what the networks are told, a tuple of declarations.
    """

    conditions = ()

    @property
    def takes(self):
        """A latent and the conditions, see `AdversarialModel.takes`."""
        return (*super().takes, *self.conditions)

    def check_batch(self, batch):
        images, given, _ = keras.utils.unpack_x_y_sample_weight(batch)
        checks.check_images(images, self.made_shapes[0])
        for each, value in zip(self.conditions, self._parts_of(given), strict=True):
            if isinstance(each, Label):
                checks.check_labels(value, each.num_classes, len(images))
            else:
                each.check(value, len(images))

    def images_to_make(self, batch):
        images, _, _ = keras.utils.unpack_x_y_sample_weight(batch)
        return [(self.generator, images)]

    def unpack(self, data):
        images, given, _ = keras.utils.unpack_x_y_sample_weight(data)
        conditions = [
            ops.reshape(ops.cast(value, "int32"), (-1,))
            if isinstance(each, Label)
            else ops.cast(value, "float32")
            for each, value in zip(self.conditions, self._parts_of(given), strict=True)
        ]
        return ops.cast(images, "float32"), *conditions

    def _parts_of(self, given):
        """The conditions beside the images of a batch, a list."""
        if not self.conditions:
            return []
        parts = list(given) if isinstance(given, (tuple, list)) else [given]
        if len(parts) != len(self.conditions) or any(
            part is None and not isinstance(each, Label)
            for part, each in zip(parts, self.conditions, strict=True)
        ):
            names = ", ".join(each.name for each in self.conditions)
            received = "nothing" if given is None else f"{len(parts)}"
            raise ValueError(
                f"Give beside the images what the networks are told, {names}, in this order, as in "
                f"fit(images, ({names})). Received: {received}"
            )
        return parts

    def checked_conditions(self, given, count):
        """Returns conditions as arrays, one row for each of `count` samples.

        Raises:
            ValueError: if one does not fit.
        """
        pairs = zip(self.conditions, given, strict=True)
        return [each.check(value, count) for each, value in pairs]
