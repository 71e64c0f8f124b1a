"""Learning rate schedules."""

from typing import Any

import keras
from keras import ops

from kgan.utils import numbers

__all__ = ["LinearDecay"]


@keras.saving.register_keras_serializable("kgan")
class LinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that is constant at first and then decays linearly to zero.

    Args:
        rate: the initial rate.
        steps: steps after which it is zero, usually the whole run: batches per epoch times
            epochs, for both players and any number of discriminator turns.
        constant_steps: steps before the decay starts. Default: half of `steps`, as in the
            CycleGAN paper (100 epochs at 2e-4, then 100 falling to zero).

    Raises:
        ValueError: if `rate` is not above 0, `steps` is not a positive integer, or `constant_steps`
            is not an integer in [0, steps).

    Example:

    ```python
    steps = 40 * len(batches)  # 40 epochs
    adam = lambda: keras.optimizers.Adam(kgan.schedules.LinearDecay(2e-4, steps), beta_1=0.5)
    gan.compile(generator_optimizer=adam(), discriminator_optimizer=adam())
    ```

    Reference: Zhu et al., Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
    Networks, 2017 (arXiv:1703.10593), section 4.
    """

    def __init__(self, rate: float, steps: int, constant_steps: int | None = None) -> None:
        self.rate = numbers.positive("rate", rate)
        self.steps = numbers.count("steps", steps)
        constant = self.steps // 2 if constant_steps is None else constant_steps
        self.constant_steps = numbers.count("constant_steps", constant, 0, self.steps - 1)

    def __call__(self, step: Any) -> Any:
        left = self.steps - ops.cast(step, "float32")
        return self.rate * ops.clip(left / (self.steps - self.constant_steps), 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {"rate": self.rate, "steps": self.steps, "constant_steps": self.constant_steps}


@keras.saving.register_keras_serializable("kgan")
class CountsSteps(keras.optimizers.schedules.LearningRateSchedule):
    """Wraps a schedule so that it counts training steps, while its optimizer counts turns.

    With several discriminator turns in a step, its optimizer makes more updates, and its schedule
    would end before the generator's.

    Args:
        schedule: a `keras.optimizers.schedules.LearningRateSchedule`.
        turns: updates in a step.
    """

    def __init__(self, schedule, turns):
        self.schedule = schedule
        self.turns = turns

    def __call__(self, step):
        return self.schedule(step // self.turns)

    def get_config(self):
        schedule = keras.optimizers.schedules.serialize(self.schedule)
        return {"schedule": schedule, "turns": self.turns}

    @classmethod
    def from_config(cls, config):
        schedule = keras.optimizers.schedules.deserialize(config["schedule"])
        return cls(schedule, config["turns"])


def count_steps(optimizer, turns):
    """Makes the schedule of an optimizer, if it has one, count steps instead of turns.

    Args:
        optimizer: a `keras.optimizers.Optimizer`, whose schedule may already be wrapped by an
            earlier call.
        turns: updates in a step.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    schedule = getattr(optimizer, "_learning_rate", None)
    if isinstance(schedule, CountsSteps):
        schedule = schedule.schedule
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        optimizer.learning_rate = schedule if turns == 1 else CountsSteps(schedule, turns)
