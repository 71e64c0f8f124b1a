"""Whether a plain loop is the same algorithm as kgan's: equal weights and latents, equal losses?

python benchmarks/train_step.py --check
"""

import keras
import kgan_games
import numpy as np
from keras import ops

from kgan.penalties import GradientPenalty

STEPS = 3  # in more, an activation of a small network meets its kink sooner or later


class Fed:
    """Takes its latents from `fit`, so that random number generators play no part."""

    def unpack(self, data):
        images, fed, _ = keras.utils.unpack_x_y_sample_weight(data)
        return tuple(ops.convert_to_tensor(each) for each in (images, *keras.tree.flatten(fed)))

    def check_batch(self, batch):
        """Latents beside the images are none that kgan knows."""

    def play(self, batch, training=True):
        _, latents, *labels = batch
        inputs = [latents, *(ops.cast(each, "int32") for each in labels)]
        return {"image": self.generator(inputs if labels else latents, training=training)}

    def judge(self, images, batch, training=True):
        _, _, *labels = batch
        return self.discriminator([images, *labels] if labels else images, training=training)


class FedPenalty(GradientPenalty):
    """Mixes real and generated samples by the first pixel of the real one."""

    def prepare(self, real, fake, seed):
        u = (real[:, :1, :1, :1] + 1) / 2
        return u * real + (1 - u) * fake


def differences(loop, images, width, latent_dim, game="dcgan"):
    """Trains a plain loop and kgan side by side from equal weights.

    Args:
        loop: a `PlainTorch` or a `PlainTensorFlow`; takes over the weights of new kgan networks.
        images: the batch of a step, whose order of rows and signs change from step to step.
        width, latent_dim: of the networks.
        game: a key of `plain_torch_games.GAMES`.

    Returns:
        A dictionary: `losses`, the loop's (discriminator, generator) at each step, `difference`,
        the largest absolute difference to kgan's, and kgan's `parameters`.
    """
    keras.utils.set_random_seed(0)  # one for which no activation meets the kink
    shape = images.shape[1:]
    kind, networks, options = kgan_games.build(game, shape, latent_dim, width, FedPenalty)
    gan = type("FedGAN", (Fed, kind), {})(*networks)
    gan.compile(jit_compile=False, **options)
    values = [
        [ops.convert_to_numpy(variable) for variable in network.trainable_variables]
        for network in (gan.generator, gan.discriminator)
    ]
    loop.load(*values)

    rng = np.random.default_rng(1)
    losses, difference = [], 0.0
    for _ in range(STEPS):
        real = np.ascontiguousarray(rng.permutation(images) * rng.choice([-1, 1]), "float32")
        fed = [rng.standard_normal((len(images), latent_dim), np.float32)]
        others = []
        if game == "conditional":
            others = [rng.integers(kgan_games.CLASSES, size=len(images))]
            fed += [each.astype("int32") for each in others]
        if game == "wgan-gp":
            turns = kgan_games.turns(game)
            others = [np.stack([(real[i::turns, :1, :1, :1] + 1) / 2 for i in range(turns)])]
        # One step of all: a batch as large as the data, in its own order.
        size = len(real) // kgan_games.turns(game)
        history = gan.fit(real, tuple(fed), batch_size=size, shuffle=False, verbose=0).history
        wanted = [history[f"{player}_loss"][0] for player in ("discriminator", "generator")]
        losses.append(loop.step(real, fed[0], *others))
        difference = max(difference, *np.abs(np.subtract(losses[-1], wanted)))
    return {
        "losses": losses,
        "difference": float(difference),
        "parameters": [sum(value.size for value in group) for group in values],
    }
