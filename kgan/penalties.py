"""Penalties on the discriminator's gradient, and limits on its weights.

Pass them as a list to `compile(penalties=[...])`, with any game. A penalty sees the discriminator
only through `gradient(x)`: the gradient of its logits with respect to its input, itself
differentiable, float32. Second derivatives are left to each backend.
"""

import warnings
from collections.abc import Iterable
from typing import Any, Self

import keras
from keras import ops

from kgan.layers import SpectralNormalization
from kgan.losses import Wasserstein, mean
from kgan.utils import numbers


class Penalty:
    """Base class of penalties. Subclass it, define both methods, and register the subclass.

    Args:
        weight: factor of the term, at least 0.
        interval: the term is computed in every `interval`-th turn, with its weight multiplied by
            `interval` (lazy regularisation, Karras et al., Analyzing and Improving the Image
            Quality of StyleGAN, 2020, appendix B). Default: 1.

    Raises:
        ValueError: if the weight is negative or the interval is not a positive integer.

    Example: the squared gradient norm in the middle between real and generated samples.

    ```python
    @keras.saving.register_keras_serializable("my_package")
    class Middle(kgan.penalties.Penalty):
        name = "middle"

        def prepare(self, real, fake, seed):
            return (real + fake) / 2

        def term(self, gradient, weights=None):
            return ops.mean(ops.sum(gradient**2, axis=(1, 2, 3)))

    gan.compile(penalties=[Middle(10.0)])
    ```
    """

    name: str | None = None

    def __init__(self, weight: float, interval: int = 1) -> None:
        self.weight = numbers.factor("weight", weight)
        self.interval = numbers.count("interval", interval)

    def prepare(self, real: Any, fake: Any, seed: Any) -> Any:
        """Returns the points at which the gradient is taken. Draw random numbers here.

        Args:
            real, fake: what the discriminator judges, `(batch, ...)`.
            seed: a `keras.random.SeedGenerator`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define prepare(real, fake, seed)")

    def term(self, gradient: Any, weights: Any = None) -> Any:
        """Returns the scalar penalty, before its weight.

        Args:
            gradient: the discriminator's gradient at the prepared points, `(batch, ...)`, float32.
            weights: how much each sample counts, `(batch,)`. Default: equal weights.
        """
        raise NotImplementedError(f"{type(self).__name__} must define term(gradient)")

    def get_config(self) -> dict[str, Any]:
        return {"weight": self.weight, "interval": self.interval}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**config)


@keras.saving.register_keras_serializable("kgan")
class GradientPenalty(Penalty):
    r"""Pulls the norm of the critic's gradient between real and fake samples to a target.

    $\lambda\, E[(\lVert\nabla D(\hat x)\rVert_2 - t)^2]$ at $\hat x = u x + (1 - u) G(z)$ with u
    uniform in [0, 1], one for each pair.

    Args:
        weight: lambda. Default: 10.
        target: t. Default: 1.
        one_sided: whether only norms above the target cost. Default: False.
        epsilon: added under the root, whose derivative is infinite at 0. Default: 1e-12.
        interval: see `Penalty`. Default: 1.

    Raises:
        ValueError: if a number is out of its range.

    Reference: Gulrajani et al., Improved Training of Wasserstein GANs, 2017 (arXiv:1704.00028),
    equation 3; one-sided: their section 4.
    """

    name = "gradient_penalty"

    def __init__(
        self,
        weight: float = 10.0,
        target: float = 1.0,
        one_sided: bool = False,
        epsilon: float = 1e-12,
        interval: int = 1,
    ) -> None:
        super().__init__(weight, interval)
        self.target = numbers.factor("target", target)
        self.one_sided = numbers.flag("one_sided", one_sided)
        self.epsilon = numbers.positive("epsilon", epsilon)

    def prepare(self, real: Any, fake: Any, seed: Any) -> Any:
        shape = (ops.shape(real)[0],) + (1,) * (len(real.shape) - 1)
        u = keras.random.uniform(shape, seed=seed)
        return u * real + (1 - u) * fake

    def term(self, gradient: Any, weights: Any = None) -> Any:
        norm = ops.sqrt(_squared_norm(gradient) + self.epsilon)
        excess = ops.relu(norm - self.target) if self.one_sided else norm - self.target
        return mean(excess**2, weights)

    def get_config(self) -> dict[str, Any]:
        own = {"target": self.target, "one_sided": self.one_sided, "epsilon": self.epsilon}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("kgan")
class R1(Penalty):
    r"""Keeps the discriminator flat at real samples: $\frac\gamma2 E[\lVert\nabla D(x)\rVert^2]$.

    Args:
        weight: gamma. Default: 10.
        interval: see `Penalty`; StyleGAN2 uses 16. Default: 1.

    Reference: Mescheder et al., Which Training Methods for GANs do actually Converge?, 2018
    (arXiv:1801.04406), equation 9.
    """

    name = "r1"

    def __init__(self, weight: float = 10.0, interval: int = 1) -> None:
        super().__init__(weight, interval)

    def prepare(self, real: Any, fake: Any, seed: Any) -> Any:
        return real

    def term(self, gradient: Any, weights: Any = None) -> Any:
        return mean(_squared_norm(gradient), weights) / 2


@keras.saving.register_keras_serializable("kgan")
class R2(R1):
    r"""R1 at generated samples: $\frac\gamma2 E[\lVert\nabla D(G(z))\rVert^2]$.

    Args and reference: see `R1`, equation 10.
    """

    name = "r2"

    def prepare(self, real: Any, fake: Any, seed: Any) -> Any:
        return fake


@keras.saving.register_keras_serializable("kgan")
class WeightClipping:
    """Clips every weight of the critic after its turn, as the first Wasserstein GAN did.

    Args:
        limit: weights are kept in [-limit, limit]. Default: 0.01, as in the paper.

    Raises:
        ValueError: if the limit is not above 0.

    Reference: Arjovsky et al., Wasserstein GAN, 2017 (arXiv:1701.07875), algorithm 1.
    """

    def __init__(self, limit: float = 0.01) -> None:
        self.limit = numbers.positive("limit", limit)

    def constrain(self, variables: Iterable[Any]) -> None:
        """Clips the variables in place."""
        for variable in variables:
            variable.assign(ops.clip(variable, -self.limit, self.limit))

    def get_config(self) -> dict[str, Any]:
        return {"limit": self.limit}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(**config)


def check(penalties: Any) -> list[Any]:
    """Returns the penalties as a list.

    Raises:
        ValueError: if one is not a penalty, two have the same name, or two contradict each other.
    """
    penalties = list(penalties) if isinstance(penalties, (list, tuple)) else [penalties]
    for penalty in penalties:
        if not (isinstance(penalty, Penalty) or callable(getattr(penalty, "constrain", None))):
            raise ValueError(
                "penalties must be objects of kgan.penalties, such as R1(10.0) or "
                f"GradientPenalty(10.0). Received: {penalty!r}"
            )
    names = [penalty.name for penalty in penalties if isinstance(penalty, Penalty)]
    if len(set(names)) < len(names):
        raise ValueError(
            f"Give each penalty once, with one weight. Received: {', '.join(map(str, names))}"
        )
    clips = any(isinstance(penalty, WeightClipping) for penalty in penalties)
    if clips and GradientPenalty.name in names:
        raise ValueError(
            "WeightClipping keeps the critic's gradient far below the target norm of "
            "GradientPenalty: choose one of them. Received: both"
        )
    return penalties


def warn_of_batch_norm(penalties: Any, layers: Any) -> None:
    """Warns of a gradient penalty on a critic whose layers mix the samples of a batch."""
    norms = [layer.name for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
    if norms and any(isinstance(penalty, GradientPenalty) for penalty in penalties):
        warnings.warn(
            "GradientPenalty limits the gradient of each sample, but batch normalisation makes "
            "every logit depend on the whole batch: leave it out of the critic, for example "
            "dcgan_discriminator(batch_norm=False), or use another normalisation (Gulrajani et "
            f"al., 2017, section 4). Received: a critic with {', '.join(norms)}",
            stacklevel=3,
        )


def warn_of_no_limit(game: Any, penalties: Any, layers: Any) -> None:
    """Warns of a Wasserstein critic that nothing keeps Lipschitz."""
    limited = penalties or any(isinstance(layer, SpectralNormalization) for layer in layers)
    if isinstance(game, Wasserstein) and not limited:
        warnings.warn(
            "The critic of a Wasserstein game must be kept Lipschitz, or its scores grow without "
            "bound: add penalties=[kgan.penalties.GradientPenalty()] or [WeightClipping()], or "
            "kgan.layers.SpectralNormalization to its layers. Received: loss='wasserstein' alone",
            stacklevel=3,
        )


def _squared_norm(gradient):
    return ops.sum(gradient**2, axis=tuple(range(1, len(gradient.shape))))
