"""One file a paper."""

from kgan.models.adversarial import AdversarialModel
from kgan.models.conditional import ACGAN, ConditionalGAN
from kgan.models.cyclegan import CycleGAN
from kgan.models.gan import GAN
from kgan.models.pix2pix import Pix2Pix
from kgan.models.vae import VAE

__all__ = ["ACGAN", "GAN", "VAE", "AdversarialModel", "ConditionalGAN", "CycleGAN", "Pix2Pix"]
