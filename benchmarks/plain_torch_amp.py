"""The DCGAN step written by hand in PyTorch, as one writes it for a GPU.

    python benchmarks/gpu.py --only plain-torch kgan-torch

The networks and the order of work of `plain_torch.py`; beside them autocast, for float16 a
GradScaler for each player (as kgan has a loss scale for each), and copies to the GPU that nothing
waits for.
"""

import torch
from plain_torch import PlainTorch
from plain_torch_translation import L1_WEIGHT, Pix2Pix
from torch.nn.functional import softplus

NOTES = "eager, autocast, channels_last, Adam(fused=True)"


class PlainTorchAmp(PlainTorch):
    """A GAN and its loop in a given precision on a given device.

    Args:
        images, width, batch, latent_dim: as in `PlainTorch`.
        device: a `torch.device`.
        precision: `"float32"`, `"bfloat16"` or `"float16"`.
        resident: whether the images lie on the device from the start. Default: in the memory of the
            host, where `fit` finds them too.
    """

    def __init__(self, images, width, batch, latent_dim, device, precision, resident=False):
        with device:
            super().__init__(images, width, batch, latent_dim)
        self.device, self.dtype, self.resident = device, getattr(torch, precision), resident
        self.pixels = torch.from_numpy(images).to(device if resident else "cpu")
        self.scalers = _scalers(device, precision)
        self.steps_done = 0

    def train(self, steps):
        """Trains on fresh random batches and returns the mean losses, as `fit` does."""
        order = torch.randperm(len(self.pixels), device=self.pixels.device)
        totals = torch.zeros(2, device=self.device)
        for rows in order[: steps * self.batch].view(steps, self.batch):
            latents = torch.randn(self.batch, self.latent_dim, device=self.device)
            totals += self._step(self._fetch(rows), latents)
        return (totals / steps).tolist()

    def loss_scales(self):
        """The loss scale of the discriminator and of the generator, if they have one."""
        return [scaler.get_scale() for scaler in self.scalers if scaler.is_enabled()]

    def skipped_updates(self):
        """How many updates each player has lost to gradients that overflowed."""
        return [
            # Adam counts no step that its scaler has told it to skip.
            self.steps_done - int(next(iter(optimizer.state.values()))["step"])
            for optimizer in (self.optimizers[self.discriminator], self.optimizers[self.generator])
        ]

    def _fetch(self, rows):
        if self.resident:
            return self.pixels[rows].permute(0, 3, 1, 2)
        # Page-locked memory, from which the copy to the GPU runs beside the work there. PyTorch
        # does not hand it out again before the copy is done.
        batch = torch.empty(
            (len(rows), *self.pixels.shape[1:]), pin_memory=self.device.type == "cuda"
        )
        return torch.index_select(self.pixels, 0, rows, out=batch).permute(0, 3, 1, 2)

    def _step(self, real, latents):
        self.steps_done += 1
        real = real.to(self.device, non_blocking=True)
        with self._autocast():
            fake = self.generator(latents.to(self.device))
            real_logits = self.discriminator(real).float()
            fake_logits = self.discriminator(fake.detach()).float()
            discriminator_loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
        self._learn(0, discriminator_loss, self.discriminator)

        with self._autocast():  # a new one: it keeps casts of weights, and these have changed
            generator_loss = softplus(-self.discriminator(fake).float()).mean()
        self._learn(1, generator_loss, self.generator)
        return torch.stack([discriminator_loss.detach(), generator_loss.detach()])

    def _autocast(self):
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)

    def _learn(self, player, loss, network):
        scaler, optimizer = self.scalers[player], self.optimizers[network]
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward(inputs=list(network.parameters()))
        scaler.step(optimizer)
        scaler.update()


class PlainPix2PixAmp(Pix2Pix):
    """A Pix2Pix and its loop in a given precision on a given device, one pair a step.

    Args:
        images: inputs, float32 NumPy array `(count, size, size, 3)`; reversed they are the targets.
        width: of the networks.
        device, precision: as in `PlainTorchAmp`.
    """

    notes = f"{NOTES}, batch norm of one image"

    def __init__(self, images, width, device, precision):
        with device:
            super().__init__(images.shape[1], width)
        self.device, self.dtype = device, getattr(torch, precision)
        self.pixels = torch.from_numpy(images)
        self.scalers = _scalers(device, precision)
        self.steps_done = 0

    def train(self, steps):
        """One step for each of so many pairs; the mean losses, as `fit` shows them."""
        totals = torch.zeros(2, device=self.device)
        for i in torch.randperm(len(self.pixels))[:steps].tolist():
            pair = (self._fetch(i), self._fetch(len(self.pixels) - 1 - i))
            totals += torch.stack([each.float() for each in self.step(*pair)])
            self.steps_done += 1
        return (totals / steps).tolist()

    def loss_scales(self):
        """The loss scale of the discriminator and of the generator, if they have one."""
        return [scaler.get_scale() for scaler in self.scalers if scaler.is_enabled()]

    def skipped_updates(self):
        """How many updates each player has lost to gradients that overflowed."""
        return [
            self.steps_done - int(next(iter(optimizer.state.values()))["step"])
            for optimizer in reversed(self.optimizers)
        ]

    def _fetch(self, index):
        image = self.pixels[index : index + 1].permute(0, 3, 1, 2)
        if self.device.type == "cuda":
            image = image.pin_memory()
        return image.to(self.device, non_blocking=True)

    def step(self, inputs, targets):
        (generator,), (discriminator,) = self.generators, self.discriminators
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            made = generator(inputs)
            real = discriminator(torch.cat([inputs, targets], 1)).float()
            fake = discriminator(torch.cat([inputs, made.detach()], 1)).float()
            judged = softplus(-real).mean() + softplus(fake).mean()
        judged = self._learn(1, judged)
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            fooled = softplus(-discriminator(torch.cat([inputs, made], 1)).float()).mean()
            fooled = fooled + L1_WEIGHT * (targets - made.float()).abs().mean()
        return judged, self._learn(0, fooled)

    def _learn(self, side, loss):
        optimizer, scaler = self.optimizers[side], self.scalers[1 - side]
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward(inputs=self.parameters_of[side])
        scaler.step(optimizer)
        scaler.update()
        return loss.detach()


def _scalers(device, precision):
    """One for the discriminator and one for the generator, as kgan has them."""
    return [
        torch.amp.GradScaler(
            device.type,
            # The first scale and the steps until it doubles are those of Keras.
            init_scale=2.0**15,
            growth_interval=2000,
            enabled=precision == "float16",
        )
        for _ in range(2)
    ]
