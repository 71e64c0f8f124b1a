"""One file a paper."""

from kgan.models.conditional import ACGAN, ConditionalGAN
from kgan.models.gan import GAN

__all__ = ["ACGAN", "GAN", "ConditionalGAN"]
