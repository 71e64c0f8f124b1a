"""Whether a plain loop is the same algorithm as kgan's: equal weights and latents, equal losses?

python benchmarks/train_step.py --check
"""

import keras
import numpy as np

import kgan

STEPS = 5


class FedGAN(kgan.GAN):
    """Takes its latents from `fit`, so that random number generators play no part."""

    def unpack(self, data):
        images, latents, _ = keras.utils.unpack_x_y_sample_weight(data)
        return images, latents

    def play(self, batch, training=True):
        return {"image": self.generator(batch[1], training=training)}

    def discriminator_loss(self, batch, outputs, training=True):
        return super().discriminator_loss(batch[0], outputs, training)


def differences(loop, images, width, latent_dim):
    """Trains a plain loop and kgan side by side from equal weights.

    Args:
        loop: a `PlainTorch` or a `PlainTensorFlow`; takes over the weights of new kgan networks.
        images: one batch, whose order of rows and signs change from step to step.
        width, latent_dim: of the networks.

    Returns:
        A dictionary: `losses`, the loop's (discriminator, generator) at each step, `difference`,
        the largest absolute difference to kgan's, and kgan's `parameters`.
    """
    keras.utils.set_random_seed(0)  # one for which no activation meets the kink
    shape = images.shape[1:]
    gan = FedGAN(
        kgan.networks.dcgan_generator(shape, latent_dim, width),
        kgan.networks.dcgan_discriminator(shape, width),
    )
    gan.compile(jit_compile=False)
    networks = gan.generator, gan.discriminator
    values = [
        [keras.ops.convert_to_numpy(variable) for variable in network.trainable_variables]
        for network in networks
    ]
    loop.load(*values)

    rng = np.random.default_rng(1)
    losses, difference = [], 0.0
    for _ in range(STEPS):
        real = np.ascontiguousarray(rng.permutation(images) * rng.choice([-1, 1]), "float32")
        latents = rng.standard_normal((len(images), latent_dim), np.float32)
        history = gan.fit(real, latents, batch_size=len(real), shuffle=False, verbose=0).history
        wanted = [history[f"{player}_loss"][0] for player in ("discriminator", "generator")]
        losses.append(loop.step(real, latents))
        difference = max(difference, *np.abs(np.subtract(losses[-1], wanted)))
    return {
        "losses": losses,
        "difference": float(difference),
        "parameters": [sum(value.size for value in group) for group in values],
    }
