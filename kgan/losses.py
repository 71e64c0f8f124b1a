"""The games: what the discriminator and the generator each minimise, from logits.

A game is one small object. `discriminator(real, fake, weights)` and
`generator(real, fake, weights)` take the discriminator's logits, float32 of shape `(batch, ...)`,
and return a scalar. Weights, if there are any, say how much each sample counts, such as 0 for
padding. The sigmoid is never applied: log sigmoid(x) = -softplus(-x) and
log(1 - sigmoid(x)) = -softplus(x) stay finite for any logit, where the logarithm of a rounded
probability does not.
"""

import keras
from keras import ops

from kgan.utils import numbers
from kgan.utils.advice import advice


def mean(values, weights=None):
    """Returns the mean of values, a scalar.

    Args:
        values: a tensor `(batch, ...)`.
        weights: how much each sample counts, `(batch,)`, or each of its values, `(batch, ...)`.
            Default: None, all alike. Where all are 0 the mean is 0.
    """
    if weights is None:
        return ops.mean(values)
    weights = fitting(weights, values)
    return ops.sum(weights * values) / ops.maximum(ops.sum(weights), 1e-12)


def fitting(weights, values):
    """Returns weights in the shape of values, to whose first axes they belong."""
    missing = len(values.shape) - len(weights.shape)
    weights = ops.reshape(weights, (*ops.shape(weights), *(1,) * missing))
    return ops.broadcast_to(ops.cast(weights, values.dtype), ops.shape(values))


def of_samples(weights):
    """Returns weights `(batch,)` of whole samples: the largest of any part of each."""
    return ops.max(ops.reshape(weights, (ops.shape(weights)[0], -1)), axis=1)


