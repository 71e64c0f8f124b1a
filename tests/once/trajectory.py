"""Trains one GAN from given weights on given latents and writes its losses: `trajectory.py OUT`.

Nothing here is random, so that the only difference between two runs is the backend. Where a
LeakyReLU's input is zero to the last bit of its rounding, backends may take different sides of the
kink, and from there on runs differ by far more than rounding; with this seed none does.
"""

import json
import sys

import keras
import numpy as np
from factory import FedGAN

import kgan

STEPS, BATCH = 20, 16

if keras.backend.backend() == "torch":
    import torch

    torch.set_num_threads(1)


def networks(name):
    if name == "mlp":
        shape = (8, 8, 1)
        return kgan.networks.mlp_generator(shape, 8, 64), kgan.networks.mlp_discriminator(shape, 64)
    shape = (20, 17, 3)
    return kgan.networks.dcgan_generator(shape, 8, 16), kgan.networks.dcgan_discriminator(shape, 16)


def train(name, **options):
    rng = np.random.default_rng(0)
    gan = FedGAN(*networks(name))
    for variable in gan.trainable_variables:
        scale = 0.1 if len(variable.shape) > 1 else 0.01
        value = rng.normal(0, scale, variable.shape)
        variable.assign(value + 1 if variable.name == "gamma" else value)
    gan.compile(**options)

    def batches():
        shape = gan.discriminator.input_shape[1:]
        for _ in range(STEPS + 1):  # Keras reads one batch ahead
            images = np.tanh(rng.normal(size=(BATCH, *shape)))
            latents = rng.normal(size=(BATCH, 8))
            yield images.astype("float32"), latents.astype("float32")

    # One step an epoch, so that the history has every step.
    return gan.fit(batches(), steps_per_epoch=1, epochs=STEPS, verbose=0).history


if __name__ == "__main__":
    with open(sys.argv[1], "w") as file:
        json.dump({name: train(name) for name in ("mlp", "dcgan")}, file)
