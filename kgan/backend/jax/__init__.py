"""Everything that kgan knows of JAX."""

from kgan.backend.jax.native import native_calls
from kgan.backend.jax.trainer import Trainer, kept
from kgan.backend.jax.training import (
    SeedGenerator,
    devices,
    dry_run,
    input_gradient,
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
