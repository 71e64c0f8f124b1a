"""Other games than the plain one, by hand in PyTorch on the networks of `plain_torch.py`.

    python benchmarks/train_step.py --game wgan-gp --only plain-torch kgan-torch

What is shared by hand: a penalty at real or generated samples takes its gradient from the very
logits that the game judges, so the discriminator runs no further time for it.
"""

import torch
from plain_torch import PlainTorch, discriminator, generator
from torch import nn
from torch.nn.functional import softplus

CLASSES = 10
CRITIC_STEPS, PENALTY = 5, 10.0
GAMMA = 0.1


class ClassNorm(nn.Module):
    """Batch norm whose scale and shift belong to a class."""

    def __init__(self, filters):
        super().__init__()
        self.norm = nn.BatchNorm2d(filters, eps=1e-5, momentum=0.1, affine=False)
        self.gamma = nn.Parameter(torch.ones(CLASSES, filters))
        self.beta = nn.Parameter(torch.zeros(CLASSES, filters))

    def forward(self, x, labels):
        gamma, beta = self.gamma[labels], self.beta[labels]
        return torch.addcmul(beta[:, :, None, None], self.norm(x), gamma[:, :, None, None])


class ClassGenerator(nn.Module):
    """The generator of `plain_torch.py` with a `ClassNorm` for every batch norm."""

    def __init__(self, size, width, latent_dim, channels):
        super().__init__()
        self.layers = nn.ModuleList(
            ClassNorm(layer.num_features) if isinstance(layer, nn.BatchNorm2d) else layer
            for layer in generator(size, width, latent_dim, channels)
        )

    def forward(self, x, labels):
        for layer in self.layers:
            x = layer(x, labels) if isinstance(layer, ClassNorm) else layer(x)
        return x


class ProjectionDiscriminator(nn.Module):
    """The discriminator of `plain_torch.py` with a logit that knows the class."""

    def __init__(self, size, width, channels):
        super().__init__()
        *layers, linear = discriminator(size, width, channels)
        self.features, self.linear = nn.Sequential(*layers), linear
        self.classes = nn.Linear(linear.in_features, CLASSES, bias=False)

    def forward(self, x, labels):
        features = self.features(x)
        chosen = (features * self.classes.weight[labels]).sum(1, keepdim=True)
        return self.linear(features) + chosen


class Conditional(PlainTorch):
    """Conditional batch norm, projection discriminator, non-saturating."""

    def networks(self, size, width, latent_dim, channels):
        return (
            ClassGenerator(size, width, latent_dim, channels),
            ProjectionDiscriminator(size, width, channels),
        )

    def _step(self, real, latents, labels=None):
        if labels is None:
            labels = torch.randint(CLASSES, (len(real),))
        fake = self.generator(latents, labels)
        judged = self.discriminator(real, labels), self.discriminator(fake.detach(), labels)
        loss = softplus(-judged[0]).mean() + softplus(judged[1]).mean()
        self.learn(loss, self.discriminator)
        fooled = softplus(-self.discriminator(fake, labels)).mean()
        self.learn(fooled, self.generator)
        return torch.stack([loss.detach(), fooled.detach()])


class WassersteinGP(PlainTorch):
    """Five turns of a critic without batch norm, a gradient penalty in each."""

    turns = CRITIC_STEPS

    def networks(self, size, width, latent_dim, channels):
        return (
            generator(size, width, latent_dim, channels),
            discriminator(size, width, channels, batch_norm=False),
        )

    def _step(self, real, latents, mixtures=None):
        # Dealt out like cards, as kgan does it; the last turn's samples are the generator's too.
        reals = [real[turn :: self.turns] for turn in range(self.turns)]
        latents = [latents[turn :: self.turns] for turn in range(self.turns)]
        if mixtures is None:
            mixtures = torch.rand(self.turns, len(reals[0]), 1, 1, 1)
        total = 0.0
        for turn in range(self.turns):
            with torch.set_grad_enabled(turn == self.turns - 1):
                fake = self.generator(latents[turn])
            made = fake.detach()
            point = (mixtures[turn] * reals[turn] + (1 - mixtures[turn]) * made).requires_grad_()
            (gradient,) = torch.autograd.grad(
                self.discriminator(point).sum(), point, create_graph=True
            )
            norms = (gradient.square().sum((1, 2, 3)) + 1e-12).sqrt()
            loss = self.discriminator(made).mean() - self.discriminator(reals[turn]).mean()
            loss = loss + PENALTY * (norms - 1).square().mean()
            self.learn(loss, self.discriminator)
            total += loss.detach() / self.turns
        fooled = -self.discriminator(fake).mean()
        self.learn(fooled, self.generator)
        return torch.stack([total, fooled.detach()])


class Relativistic(PlainTorch):
    """The relativistic pairing game with R1 and R2, a discriminator without batch norm."""

    networks = WassersteinGP.networks

    def _step(self, real, latents):
        fake = self.generator(latents)
        points = [real.detach().requires_grad_(), fake.detach().requires_grad_()]
        logits = [self.discriminator(point) for point in points]
        gradients = torch.autograd.grad([each.sum() for each in logits], points, create_graph=True)
        penalty = sum(gradient.square().sum((1, 2, 3)).mean() / 2 for gradient in gradients)
        loss = softplus(logits[1] - logits[0]).mean() + GAMMA * penalty
        self.learn(loss, self.discriminator)
        with torch.no_grad():
            judged = self.discriminator(real)
        fooled = softplus(judged - self.discriminator(fake)).mean()
        self.learn(fooled, self.generator)
        return torch.stack([loss.detach(), fooled.detach()])


GAMES = {
    "dcgan": PlainTorch,
    "conditional": Conditional,
    "wgan-gp": WassersteinGP,
    "relativistic": Relativistic,
}