class Game:
    """What the two players minimise. Subclass it to add a game, and register the subclass.

    Example:

    ```python
    @keras.saving.register_keras_serializable("my_package")
    class LeastSquares(kgan.losses.Game):
        def discriminator(self, real, fake, weights=None):
            mean = kgan.losses.mean
            return mean((real - 1) ** 2, weights) + mean(fake**2, weights)

        def generator(self, real, fake, weights=None):
            return kgan.losses.mean((fake - 1) ** 2, weights)

    gan.compile(loss=LeastSquares())
    ```
    """

    probabilities = False
    """Whether the sigmoid of a logit is a probability that the metrics can show."""

    pairs = False
    """Whether the generator's loss needs the logits of real samples too."""

    threshold = None
    """The logit above which a sample is taken for real; None where only differences count."""

    def discriminator(self, real, fake, weights=None):
        """Returns the scalar that the discriminator minimises.

        Args:
            real: logits of real samples, float32, shape `(batch, ...)`.
            fake: logits of generated samples, the same.
            weights: how much each sample counts, as for `kgan.losses.mean`. A game that has no such
                argument plays wherever there are none.
        """
        raise NotImplementedError(f"{type(self).__name__} must define discriminator(real, fake)")

    def generator(self, real, fake, weights=None):
        """Returns the scalar that the generator minimises.

        Args:
            real: as for `discriminator`, or None unless `pairs` is True.
            fake, weights: as for `discriminator`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define generator(real, fake)")

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


class LogOdds(Game):
    r"""A discriminator trained by binary cross-entropy, whose logit is the log-odds of "real".

    D minimises $-E[\log D(x)] - E[\log(1 - D(G(z)))]$ with D = sigmoid(logit).

    Args:
        label_smoothing: what is taken off the target 1 of real samples, in [0, 1): one-sided, since
            a smoothed target for fakes would reward the generator's own mistakes (Salimans et al.,
            Improved Techniques for Training GANs, 2016, section 3.4). Default: 0.

    Raises:
        ValueError: if `label_smoothing` is outside [0, 1).
    """

    probabilities = True
    threshold = 0.0

    def __init__(self, label_smoothing=0.0):
        self.label_smoothing = numbers.share("label_smoothing", label_smoothing, "[0, 1)")

    def discriminator(self, real, fake, weights=None):
        # Cross-entropy with target t is softplus(-x) + (1 - t) x.
        smoothed = ops.softplus(-real) + self.label_smoothing * real
        return mean(smoothed, weights) + mean(ops.softplus(fake), weights)

    def get_config(self):
        return {"label_smoothing": self.label_smoothing}


@keras.saving.register_keras_serializable("kgan")
class Minimax(LogOdds):
    r"""The saturating game of the 2014 paper: both players share one value function.

    G minimises $E[\log(1 - D(G(z)))]$. When the discriminator is confident, the generator's
    gradient vanishes with D(G(z)); the paper therefore trains with `NonSaturating`.

    Args:
        label_smoothing: see `LogOdds`. Default: 0.

    Reference: Goodfellow et al., Generative Adversarial Nets, 2014, equation 1.
    """

    def generator(self, real, fake, weights=None):
        return -mean(ops.softplus(fake), weights)


@keras.saving.register_keras_serializable("kgan")
class NonSaturating(LogOdds):
    r"""The same discriminator, and a generator that maximises log D(G(z)) instead.

    G minimises $-E[\log D(G(z))]$: the same fixed point as `Minimax`, with a gradient that is
    strong where the discriminator is confident.

    Args:
        label_smoothing: see `LogOdds`. Default: 0.

    Reference: Goodfellow et al., Generative Adversarial Nets, 2014, section 3.
    """

    def generator(self, real, fake, weights=None):
        return mean(ops.softplus(-fake), weights)


@keras.saving.register_keras_serializable("kgan")
class Wasserstein(Game):
    r"""The critic estimates the Wasserstein-1 distance; it must be kept Lipschitz.

    D minimises $E[D(G(z))] - E[D(x)]$ and G minimises $-E[D(G(z))]$. Without a penalty
    (`GradientPenalty`), `WeightClipping` or spectral normalisation the critic grows without bound.

    Reference: Arjovsky et al., Wasserstein GAN, 2017 (arXiv:1701.07875).
    """

    def discriminator(self, real, fake, weights=None):
        return mean(fake, weights) - mean(real, weights)

    def generator(self, real, fake, weights=None):
        return -mean(fake, weights)


@keras.saving.register_keras_serializable("kgan")
class LeastSquares(Game):
    r"""Real samples pulled to 1, fakes to 0, by squares: far fakes still give a gradient.

    D minimises $\frac12 E[(D(x) - t)^2] + \frac12 E[D(G(z))^2]$, G $\frac12 E[(D(G(z)) - 1)^2]$.

    Args:
        label_smoothing: t = 1 - label_smoothing. Default: 0.

    Raises:
        ValueError: if `label_smoothing` is outside [0, 1).

    Reference: Mao et al., Least Squares Generative Adversarial Networks, 2017 (arXiv:1611.04076),
    equation 9.
    """

    def __init__(self, label_smoothing=0.0):
        self.label_smoothing = numbers.share("label_smoothing", label_smoothing, "[0, 1)")
        self.threshold = (1 - self.label_smoothing) / 2  # the middle between the two targets

    def discriminator(self, real, fake, weights=None):
        target = 1 - self.label_smoothing
        return (mean((real - target) ** 2, weights) + mean(fake**2, weights)) / 2

    def generator(self, real, fake, weights=None):
        return mean((fake - 1) ** 2, weights) / 2

    def get_config(self):
        return {"label_smoothing": self.label_smoothing}


@keras.saving.register_keras_serializable("kgan")
class Hinge(Game):
    r"""Margins: samples that are judged right by more than 1 no longer count.

    D minimises $E[\max(0, 1 - D(x))] + E[\max(0, 1 + D(G(z)))]$ and G $-E[D(G(z))]$.

    Reference: Lim and Ye, Geometric GAN, 2017 (arXiv:1705.02894); Miyato et al., Spectral
    Normalization for GANs, 2018 (arXiv:1802.05957), equations 16 and 17.
    """

    threshold = 0.0

    def discriminator(self, real, fake, weights=None):
        return mean(ops.relu(1 - real), weights) + mean(ops.relu(1 + fake), weights)

    def generator(self, real, fake, weights=None):
        return -mean(fake, weights)


@keras.saving.register_keras_serializable("kgan")
class Relativistic(Game):
    r"""Each fake is judged against a real sample, not against zero.

    With d = D(x) - D(G(z)) for pairs, D minimises $E[\log(1 + e^{-d})]$ and G
    $E[\log(1 + e^{d})]$. The pairing rules out the landscapes in which modes are dropped; with
    `R1` and `R2` this is the objective of R3GAN.

    Reference: Jolicoeur-Martineau, The relativistic discriminator, 2018 (arXiv:1807.00734); Huang
    et al., The GAN is dead; long live the GAN!, 2024 (arXiv:2501.05441), equation 2.
    """

    pairs = True

    def discriminator(self, real, fake, weights=None):
        return mean(ops.softplus(fake - real), weights)

    def generator(self, real, fake, weights=None):
        return mean(ops.softplus(real - fake), weights)


GAMES = {
    "non_saturating": NonSaturating,
    "minimax": Minimax,
    "wasserstein": Wasserstein,
    "least_squares": LeastSquares,
    "hinge": Hinge,
    "relativistic": Relativistic,
}


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
    own = ", or an object with the methods discriminator(real, fake) and generator(real, fake)"
    raise ValueError(
        f"The loss must be one of {', '.join(map(repr, GAMES))}"
        f"{advice(f'{own}, see kgan.losses.Game', '')}. "
        f"Received: {advice(f'loss={loss!r}', f'--loss {loss}')}"
    )
