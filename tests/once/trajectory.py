"""Trains GANs from given weights on given latents and writes their losses: `trajectory.py OUT`.

Nothing here is random, so that the only difference between two runs is the backend. Where a
LeakyReLU's input is zero to the last bit of its rounding, backends may take different sides of the
kink, and from there on runs differ by far more than rounding; with this seed none does.
"""

import json
import math
import os
import sys

# Forty programs run for 20 steps each: to make them fast would take most of the time.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

import keras
import numpy as np
from factory import FedGAN
from keras import ops

import kgan
from kgan.penalties import R1, R2, GradientPenalty, WeightClipping

STEPS, BATCH = 20, 16

if keras.backend.backend() == "torch":
    import torch

    torch.set_num_threads(1)


class FedGradientPenalty(GradientPenalty):
    """Takes u from the first pixel of each real sample: backends draw different numbers."""

    def prepare(self, real, fake, seed):
        u = (real[:, :1, :1, :1] + 1) / 2
        return u * real + (1 - u) * fake


class Fed:
    """Takes its latents from the pixels of the real images, beside which the labels are given."""

    def play(self, batch, training=True):
        images = batch[0]
        latents = ops.reshape(images, (ops.shape(images)[0], -1))[:, :8]
        generator = self.in_use(self.generator, training)
        return {"image": generator([latents, batch[1]], training=training)}


class FedConditionalGAN(Fed, kgan.ConditionalGAN):
    pass


class FedACGAN(Fed, kgan.ACGAN):
    pass


class FedCycleGAN(kgan.CycleGAN):
    """Keeps no past images, which a random number would choose among."""

    def __init__(self, generator_ab, generator_ba, discriminator_a, discriminator_b):
        networks = generator_ab, generator_ba, discriminator_a, discriminator_b
        super().__init__(*networks, pool_size=0)


def adam():
    return keras.optimizers.Adam(2e-4, beta_1=0.5)


def sgd():
    """Adam hides a wrong factor of a whole gradient, which this does not."""
    return keras.optimizers.SGD(0.02)


# Every penalty with every game, some two at a time: JAX takes seconds to compile each run.
REGULARISED = {
    "alone": (adam, []),
    "clipping": (adam, [WeightClipping(0.2)]),
    "gradient penalty": (adam, [FedGradientPenalty(10.0)]),
    "one-sided, lazy r1": (
        adam,
        [FedGradientPenalty(10.0, target=1.3, one_sided=True), R1(1.0, interval=4)],
    ),
    "r1, r2, sgd": (sgd, [R1(1.0), R2(1.0)]),
}


def mlp():
    shape = (8, 8, 1)
    return kgan.networks.mlp_generator(shape, 8, 64), kgan.networks.mlp_discriminator(shape, 64)


def dcgan(**options):
    shape = (20, 17, 3)
    return (
        kgan.networks.dcgan_generator(shape, 8, 16),
        kgan.networks.dcgan_discriminator(shape, 16, **options),
    )


def spectral_dcgan():
    generator, _ = dcgan()
    normed = kgan.layers.SpectralNormalization
    x = image = keras.Input(generator.output_shape[1:])
    for filters in (16, 32):
        x = normed(keras.layers.Conv2D(filters, 4, 2, "same"))(x)
        x = keras.layers.LeakyReLU(0.2)(x)
    x = keras.layers.Flatten()(x)
    return generator, keras.Model(image, normed(keras.layers.Dense(1))(x))


def told(family, of_generator="concatenation", of_discriminator="concatenation"):
    """Networks that know of 3 classes."""
    shape, options = (8, 8, 1), {"num_classes": 3}
    generator = getattr(kgan.networks, f"{family}_generator")
    discriminator = getattr(kgan.networks, f"{family}_discriminator")
    conditioning = {"conditioning": of_generator} if family == "dcgan" else {}
    return (
        generator(shape, 8, 16, **options, **conditioning),
        discriminator(shape, 16, **options, conditioning=of_discriminator),
    )


def translation():
    """A U-Net without dropout, and its discriminator."""
    return (
        kgan.networks.unet_generator((8, 12, 3), 1, width=8, dropout=0),
        kgan.networks.patch_discriminator((8, 12, 4), width=8, receptive_field=16),
    )


