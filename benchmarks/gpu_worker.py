"""One contestant of `gpu.py` in a process of its own; `gpu.py` starts and feeds it.

    KERAS_BACKEND=torch python benchmarks/gpu_worker.py kgan-torch '{"size": 64, "width": 64, ...}'

Answers in lines of JSON: one when it is built and warm, then one for every line it reads: "round"
trains the agreed number of steps, "check" compares the plain loop's losses with kgan's. An error is
an answer too: `failed`. The end of its input ends it.
"""

import importlib.metadata
import json
import math
import os
import sys
import time

import numpy as np
from processes import answering
from worker import CHANNELS, LATENT_DIM, WARM_UP_STEPS, KganFit


class OnTorch:
    """What a measurement asks of PyTorch: settings, the wait for the GPU, and its memory."""

    def __init__(self, device, tf32):
        import torch

        if device == "gpu" and not torch.cuda.is_available():
            raise RuntimeError("PyTorch finds no GPU")
        self.torch, self.device = torch, torch.device("cuda" if device == "gpu" else "cpu")
        precision = "tf32" if tf32 else "ieee"
        torch.backends.cuda.matmul.fp32_precision = precision
        torch.backends.cudnn.conv.fp32_precision = precision
        torch.backends.cudnn.benchmark = True  # XLA looks for the fastest kernels too

    def facts(self):
        conv, matmul = self.torch.backends.cudnn.conv, self.torch.backends.cuda.matmul
        on_gpu = self.device.type == "cuda"
        return {
            "device": self.torch.cuda.get_device_name() if on_gpu else "cpu",
            "float32": f"conv {conv.fp32_precision}, matmul {matmul.fp32_precision}",
        }

    def wait(self, contestant):
        if self.device.type == "cuda":
            self.torch.cuda.synchronize()

    def peak_bytes(self):
        return self.torch.cuda.max_memory_allocated() if self.device.type == "cuda" else None


class OnJax:
    """The same of JAX."""

    def __init__(self, device, tf32):
        import jax

        self.jax, self.device = jax, jax.local_devices()[0]
        if (self.device.platform == "cpu") != (device == "cpu"):
            raise RuntimeError(f"JAX runs on {self.device.device_kind}, not on a {device}")
        precision = "tensorfloat32" if tf32 else "float32"
        jax.config.update("jax_default_matmul_precision", precision)  # of convolutions too

    def facts(self):
        return {
            "device": self.device.device_kind,
            "float32": f"conv and matmul {self.jax.config.jax_default_matmul_precision}",
        }

    def wait(self, contestant):
        variables = contestant.gan.variables + contestant.gan.optimizer.variables
        self.jax.block_until_ready([variable.value for variable in variables])

    def peak_bytes(self):
        return (self.device.memory_stats() or {}).get("peak_bytes_in_use")


class Kgan(KganFit):
    """kgan in a given precision, with what a round tells of it."""

    def __init__(self, images, width, batch, precision, model="dcgan"):
        set_policy(precision)
        if model == "dcgan":
            super().__init__(images, width, batch)
        else:
            import kgan

            _, size, _, channels = images.shape
            self.images, self.labels, self.batch, self.turns = images, images[::-1], batch, 1
            self.gan = kgan.Pix2Pix(
                kgan.networks.unet_generator((size, size, channels), width=width),
                kgan.networks.patch_discriminator((size, size, 2 * channels), width=width),
            )
            self.gan.compile()
            self.notes = f"fit, jit_compile={self.gan.jit_compile}"
        self.steps_done = 0

    def train(self, steps):
        self.steps_done += steps
        return super().train(steps)

    def losses(self):
        history = self.gan.history.history
        return [float(history[f"{player}_loss"][-1]) for player in ("discriminator", "generator")]

    def loss_scales(self):
        """The loss scale of the discriminator and of the generator, if they have one."""
        return [
            float(optimizer.dynamic_scale)
            for optimizer in self.gan.optimizer.optimizers
            if hasattr(optimizer, "dynamic_scale")
        ]

    def skipped_updates(self):
        """How many updates each player has lost to gradients that overflowed."""
        return [
            self.steps_done - int(optimizer.iterations)
            for optimizer in self.gan.optimizer.optimizers
        ]


def set_policy(precision):
    """Has Keras build networks that compute in this precision and keep float32 weights."""
    import keras

    policy = precision if precision == "float32" else f"mixed_{precision}"
    keras.mixed_precision.set_dtype_policy(policy)


def build(name, images, settings, framework):
    """Returns the contestant of a name."""
    width, batch, precision = settings["width"], settings["batch"], settings["precision"]
    if name.startswith("kgan"):
        return Kgan(images, width, batch, precision, settings["model"])
    import plain_torch_amp

    if settings["model"] == "pix2pix":
        return plain_torch_amp.PlainPix2PixAmp(images, width, framework.device, precision)

    resident = name == "plain-torch-resident"
    contestant = plain_torch_amp.PlainTorchAmp(
        images, width, batch, LATENT_DIM, framework.device, precision, resident
    )
    contestant.notes = f"{plain_torch_amp.NOTES}, data on {'device' if resident else 'host'}"
    return contestant


def timed(contestant, steps, framework):
    """Trains for so many steps and returns what there is to tell of them."""
    framework.wait(contestant)
    start = time.perf_counter()
    trained = contestant.train(steps)
    framework.wait(contestant)  # a step is done when the weights are, not when it is launched
    seconds = time.perf_counter() - start
    if isinstance(trained, dict):
        before, losses = trained["start_seconds"], contestant.losses()
    else:  # the plain loop is nothing but steps, and returns its losses
        before, losses = 0.0, trained
    return {
        "seconds": seconds,
        "start_seconds": before,
        # JSON has no NaN.
        "losses": [loss if math.isfinite(loss) else None for loss in losses],
        "peak_bytes": framework.peak_bytes(),
        "loss_scales": contestant.loss_scales(),
        "skipped_updates": contestant.skipped_updates(),
    }


def serve(name, settings, answer):
    backend = os.environ["KERAS_BACKEND"]
    framework = (OnJax if backend == "jax" else OnTorch)(settings["device"], settings["tf32"])
    batch, steps, size = settings["batch"], settings["steps"], settings["size"]
    images = np.random.default_rng(0).random((steps * batch, size, size, CHANNELS), np.float32)
    images *= 2
    images -= 1
    contestant = build(name, images, settings, framework)

    if settings["check"]:
        from equal_losses import differences

        set_policy(settings["precision"])
        answer(parameters=contestant.parameters())
        sys.stdin.readline()
        answer(**differences(contestant, images, settings["width"], LATENT_DIM))
        return

    timed(contestant, min(WARM_UP_STEPS, steps), framework)
    timed(contestant, steps, framework)
    answer(
        parameters=contestant.parameters(),
        version=importlib.metadata.version(backend),
        notes=contestant.notes,
        **framework.facts(),
    )
    for _ in sys.stdin:
        answer(**timed(contestant, steps, framework))


def main(name, settings):
    answer = answering()
    try:
        serve(name, settings, answer)
    except Exception as error:
        answer(failed=f"{type(error).__name__}: {error}")
        raise


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
