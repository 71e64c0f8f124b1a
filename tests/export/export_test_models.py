"""A small trained-looking model and the tensor names its exports get."""

import keras

NAMES = {"input_names": ["latent"], "output_names": ["image"]}


def small_model(seed=1, units=8):
    """A latent vector to a tiny image, the same weights for the same seed."""
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((4,), name="z"),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(6, activation="tanh"),
            keras.layers.Reshape((2, 3, 1), name="pixels"),
        ],
        name="small",
    )
