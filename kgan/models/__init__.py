"""One file a paper."""

from kgan.models.gan import GAN

__all__ = ["GAN"]
