"""How likely an image is, given what a decoder makes: the first term of a variational autoencoder.

A likelihood is one small object. `log_probability(images, made, low, high)` takes real images and
what the decoder made, float32 `(batch, ...)`, and the range of both, and returns one value in nats
for each image, `(batch,)`.
"""

import math

import keras
from keras import ops

from kgan.utils import numbers

__all__ = ["Bernoulli", "Gaussian", "get"]

# The decoder's tanh reaches its ends in float32, where a logarithm would be infinite.
CERTAIN = 1e-6


class Likelihood:
    """Subclass it to add a likelihood, and register the subclass."""

    def log_probability(self, images, made, low, high):
        """Returns the log-probability of each image, `(batch,)`, in nats.

        Args:
            images: real images, float32 `(batch, ...)`.
            made: what the decoder made, the same.
            low, high: the range of both, infinite for a decoder without an activation at its end.
        """
        raise NotImplementedError(f"{type(self).__name__} must define log_probability()")

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable("kgan")
class Bernoulli(Likelihood):
    r"""Each pixel is on or off, with the probability that the decoder makes.

    $\sum x \log p + (1 - x) \log(1 - p)$, with pixels and probabilities scaled from the decoder's
    range to [0, 1]. It is a log-probability for binary images; for grey ones it is the usual
    cross-entropy. The decoder must end in tanh or a sigmoid.

    Reference: Kingma and Welling, Auto-Encoding Variational Bayes, 2014 (arXiv:1312.6114),
    appendix C.1.
    """

    def log_probability(self, images, made, low, high):
        x, p = ((each - low) / (high - low) for each in (images, made))
        p = ops.clip(p, CERTAIN, 1 - CERTAIN)
        return _summed(x * ops.log(p) + (1 - x) * ops.log(1 - p))


@keras.saving.register_keras_serializable("kgan")
class Gaussian(Likelihood):
    r"""Each pixel is normal around what the decoder makes.

    $\sum -\frac{(x - m)^2}{2 \sigma^2} - \log \sigma - \frac12 \log 2 \pi$.

    Args:
        deviation: sigma, in the units of the images, [-1, 1]. Default: 0.1. A large one lets the
            latent be ignored, a small one the prior.

    Raises:
        ValueError: if the deviation is not above 0.

    Reference: Kingma and Welling, 2014, appendix C.2.
    """

    def __init__(self, deviation: float = 0.1):
        self.deviation = numbers.positive("deviation", deviation)

    def log_probability(self, images, made, low, high):
        squares = ((images - made) / self.deviation) ** 2
        return _summed(-squares / 2 - math.log(self.deviation) - math.log(2 * math.pi) / 2)

    def get_config(self):
        return {"deviation": self.deviation}


LIKELIHOODS = {"bernoulli": Bernoulli, "gaussian": Gaussian}


def get(likelihood):
    """Returns the likelihood for a name or an object.

    Raises:
        ValueError: if the name is unknown or the object has no `log_probability`.
    """
    if isinstance(likelihood, str) and likelihood in LIKELIHOODS:
        return LIKELIHOODS[likelihood]()
    if callable(getattr(likelihood, "log_probability", None)) and not isinstance(likelihood, type):
        return likelihood
    raise ValueError(
        f"The likelihood must be one of {', '.join(map(repr, LIKELIHOODS))}, or an object such as "
        f"kgan.likelihoods.Gaussian(0.1). Received: likelihood={numbers.shown(likelihood)}"
    )


def standard_normal(latents):
    """Returns the log-density of latents under a standard normal, `(batch,)`, in nats."""
    return _summed(-(latents**2) / 2 - math.log(2 * math.pi) / 2)


def normal(latents, mean, log_variance):
    """Returns the log-density of latents under normals of their own, `(batch,)`, in nats."""
    squares = (latents - mean) ** 2 * ops.exp(-log_variance)
    return _summed(-(squares + log_variance + math.log(2 * math.pi)) / 2)


def divergence(mean, log_variance):
    """Returns the Kullback-Leibler divergence of normals from the standard one, `(batch,)`, nats.

    Reference: Kingma and Welling, 2014, appendix B.
    """
    return _summed((mean**2 + ops.exp(log_variance) - 1 - log_variance) / 2)


def _summed(values):
    return ops.sum(values, axis=tuple(range(1, len(values.shape))))
