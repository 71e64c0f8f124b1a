"""Networks after the papers: plain Keras models to use, change or replace by your own."""

from kgan.networks.cyclegan import cyclegan_generator
from kgan.networks.dcgan import dcgan_discriminator, dcgan_encoder, dcgan_generator
from kgan.networks.mlp import mlp_discriminator, mlp_encoder, mlp_generator
from kgan.networks.patch import patch_discriminator
from kgan.networks.resnet import resnet_discriminator, resnet_generator
from kgan.networks.unet import unet_generator

__all__ = [
    "cyclegan_generator",
    "dcgan_discriminator",
    "dcgan_encoder",
    "dcgan_generator",
    "mlp_discriminator",
    "mlp_encoder",
    "mlp_generator",
    "patch_discriminator",
    "resnet_discriminator",
    "resnet_generator",
    "unet_generator",
]
