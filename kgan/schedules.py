"""Learning rates that change as training goes."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("kgan")
class LinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that is constant at first and then falls to zero along a line.

    Args:
        rate: the rate at first.
        steps: updates after which it is zero, the whole run: batches an epoch times epochs.
        constant_steps: updates before it starts to fall. Default: half of `steps`, as in the
            CycleGAN paper (100 epochs at 2e-4, then 100 falling to zero).

    Raises:
        ValueError: if `steps` is not positive or `constant_steps` not in [0, steps).

    Example:

    ```python
    steps = 40 * len(batches)  # 40 epochs
    adam = lambda: keras.optimizers.Adam(kgan.schedules.LinearDecay(2e-4, steps), beta_1=0.5)
    gan.compile(generator_optimizer=adam(), discriminator_optimizer=adam())
    ```

    Reference: Zhu et al., Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
    Networks, 2017 (arXiv:1703.10593), section 4.
    """

    def __init__(self, rate, steps, constant_steps=None):
        constant = steps // 2 if constant_steps is None else constant_steps
        if not 0 <= constant < steps:
            raise ValueError(
                "steps must be positive and constant_steps in [0, steps). "
                f"Received: steps={steps!r}, constant_steps={constant_steps!r}"
            )
        self.rate = rate
        self.steps = steps
        self.constant_steps = constant

    def __call__(self, step):
        left = self.steps - ops.cast(step, "float32")
        return self.rate * ops.clip(left / (self.steps - self.constant_steps), 0.0, 1.0)

    def get_config(self):
        return {"rate": self.rate, "steps": self.steps, "constant_steps": self.constant_steps}
