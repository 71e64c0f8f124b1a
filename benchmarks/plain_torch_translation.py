"""The steps of pix2pix and CycleGAN written by hand in plain PyTorch, the same networks as kgan's.

    python benchmarks/translation_step.py

`channels_last`, one pass through each generator a step for both turns, gradients for nothing but
the player that learns, one fused Adam kernel, native batch norm of one image as instance norm.
"""

import itertools
import math
import random

import numpy as np
import torch
from plain_torch import BETA_2, EPSILON
from torch import nn
from torch.nn import functional
from torch.nn.functional import softplus

NOTES = "eager, channels_last, torch.optim.Adam(fused=True), native batch norm of one image"
L1_WEIGHT, CYCLE_WEIGHT, IDENTITY_WEIGHT, POOL_SIZE = 100.0, 10.0, 0.5, 50


class InstanceNorm(nn.Module):
    """The statistics of an image by itself, for batches of one image.

    As a batch norm: in PyTorch 2.13 `functional.instance_norm` has a wrong gradient on CPUs, for a
    batch of one in channels_last.
    """

    def __init__(self, filters):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(filters))
        self.bias = nn.Parameter(torch.zeros(filters))

    def forward(self, x):
        if len(x) > 1:
            raise ValueError(f"This loop takes one image a batch. Received: {len(x)}")
        return functional.batch_norm(
            x, None, None, self.weight, self.bias, training=True, momentum=0.0, eps=1e-5
        )


class _Cropped(nn.Module):
    """Keras's transposed convolution of 3 pixels takes one off after the last, none before."""

    def forward(self, x):
        return x[:, :, :-1, :-1]


class UNet(nn.Module):
    """The network of `kgan.networks.unet_generator` for a square of a power of two pixels."""

    def __init__(self, size, width, dropout=0.5, channels=3):
        super().__init__()
        self.dropout = dropout
        depth = min(size.bit_length() - 1, 8)
        filters = [width * 2 ** min(step, 3) for step in range(depth)]
        self.down, self.down_norms = nn.ModuleList(), nn.ModuleList()
        for step, (before, after) in enumerate(itertools.pairwise([channels, *filters])):
            normed = 0 < step < depth - 1
            self.down.append(nn.Conv2d(before, after, 4, 2, 1, bias=not normed))
            self.down_norms.append(InstanceNorm(after) if normed else nn.Identity())
        self.up, self.up_norms = nn.ModuleList(), nn.ModuleList()
        before = filters[-1]
        for skip in reversed(filters[:-1]):
            self.up.append(nn.ConvTranspose2d(before, skip, 4, 2, 1, bias=False))
            self.up_norms.append(InstanceNorm(skip))
            before = 2 * skip
        self.last = nn.ConvTranspose2d(before, channels, 4, 2, 1)

    def forward(self, x):
        maps = []
        for step, (layer, norm) in enumerate(zip(self.down, self.down_norms, strict=True)):
            x = norm(layer(functional.leaky_relu(x, 0.2) if step else x))
            maps.append(x)
        x = functional.relu(maps.pop())
        for block, (layer, norm) in enumerate(zip(self.up, self.up_norms, strict=True)):
            x = norm(layer(x))
            x = functional.dropout(x, self.dropout) if block < 3 else x
            x = functional.relu(torch.cat([x, maps.pop()], 1))
        return torch.tanh(self.last(x))

    def parameters(self, recurse=True):
        """In Keras's order: a norm after its convolution."""
        down = zip(self.down, self.down_norms, strict=True)
        up = zip(self.up, self.up_norms, strict=True)
        for layer in itertools.chain(*down, *up, [self.last]):
            yield from layer.parameters()


class _Residual(nn.Module):
    def __init__(self, filters):
        super().__init__()
        self.layers = nn.Sequential(
            *_mirrored(filters, filters, 3),
            InstanceNorm(filters),
            nn.ReLU(inplace=True),
            *_mirrored(filters, filters, 3),
            InstanceNorm(filters),
        )

    def forward(self, x):
        return x + self.layers(x)


