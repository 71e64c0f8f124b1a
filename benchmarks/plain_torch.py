"""The DCGAN step written by hand in plain PyTorch, which kgan on PyTorch is compared with.

    python benchmarks/train_step.py --only plain-torch kgan-torch

Its best form on a CPU: `channels_last` for networks and data, one pass through the generator a step
for both turns, gradients for nothing but the player that learns, and one fused Adam kernel.
"""

import math

import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus

NOTES = "eager, torch.optim.Adam(fused=True), native batch norm"
BETA_2, EPSILON = 0.999, 1e-7


class ToImage(nn.Module):
    """Features to `(batch, channels, height, width)`, in Keras's order: the channels vary fastest.

    That is channels_last without a copy, and it makes Keras's weights usable as they are.
    """

    def __init__(self, size, channels):
        super().__init__()
        self.shape = (size, size, channels)

    def forward(self, x):
        return x.unflatten(1, self.shape).permute(0, 3, 1, 2)


class ToFeatures(nn.Module):
    """The way back: `(batch, channels, height, width)` to features in Keras's order."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


def generator(size, width, latent_dim, channels):
    """The network of `kgan.networks.dcgan_generator`, for sizes that need no cropping."""
    steps = int(math.log2(size / 4))
    before = width * 2 ** (steps - 1)
    smallest = size // 2**steps
    layers = [
        nn.Linear(latent_dim, smallest**2 * before, bias=False),
        ToImage(smallest, before),
        *_norm_and(nn.ReLU(inplace=True), before),
    ]
    for step in reversed(range(1, steps)):
        filters = width * 2 ** (step - 1)
        layers += [
            nn.ConvTranspose2d(before, filters, 4, 2, 1, bias=False),
            *_norm_and(nn.ReLU(inplace=True), filters),
        ]
        before = filters
    return nn.Sequential(*layers, nn.ConvTranspose2d(before, channels, 4, 2, 1), nn.Tanh())


def discriminator(size, width, channels, batch_norm=True):
    """The network of `kgan.networks.dcgan_discriminator`."""
    steps = int(math.log2(size / 4))
    layers = [nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
    for step in range(1, steps):
        filters = width * 2**step
        layers += [
            nn.Conv2d(filters // 2, filters, 4, 2, 1, bias=not batch_norm),
            *_norm_and(nn.LeakyReLU(0.2, inplace=True), filters)[not batch_norm :],
        ]
    features = (size // 2**steps) ** 2 * width * 2 ** (steps - 1)
    return nn.Sequential(*layers, ToFeatures(), nn.Linear(features, 1))


def _norm_and(activation, filters):
    # PyTorch's momentum is the weight of the new value: 0.1 here is 0.9 in Keras.
    return nn.BatchNorm2d(filters, eps=1e-5, momentum=0.1), activation


class PlainTorch:
    """A GAN and its loop.

    Args:
        images: the data, float32 NumPy array `(count, size, size, channels)` in [-1, 1].
        width, batch, latent_dim: as in the networks and the loop.
        memory_format: `torch.channels_last` or `torch.contiguous_format`.
    """

    turns = 1
    """Of the discriminator in a step, each on fresh data."""

    def __init__(self, images, width, batch, latent_dim, memory_format=torch.channels_last):
        _, size, _, channels = images.shape
        self.batch, self.latent_dim, self.memory_format = batch, latent_dim, memory_format
        self.images = self._tensor(images)
        self.generator, self.discriminator = self.networks(size, width, latent_dim, channels)
        for network in (self.generator, self.discriminator):
            for layer in network.modules():
                if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
                    nn.init.normal_(layer.weight, std=0.02)
                    if layer.bias is not None:
                        nn.init.zeros_(layer.bias)
            network.to(memory_format=memory_format).train()
        self.as_keras = False
        self.updates = {self.generator: 0, self.discriminator: 0}
        self.optimizers = {network: _adam(network) for network in self.updates}

    def networks(self, size, width, latent_dim, channels):
        """Returns the generator and the discriminator."""
        return (
            generator(size, width, latent_dim, channels),
            discriminator(size, width, channels),
        )

    def parameters(self):
        """The trainable parameters of the generator and of the discriminator."""
        return [
            sum(parameter.numel() for parameter in network.parameters())
            for network in (self.generator, self.discriminator)
        ]

    def load(self, generator_values, discriminator_values):
        """Takes over the trainable values of the Keras networks, in Keras's order and layout."""
        pairs = [
            *zip(self.generator.parameters(), generator_values, strict=True),
            *zip(self.discriminator.parameters(), discriminator_values, strict=True),
        ]
        with torch.no_grad():
            for parameter, value in pairs:
                # Dense (in, out); convolution (h, w, in, out); transposed one (h, w, out, in).
                axes = {1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}[value.ndim]
                if value.ndim == 2 and value.shape == parameter.shape:
                    axes = (0, 1)  # one row a class
                parameter.copy_(torch.from_numpy(np.ascontiguousarray(value.transpose(axes))))

    def train(self, steps):
        """Trains on fresh random batches and returns the mean losses, as `fit` does."""
        size = self.batch * self.turns
        order = torch.randperm(len(self.images))[: steps * size].view(steps, size)
        totals = torch.zeros(2)
        for rows in order:
            real = self.images[rows].contiguous(memory_format=self.memory_format)
            totals += self._step(real, torch.randn(size, self.latent_dim))
        return (totals / steps).tolist()

    def step(self, images, latents, *others):
        """One step on given NumPy arrays. Returns the discriminator's and the generator's loss."""
        self.as_keras = True
        others = map(torch.from_numpy, others)
        return self._step(self._tensor(images), torch.from_numpy(latents), *others).tolist()

    def _step(self, real, latents):
        fake = self.generator(latents)

        real_logits = self.discriminator(real)
        fake_logits = self.discriminator(fake.detach())
        discriminator_loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
        self.learn(discriminator_loss, self.discriminator)

        generator_loss = softplus(-self.discriminator(fake)).mean()
        self.learn(generator_loss, self.generator)
        return torch.stack([discriminator_loss.detach(), generator_loss.detach()])

    def learn(self, loss, network):
        """One update of a network by its optimizer."""
        optimizer = self.optimizers[network]
        if self.as_keras:
            # Keras adds Adam's epsilon before the bias correction of the second moment, PyTorch
            # after: no matter for the speed, but in the first steps it shows in the losses.
            self.updates[network] += 1
            correction = math.sqrt(1 - BETA_2 ** self.updates[network])
            optimizer.param_groups[0]["eps"] = EPSILON / correction
        optimizer.zero_grad(set_to_none=True)
        # For this player's parameters alone: the other's weight gradients are never computed.
        loss.backward(inputs=list(network.parameters()))
        optimizer.step()

    def _tensor(self, images):
        images = torch.from_numpy(images).permute(0, 3, 1, 2)
        return images.contiguous(memory_format=self.memory_format)


def _adam(network):
    return torch.optim.Adam(
        network.parameters(), 2e-4, betas=(0.5, BETA_2), eps=EPSILON, fused=True
    )
