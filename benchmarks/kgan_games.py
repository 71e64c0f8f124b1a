"""The games of `plain_torch_games.py` in kgan: what `train_step.py --game` trains.

python benchmarks/train_step.py --game conditional
"""

import kgan
from kgan.penalties import R1, R2, GradientPenalty

CLASSES = 10


def build(game, shape, latent_dim, width, penalty=GradientPenalty):
    """Returns the class of a game, the arguments of its constructor and those of `compile`.

    Args:
        game: a key of `plain_torch_games.GAMES`.
        shape, latent_dim, width: of the networks.
        penalty: the class of the gradient penalty.
    """
    generator, discriminator = kgan.networks.dcgan_generator, kgan.networks.dcgan_discriminator
    if game == "conditional":
        networks = (
            generator(
                shape,
                latent_dim,
                width,
                num_classes=CLASSES,
                conditioning="conditional_batch_norm",
            ),
            discriminator(shape, width, num_classes=CLASSES, conditioning="projection"),
        )
        return kgan.ConditionalGAN, (*networks, CLASSES), {}
    options = {
        "dcgan": {},
        "wgan-gp": {"loss": "wasserstein", "penalties": [penalty(10.0)], "discriminator_steps": 5},
        "relativistic": {"loss": "relativistic", "penalties": [R1(0.1), R2(0.1)]},
    }[game]
    networks = (
        generator(shape, latent_dim, width),
        discriminator(shape, width, batch_norm=game == "dcgan"),
    )
    return kgan.GAN, networks, options


def turns(game):
    """How many turns a discriminator has in a step, each on a batch of its own."""
    return 5 if game == "wgan-gp" else 1