def _mirrored(before, after, size, bias=False):
    return nn.ReflectionPad2d(size // 2), nn.Conv2d(before, after, size, bias=bias)


def resnet(width, blocks, channels=3):
    """The network of `kgan.networks.cyclegan_generator`."""
    layers = [*_mirrored(channels, width, 7), InstanceNorm(width), nn.ReLU(inplace=True)]
    for before in (width, 2 * width):
        # Keras's "same" padding of 3 pixels and a stride of 2: one pixel, at the end.
        layers += [nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(before, 2 * before, 3, 2, bias=False)]
        layers += [InstanceNorm(2 * before), nn.ReLU(inplace=True)]
    layers += [_Residual(4 * width) for _ in range(blocks)]
    for before in (4 * width, 2 * width):
        after = before // 2
        layers += [nn.ConvTranspose2d(before, after, 3, 2, bias=False), _Cropped()]
        layers += [InstanceNorm(after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, *_mirrored(width, channels, 7, bias=True), nn.Tanh())


class Patch(nn.Module):
    """The network of `kgan.networks.patch_discriminator` with fields of 70 pixels."""

    def __init__(self, width, channels):
        super().__init__()
        sizes = [(channels, width, 2), (width, 2 * width, 2), (2 * width, 4 * width, 2)]
        layers = []
        for step, (before, after, stride) in enumerate([*sizes, (4 * width, 8 * width, 1)]):
            # Keras's "same" padding: one pixel more at the end where the stride is one.
            layers += [nn.ZeroPad2d((1, 1, 1, 1) if stride == 2 else (1, 2, 1, 2))]
            layers += [nn.Conv2d(before, after, 4, stride, bias=step == 0)]
            layers += [InstanceNorm(after)] if step else []
            layers += [nn.LeakyReLU(0.2, inplace=True)]
        layers += [nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(8 * width, 1, 4)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x)


class _Plain:
    """Two players and their loops."""

    def __init__(self, generators, discriminators):
        self.generators, self.discriminators = generators, discriminators
        for network in (*generators, *discriminators):
            for parameter in network.parameters():
                if parameter.ndim == 4:
                    nn.init.normal_(parameter, std=0.02)
            network.to(memory_format=torch.channels_last).train()
        self.parameters_of = [
            [each for network in side for each in network.parameters()]
            for side in (generators, discriminators)
        ]
        self.optimizers = [
            torch.optim.Adam(parameters, 2e-4, betas=(0.5, BETA_2), eps=EPSILON, fused=True)
            for parameters in self.parameters_of
        ]
        self.as_keras, self.updates = False, [0, 0]

    def load(self, *values):
        """Takes over the trainable values of the Keras networks, in Keras's order and layout.

        Args:
            *values: those of the generators and of the discriminators, lists of arrays.
        """
        with torch.no_grad():
            for parameters, arrays in zip(self.parameters_of, values, strict=True):
                for parameter, value in zip(parameters, arrays, strict=True):
                    axes = {1: (0,), 4: (3, 2, 0, 1)}[value.ndim]
                    value = np.ascontiguousarray(value.transpose(axes))
                    parameter.copy_(torch.from_numpy(value))
        self.as_keras = True

    def parameters(self):
        """The trainable parameters of the generators and of the discriminators."""
        return [sum(each.numel() for each in side) for side in self.parameters_of]

    def train(self, inputs, targets):
        """One step for each pair of NumPy batches, NHWC; their losses."""
        losses = []
        for pair in zip(inputs, targets, strict=True):
            first, second = (torch.from_numpy(each[None]).permute(0, 3, 1, 2) for each in pair)
            losses.append([float(each) for each in self.step(first, second)])
        return losses

    def _learn(self, side, loss):
        optimizer, parameters = self.optimizers[side], self.parameters_of[side]
        if self.as_keras:  # see plain_torch.py
            self.updates[side] += 1
            correction = math.sqrt(1 - BETA_2 ** self.updates[side])
            optimizer.param_groups[0]["eps"] = EPSILON / correction
        optimizer.zero_grad(set_to_none=True)
        loss.backward(inputs=parameters)
        optimizer.step()
        return loss.detach()


class Pix2Pix(_Plain):
    """The conditional GAN with L1, non-saturating."""

    def __init__(self, size, width, dropout=0.5):
        super().__init__([UNet(size, width, dropout)], [Patch(width, 6)])

    def step(self, inputs, targets):
        (generator,), (discriminator,) = self.generators, self.discriminators
        made = generator(inputs)
        real = discriminator(torch.cat([inputs, targets], 1))
        fake = discriminator(torch.cat([inputs, made.detach()], 1))
        judged = self._learn(1, softplus(-real).mean() + softplus(fake).mean())
        fooled = softplus(-discriminator(torch.cat([inputs, made], 1))).mean()
        return judged, self._learn(0, fooled + L1_WEIGHT * (targets - made).abs().mean())


class CycleGAN(_Plain):
    """Least squares, cycle and identity terms, a pool of past images for each domain."""

    def __init__(self, width, blocks, pool_size=POOL_SIZE):
        generators = [resnet(width, blocks) for _ in "ab"]
        super().__init__(generators, [Patch(width, 3) for _ in "ab"])
        self.pool_size, self.pools = pool_size, ([], [])

    def step(self, a, b):
        to_b, to_a = self.generators
        fake_b, fake_a = to_b(a), to_a(b)
        cycles, same = (to_a(fake_b), to_b(fake_a)), (to_a(a), to_b(b))
        judged = fooled = 0
        sides = list(zip((a, b), (fake_a, fake_b), self.discriminators, self.pools, strict=True))
        for real, fake, discriminator, pool in sides:
            past = self._past(pool, fake.detach())
            squares = (discriminator(real) - 1).square().mean() + discriminator(
                past
            ).square().mean()
            judged = judged + squares / 2
        judged = self._learn(1, judged)
        for (real, fake, discriminator, _), cycle, kept in zip(sides, cycles, same, strict=True):
            fooled = fooled + (discriminator(fake) - 1).square().mean() / 2
            fooled = fooled + CYCLE_WEIGHT * (cycle - real).abs().mean()
            fooled = fooled + CYCLE_WEIGHT * IDENTITY_WEIGHT * (kept - real).abs().mean()
        return judged, self._learn(0, fooled)

    def _past(self, pool, image):
        if len(pool) < self.pool_size:
            pool.append(image)
            return image
        if not self.pool_size or random.random() < 0.5:
            return image
        place = random.randrange(self.pool_size)
        past, pool[place] = pool[place], image
        return past
