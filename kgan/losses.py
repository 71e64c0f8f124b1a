"""The games: what the discriminator and the generator each minimise, from logits.

A game is one small object. `discriminator(real, fake)` and `generator(real, fake)` take the
discriminator's logits, float32 of shape `(batch, ...)`, and return a scalar. The sigmoid is never
applied: log sigmoid(x) = -softplus(-x) and log(1 - sigmoid(x)) = -softplus(x) stay finite for any
logit, where the logarithm of a rounded probability does not.
"""

import keras
from keras import ops


class Game:
    """What the two players minimise. Subclass it to add a game, and register the subclass.

    Example:

    ```python
    @keras.saving.register_keras_serializable("my_package")
    class LeastSquares(kgan.losses.Game):
        def discriminator(self, real, fake):
            return ops.mean((real - 1) ** 2) + ops.mean(fake**2)

        def generator(self, real, fake):
            return ops.mean((fake - 1) ** 2)

    gan.compile(loss=LeastSquares())
    ```
    """

    def discriminator(self, real, fake):
        """Returns the scalar that the discriminator minimises.

        Args:
            real: logits of real samples, float32, shape `(batch, ...)`.
            fake: logits of generated samples, the same.
        """
        raise NotImplementedError(f"{type(self).__name__} must define discriminator(real, fake)")

    def generator(self, real, fake):
        """Returns the scalar that the generator minimises. Arguments as for `discriminator`."""
        raise NotImplementedError(f"{type(self).__name__} must define generator(real, fake)")

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable("kgan")
class Minimax(Game):
    r"""The saturating game of the 2014 paper: both players share one value function.

    D minimises $-E[\log D(x)] - E[\log(1 - D(G(z)))]$ and G minimises $E[\log(1 - D(G(z)))]$.
    When the discriminator is confident, the generator's gradient vanishes with D(G(z)); the
    paper therefore trains with `NonSaturating`.

    Reference: Goodfellow et al., Generative Adversarial Nets, 2014, equation 1.
    """

    def discriminator(self, real, fake):
        return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))

    def generator(self, real, fake):
        return -ops.mean(ops.softplus(fake))


@keras.saving.register_keras_serializable("kgan")
class NonSaturating(Minimax):
    r"""The same discriminator, and a generator that maximises log D(G(z)) instead.

    G minimises $-E[\log D(G(z))]$: the same fixed point as `Minimax`, with a gradient that is
    strong where the discriminator is confident.

    Reference: Goodfellow et al., Generative Adversarial Nets, 2014, section 3.
    """

    def generator(self, real, fake):
        return ops.mean(ops.softplus(-fake))


GAMES = {"minimax": Minimax, "non_saturating": NonSaturating}


def get(loss):
    """Returns the game for a name or an object.

    Args:
        loss: one of the names in `kgan.losses.GAMES`, or an object with the methods of `Game`.

    Raises:
        ValueError: if the name is unknown or the object lacks a method.
    """
    if isinstance(loss, str) and loss in GAMES:
        return GAMES[loss]()
    if callable(getattr(loss, "discriminator", None)) and callable(
        getattr(loss, "generator", None)
    ):
        return loss
    raise ValueError(
        f"The loss must be one of {', '.join(map(repr, GAMES))}, or an object with the methods "
        f"discriminator(real, fake) and generator(real, fake), see kgan.losses.Game. "
        f"Received: loss={loss!r}"
    )
