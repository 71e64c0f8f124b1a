"""An independent classifier of small images, to name what a generator has made."""

import keras
from keras import ops


def train_classifier(images, labels, epochs: int = 4, batch_size: int = 128, seed: int = 0):
    """Returns a small convolutional classifier trained on real images alone.

    Args:
        images: float32 `(count, height, width, channels)` in [-1, 1].
        labels: integers from 0, `(count,)`.
        epochs, batch_size: as in `fit`. Default: 4 and 128.
        seed: of the weights and the order of the images. Default: 0.

    Returns:
        A compiled `keras.Model` to probabilities `(batch, classes)`; `evaluate(images, labels)`
        gives its loss and accuracy.
    """
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input(images.shape[1:]),
            layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.3, seed=seed),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.3, seed=seed + 1),
            layers.Dense(int(labels.max()) + 1, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images, labels, batch_size=batch_size, epochs=epochs, verbose=0)
    return model


def stacked_classifier(classifier: keras.Model, channels: int = 3) -> keras.Model:
    """Returns a classifier of stacked images from one of grey images.

    Args:
        classifier: a Keras model from `(batch, height, width, 1)` to probabilities.
        channels: how many images are stacked. Default: 3.

    Returns:
        A Keras model from `(batch, height, width, channels)` to the probabilities of all
        combinations, in the order of the labels of `kgan.data.stack`.
    """
    stacked = keras.Input((*classifier.input_shape[1:-1], channels))
    first, *rest = [classifier(stacked[..., i : i + 1]) for i in range(channels)]
    probabilities = first
    for other in rest:
        products = probabilities[:, :, None] * other[:, None, :]
        probabilities = ops.reshape(products, (-1, products.shape[1] * products.shape[2]))
    return keras.Model(stacked, probabilities)
