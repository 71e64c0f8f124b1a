"""Steering a trained generator by its latents, without training it again.

Everything here is NumPy on latents `(count, latent_dim)`. What looks at images takes a function
from latents to images, so that a Keras generator, `gan.images_of`, or an exported file will do.
"""

from kgan.latent.directions import principal, sefa, supervised
from kgan.latent.paths import linear, spherical, walk
from kgan.latent.points import arithmetic, truncated

__all__ = [
    "arithmetic",
    "linear",
    "principal",
    "sefa",
    "spherical",
    "supervised",
    "truncated",
    "walk",
]
