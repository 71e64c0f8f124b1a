"""What `kgan evaluate` measures: a saved GAN or an exported file."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from kgan.cli import saved_gans


@dataclasses.dataclass
class Subject:
    """What is measured: a saved GAN or an exported file.

    Attributes:
        measured: what `kgan.metrics.evaluation.measure` asks for images.
        made: the shape of its images.
        given: that of the images it translates, or None.
        num_classes: how many classes it can be asked for, or None.
        domains: the shapes of A and B, if it translates between two without pairs, or None.
        context: what the protocol is to say of it.
    """

    measured: Any
    made: tuple
    given: tuple | None = None
    num_classes: int | None = None
    domains: Sequence | None = None
    context: dict = dataclasses.field(default_factory=dict)


def subject(path):
    """The `Subject` in a file: a `.keras` file, or an exported one."""
    from kgan.generation.inputs import Label

    if path.suffix != ".keras":
        return _exported(path)
    model = saved_gans.load_model(path)
    shapes = [tuple(shape) for shape in model.made_shapes]
    made = shapes[-1]  # of a CycleGAN b, the way from A to B
    if model.draws_latents:
        classes = [each.num_classes for each in model.takes if isinstance(each, Label)]
        return Subject(model, made, num_classes=classes[0] if classes else None)
    return Subject(model, made, model.takes[0].shape, domains=shapes if model.directions else None)


def _exported(path):
    from kgan.metrics.exported_generator import Exported

    file = Exported(path)
    given, made = (None if shape is None else tuple(shape) for shape in (file.given, file.made))
    domains = {"ab": (given, made), "ba": (made, given)}.get(file.direction)
    return Subject(file, made, given, file.num_classes, domains, file.context)