def smooth(network):
    """The same network without kinks, one of which an activation meets at every other step here.

    A step of a CycleGAN has three hundred thousand ReLU: with them backends agree to 1e-6 for
    two steps and part from the third on.
    """
    kinked = (keras.layers.ReLU, keras.layers.LeakyReLU)

    def copy(layer):
        if isinstance(layer, kinked):
            return keras.layers.Activation("softplus", name=layer.name)
        return layer.from_config(layer.get_config())

    return keras.models.clone_model(network, clone_function=copy)


def cycle():
    shape = (8, 12, 3)
    generators = (kgan.networks.cyclegan_generator(shape, width=8, blocks=1) for _ in "ab")
    discriminators = (
        kgan.networks.patch_discriminator(shape, width=8, receptive_field=16) for _ in "ab"
    )
    return tuple(map(smooth, (*generators, *discriminators)))


def train(networks, loss, penalties=(), optimizer=adam, kind=FedGAN):
    """Returns the losses of each step, by name."""
    rng = np.random.default_rng(0)
    told = kind in (FedConditionalGAN, FedACGAN)
    gan = kind(*networks, **({"num_classes": 3} if told else {}))
    for variable in gan.weights:
        *inputs, _ = variable.shape
        if inputs:
            variable.assign(rng.normal(0, math.sqrt(2 / math.prod(inputs)), variable.shape))
        elif variable.trainable:
            variable.assign(variable + rng.normal(0, 0.01, variable.shape))
    gan.compile(
        loss=loss,
        penalties=penalties,
        generator_optimizer=optimizer(),
        discriminator_optimizer=optimizer(),
    )

    def batches():
        first, second = gan.generators[0], gan.generators[-1]
        for _ in range(STEPS + 1):  # Keras reads one batch ahead
            if kind in (kgan.Pix2Pix, FedCycleGAN):
                other = second.output_shape if kind is kgan.Pix2Pix else second.input_shape
                yield pictures(first.input_shape), pictures(other)
                continue
            images = pictures(first.output_shape)
            latents = rng.normal(size=(BATCH, 8)).astype("float32")
            yield images, rng.integers(3, size=BATCH) if told else latents

    def pictures(shape):
        return np.tanh(rng.normal(size=(BATCH, *shape[1:]))).astype("float32")

    # One step an epoch, so that the history has every step.
    return gan.fit(batches(), steps_per_epoch=1, epochs=STEPS, verbose=0).history


def trajectories():
    runs = {
        f"mlp, {game}, {name}": train(mlp(), game, penalties, optimizer)
        for game in sorted(kgan.losses.GAMES)
        for name, (optimizer, penalties) in REGULARISED.items()
    }
    return runs | {
        "dcgan, non_saturating": train(dcgan(), "non_saturating"),
        "dcgan, relativistic, r1, r2": train(dcgan(), "relativistic", [R1(1.0), R2(1.0)]),
        "dcgan, hinge, spectral normalisation": train(spectral_dcgan(), "hinge"),
        "dcgan, wasserstein, gradient penalty": train(
            dcgan(batch_norm=False), "wasserstein", [FedGradientPenalty(10.0)]
        ),
        "conditional, mlp, wasserstein, gradient penalty": train(
            told("mlp"), "wasserstein", [FedGradientPenalty(10.0)], kind=FedConditionalGAN
        ),
        "conditional, dcgan, non_saturating": train(
            told("dcgan"), "non_saturating", kind=FedConditionalGAN
        ),
        "conditional, batch norm, projection, hinge": train(
            told("dcgan", "conditional_batch_norm", "projection"), "hinge", kind=FedConditionalGAN
        ),
        "acgan, mlp, relativistic, r1, sgd": train(
            told("mlp", of_discriminator="auxiliary"), "relativistic", [R1(1.0)], sgd, FedACGAN
        ),
        "acgan, dcgan, non_saturating": train(
            told("dcgan", of_discriminator="auxiliary"), "non_saturating", kind=FedACGAN
        ),
        "pix2pix, non_saturating": train(translation(), "non_saturating", kind=kgan.Pix2Pix),
        "cyclegan, least_squares, lazy r1": train(
            cycle(), "least_squares", [R1(1.0, interval=4)], kind=FedCycleGAN
        ),
    }


if __name__ == "__main__":
    with open(sys.argv[1], "w") as file:
        json.dump(trajectories(), file)
