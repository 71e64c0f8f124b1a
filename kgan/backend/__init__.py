"""The only place that knows which framework Keras runs on. See README.md in this folder."""

import keras

match keras.backend.backend():
    case "tensorflow":
        from kgan.backend.tensorflow.training import (
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
            vjp,
        )
    case "jax":
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
            vjp,
        )
    case "torch":
        from kgan.backend.torch.training import (
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
            vjp,
        )
    case other:
        raise ImportError(
            "kgan trains on the Keras backends tensorflow, jax and torch; set the environment "
            f"variable KERAS_BACKEND to one of them before Python starts. Received: {other!r}"
        )

__all__ = [
    "SeedGenerator",
    "devices",
    "dry_run",
    "input_gradient",
    "random_state",
    "scope",
    "set_random_state",
    "spectator",
    "spread",
    "step",
    "stream",
    "sync",
    "update",
    "vjp",
]
