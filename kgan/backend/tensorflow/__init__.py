"""Everything that kgan knows of TensorFlow."""

from kgan.backend.tensorflow.native import native_calls
from kgan.backend.tensorflow.training import (
    SeedGenerator,
    Trainer,
    devices,
    dry_run,
    input_gradient,
    kept,
    random_state,
    scope,
    set_random_state,
    spectator,
    spread,
    step,
    stream,
    sync,
    update,
    value_and_input_gradient,
    vjp,
)

__all__ = [
    "SeedGenerator",
    "Trainer",
    "devices",
    "dry_run",
    "input_gradient",
    "kept",
    "native_calls",
    "random_state",
    "scope",
    "set_random_state",
    "spectator",
    "spread",
    "step",
    "stream",
    "sync",
    "update",
    "value_and_input_gradient",
    "vjp",
]
