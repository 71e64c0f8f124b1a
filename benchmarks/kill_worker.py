"""A run that `kill.py` kills and starts again: `kill_worker.py CHECKPOINT EPOCHS`.

All that a checkpoint must hold takes part: batch statistics, averaged weights, decaying rates, loss
scales, noise, lazy penalties, several discriminator steps, dropout with and without a seed.
"""

import hashlib
import os
import sys

import keras
import numpy as np

import kgan


class Tell(keras.callbacks.Callback):
    """Says when training has begun, and how far it is."""

    def on_train_batch_end(self, batch, logs=None):
        if not hasattr(self, "begun"):
            self.begun = True
            print("begun", flush=True)

    def on_epoch_end(self, epoch, logs=None):
        print(f"epoch {epoch + 1}", flush=True)


def make():
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy("mixed_float16")
    layers = keras.layers
    latent = keras.Input((16,), name="latent")
    x = layers.Dense(128)(latent)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    x = layers.Dropout(0.1, seed=7)(x)
    x = layers.Dense(64)(x)
    image = layers.Activation("tanh", dtype="float32")(layers.Reshape((8, 8, 1))(x))
    discriminator = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Flatten(),
            layers.Dense(128, activation="leaky_relu"),
            layers.Dropout(0.2),
            layers.Dense(1, dtype="float32"),
        ]
    )
    gan = kgan.GAN(keras.Model(latent, image), discriminator)

    def adam():
        return keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, 200))

    gan.compile(
        penalties=[kgan.penalties.R1(1.0, interval=4)],
        augmentations=[kgan.augmentations.InstanceNoise(0.1)],
        generator_optimizer=adam(),
        discriminator_optimizer=adam(),
        discriminator_steps=2,
        ema=0.99,
    )
    return gan


def state_of(gan):
    """A checksum of every variable of the model and of its optimizers."""
    digest = hashlib.sha256()
    for variable in [*gan.variables, *gan.optimizer.variables]:
        digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(variable)))
    return digest.hexdigest()


if __name__ == "__main__":
    if keras.backend.backend() == "torch":
        import torch

        torch.set_num_threads(1)
    gan = make()
    images, _ = kgan.data.digits()
    gan.fit(
        images,
        batch_size=32,
        epochs=int(sys.argv[2]),
        verbose=0,
        callbacks=[Tell()],
        checkpoint=sys.argv[1],
    )
    print(f"state {state_of(gan)}", flush=True)
    # The result is out; what frameworks still do at their end is not measured.
    os._exit(0)
