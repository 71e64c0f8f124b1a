"""The only place that knows which framework Keras runs on. See README.md in this folder."""

import keras

match keras.backend.backend():
    case "tensorflow":
        from kgan.backend.tensorflow import *
    case "jax":
        from kgan.backend.jax import *  # type: ignore[assignment]
    case "torch":
        from kgan.backend.torch import *  # type: ignore[assignment]
    case other:
        raise ImportError(
            "kgan trains on the Keras backends tensorflow, jax and torch; set the environment "
            f"variable KERAS_BACKEND to one of them before Python starts. Received: {other!r}"
        )
