"""The only place that knows which framework Keras runs on. See README.md in this folder."""

import keras

match keras.backend.backend():
    case "tensorflow":
        from kgan.backend.tensorflow import dry_run, input_gradient, step, sync, update, vjp
    case "jax":
        from kgan.backend.jax import dry_run, input_gradient, step, sync, update, vjp
    case "torch":
        from kgan.backend.torch import dry_run, input_gradient, step, sync, update, vjp
    case other:
        raise ImportError(
            "kgan trains on the Keras backends tensorflow, jax and torch; set the environment "
            f"variable KERAS_BACKEND to one of them before Python starts. Received: {other!r}"
        )

__all__ = ["dry_run", "input_gradient", "step", "sync", "update", "vjp"]
