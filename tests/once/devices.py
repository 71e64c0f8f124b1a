"""Trains the same GANs on one device and on two and writes what came of it: `devices.py OUT`.

The two devices are the CPU under two names. Weights, data and latents are given, so that the
number of devices is the only difference between two runs. SGD, because Adam hides a gradient that
is twice too large.
"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
from factory import FedGAN

import kgan
from kgan.penalties import R1, R2, GradientPenalty, WeightClipping

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    # One for all: TensorFlow mixes up the sums of two strategies on the same devices.
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
else:
    import jax

    jax.config.update("jax_num_cpu_devices", 2)

STEPS, BATCH, SHAPE = 20, 16, (8, 8, 1)

CASES = {
    "plain": {},
    "r1": {"penalties": [R1(1.0)]},
    "two turns": {"discriminator_steps": 2},
    "clipped weights": {"loss": "wasserstein", "penalties": [WeightClipping(0.05)]},
    "clipped gradients": {"optimizer": lambda: sgd(clipnorm=0.02)},
    "relativistic": {"loss": "relativistic", "penalties": [R1(1.0), R2(1.0, interval=2)]},
    "spectral": {"loss": "hinge", "spectral": True},
}


def on(devices, make):
    """Calls `make` as users do who want a model on one device or two."""
    if keras.backend.backend() == "tensorflow":
        if devices == 1:
            return make()
        with strategy.scope():
            return make()
    keras.distribution.set_distribution(keras.distribution.DataParallel() if devices > 1 else None)
    return make()


def spectral_discriminator():
    image = keras.Input(SHAPE)
    x = kgan.layers.SpectralNormalization(keras.layers.Dense(32))(keras.layers.Flatten()(image))
    x = keras.layers.LeakyReLU(0.2)(x)
    return keras.Model(image, kgan.layers.SpectralNormalization(keras.layers.Dense(1))(x))


def sgd(clipnorm=None):
    return keras.optimizers.SGD(0.3, momentum=0.5, clipnorm=clipnorm)


def scaled():
    return keras.optimizers.LossScaleOptimizer(sgd())


def make(kind=FedGAN, spectral=False, optimizer=sgd, **options):
    keras.utils.set_random_seed(0)
    gan = kind(
        kgan.networks.mlp_generator(SHAPE, 8, 32),
        spectral_discriminator() if spectral else kgan.networks.mlp_discriminator(SHAPE, 32),
        seed=0,
    )
    gan.compile(generator_optimizer=optimizer(), discriminator_optimizer=optimizer(), **options)
    return gan


def data(count, seed=0):
    rng = np.random.default_rng(seed)
    images = np.tanh(rng.normal(size=(count, *SHAPE))).astype("float32")
    return images, rng.normal(size=(count, 8)).astype("float32")


def losses(gan):
    """The losses of each step, by name."""
    step = BATCH * gan.discriminator_steps
    # One step an epoch, so that the history has every step.
    history = gan.fit(
        *data(step * STEPS), BATCH, steps_per_epoch=1, epochs=STEPS, shuffle=False, verbose=0
    ).history
    return {name: values for name, values in history.items() if "loss" in name}


def progress(gan):
    """What a progress bar shows after each step of an epoch."""
    shown = []
    log = keras.callbacks.LambdaCallback(on_train_batch_end=lambda _, logs: shown.append(logs))
    gan.fit(*data(4 * BATCH), BATCH, shuffle=False, verbose=0, callbacks=[log])
    return {name: [float(logs[name]) for logs in shown] for name in shown[0]}


def afterwards(gan, path):
    """What users do with a trained GAN: judge it, draw from it, and go on elsewhere."""
    losses(gan)
    gan.save(path)
    loaded = keras.saving.load_model(path, {"FedGAN": FedGAN})
    return {
        "evaluate": gan.evaluate(*data(6, seed=1), 4, verbose=0, return_dict=True),
        "generate": gan.generate(5, seed=0, batch_size=3).tolist(),
        "generate loaded": loaded.generate(5, seed=0, batch_size=3).tolist(),
        "go on": losses(gan),
        "go on loaded": losses(loaded),
    }


def overflow(gan):
    """A step in which the generator's gradient is infinite for one sample, of the second half."""
    images, latents = data(BATCH)
    latents[-2] = np.inf
    history = gan.fit(images, latents, BATCH, shuffle=False, verbose=0).history
    finite = all(np.isfinite(weight).all() for weight in gan.generator.get_weights())
    return {"finite": bool(finite), "skipped": history["generator_skipped_updates"][0]}


def half_precision():
    """A GAN with all that is random or depends on the batch, in float16."""
    keras.config.set_dtype_policy("mixed_float16")
    gan = kgan.GAN(
        kgan.networks.dcgan_generator(SHAPE, 8, 4),
        kgan.networks.dcgan_discriminator(SHAPE, 4, batch_norm=False),
    )
    gan.compile(
        penalties=[GradientPenalty(1.0)],
        augmentations=[kgan.augmentations.DiffAugment()],
        discriminator_steps=2,
        ema=0.9,
    )
    keras.config.set_dtype_policy("float32")
    return gan


def train(gan):
    images, _ = data(64)
    return gan.fit(images, batch_size=8, epochs=3, verbose=0).history


def latents_of_two_devices(gan):
    """The latents that one call of `sample_latents` in a step gives to each device."""
    if keras.backend.backend() == "tensorflow":
        draw = tf.function(lambda: gan.sample_latents(4), autograph=False)  # as Keras
        return [x.numpy().tolist() for x in strategy.experimental_local_results(strategy.run(draw))]
    latents = jax.jit(lambda: gan.sample_latents(8))()
    return [np.asarray(shard.data).tolist() for shard in latents.addressable_shards]


def compiled_outside():
    """A GAN for two devices whose optimizers are made where nothing says so."""
    gan = on(2, make)
    gan.compile()
    return gan


def refusal(function):
    """The message with which something is refused."""
    try:
        function()
    except ValueError as error:
        return str(error)
    return "nothing was refused"


def main(out):
    images, latents = data(5)
    results = {
        "cases": {
            name: [losses(on(devices, lambda o=options: make(**o))) for devices in (1, 2)]
            for name, options in CASES.items()
        },
        "progress": [progress(on(devices, make)) for devices in (1, 2)],
        "afterwards": [
            afterwards(on(devices, lambda: make(ema=0.9)), out.with_suffix(".keras"))
            for devices in (1, 2)
        ],
        "overflow": [overflow(on(devices, lambda: make(optimizer=scaled))) for devices in (1, 2)],
        "latents": latents_of_two_devices(on(2, lambda: make(kgan.GAN))),
        "half precision": train(on(2, half_precision)),
        "refused arrays": refusal(lambda: on(2, make).fit(images, latents)),
        "refused optimizers": refusal(lambda: compiled_outside().fit(*data(BATCH), verbose=0)),
        "refused batches": refusal(lambda: on(2, make).fit(iter([(images, latents)]))),
    }
    out.write_text(json.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
