"""One contestant of `train_step.py` in a process of its own; `train_step.py` starts and feeds it.

    KERAS_BACKEND=torch python benchmarks/worker.py kgan-torch '{"size": 64, "width": 32, ...}'

Answers in lines of JSON: one when it is built and warm, then one for every line it reads: "round"
trains the agreed number of steps and gives the seconds, "check" compares a plain loop's losses with
kgan's. The end of its input ends it.
"""

import importlib.metadata
import json
import os
import sys
import time

import numpy as np
from processes import answering

LATENT_DIM, CHANNELS = 100, 3
WARM_UP_STEPS = 2


class KganFit:
    """kgan, timed as a user runs it: whole calls of `fit` on images in memory."""

    def __init__(self, images, width, batch, jit_compile="auto", game="dcgan"):
        import kgan_games

        self.images, self.batch, self.turns = images, batch, kgan_games.turns(game)
        self.labels = None
        if game == "conditional":
            self.labels = np.random.default_rng(0).integers(kgan_games.CLASSES, size=len(images))
        kind, networks, options = kgan_games.build(game, images.shape[1:], LATENT_DIM, width)
        self.gan = kind(*networks)
        self.gan.compile(jit_compile=jit_compile, **options)
        self.notes = f"fit, jit_compile={self.gan.jit_compile}"

    def parameters(self):
        """The trainable parameters of the generator and of the discriminator."""
        return [
            sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)
            for network in (self.gan.generator, self.gan.discriminator)
        ]

    def train(self, steps):
        """One epoch of so many steps.

        Returns:
            `start_seconds`, before the first step, and `end_seconds`, after the last: what `fit`
            takes once a call.
        """
        import keras

        class Moments(keras.callbacks.Callback):
            async_safe = True  # else Keras would wait for the metrics after every step

            def __init__(self):
                super().__init__()
                self.begins, self.ends = [], []

            def on_train_batch_begin(self, batch, logs=None):
                self.begins.append(time.perf_counter())

            def on_train_batch_end(self, batch, logs=None):
                self.ends.append(time.perf_counter())

        moments = Moments()
        data = [
            None if each is None else each[: steps * self.turns * self.batch]
            for each in (self.images, self.labels)
        ]
        start = time.perf_counter()
        self.gan.fit(*data, batch_size=self.batch, verbose=0, callbacks=[moments])
        end = time.perf_counter()
        if len(moments.ends) != steps:
            raise RuntimeError(f"fit was to make {steps} steps. Received: {len(moments.ends)}")
        return {
            "start_seconds": min(moments.begins) - start,
            "end_seconds": end - max(moments.ends),
        }


def build(name, images, width, batch, game="dcgan"):
    """Returns the contestant of a name."""
    if name.startswith("kgan") and name.endswith("-bfloat16"):
        import keras

        keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
        name = name.removesuffix("-bfloat16")
    match name:
        case "kgan-tensorflow":
            return KganFit(images, width, batch, jit_compile=False, game=game)
        case "kgan-tensorflow-xla":
            return KganFit(images, width, batch, jit_compile=True, game=game)
        case "kgan-jax" | "kgan-torch":
            return KganFit(images, width, batch, game=game)
        case "plain-torch-bfloat16":
            import plain_torch_amp
            import torch

            contestant = plain_torch_amp.PlainTorchAmp(
                images, width, batch, LATENT_DIM, torch.device("cpu"), "bfloat16"
            )
            contestant.notes = plain_torch_amp.NOTES
            return contestant
        case "plain-torch" | "plain-torch-contiguous":
            import plain_torch
            import plain_torch_games
            import torch

            layout = torch.channels_last if name == "plain-torch" else torch.contiguous_format
            loop = plain_torch_games.GAMES[game]
            contestant = loop(images, width, batch, LATENT_DIM, layout)
            contestant.notes = f"{plain_torch.NOTES}, {str(layout).removeprefix('torch.')}"
            return contestant
        case "plain-tensorflow" | "plain-tensorflow-xla":
            import plain_tensorflow

            jit_compile = name.endswith("xla")
            contestant = plain_tensorflow.PlainTensorFlow(
                images, width, batch, LATENT_DIM, jit_compile
            )
            contestant.notes = f"{plain_tensorflow.NOTES}, jit_compile={jit_compile}"
            return contestant
    raise ValueError(f"There is no such contestant. Received: {name!r}")


def limit_threads(threads, framework):
    """Gives every framework the same number of threads, before it has started any."""
    if hasattr(os, "sched_setaffinity"):
        # JAX has no setting for its threads: it starts as many as it is allowed cores.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    if framework == "torch":
        import torch

        torch.set_num_threads(threads)
    elif framework == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)


def main(name, settings):
    answer = answering()
    framework = os.environ["KERAS_BACKEND"]
    limit_threads(settings["threads"], framework)
    batch, steps, width = settings["batch"], settings["steps"], settings["width"]
    game = settings["game"]
    count = steps * batch * (5 if game == "wgan-gp" else 1)
    shape = (count, settings["size"], settings["size"], CHANNELS)
    images = np.tanh(np.random.default_rng(0).standard_normal(shape, np.float32))
    contestant = build(name, images, width, batch, game)

    if settings["check"]:
        from equal_losses import differences

        answer(parameters=contestant.parameters())
        sys.stdin.readline()
        answer(**differences(contestant, images, width, LATENT_DIM, game))
        return

    contestant.train(min(WARM_UP_STEPS, steps))
    contestant.train(steps)
    answer(
        parameters=contestant.parameters(),
        version=importlib.metadata.version(framework),
        notes=contestant.notes,
    )
    for _ in sys.stdin:
        start, processor_start = time.perf_counter(), time.process_time()
        once = contestant.train(steps)
        answer(
            seconds=time.perf_counter() - start,
            processor_seconds=time.process_time() - processor_start,
            # The plain loops are nothing but steps, and return their losses.
            **(once if isinstance(once, dict) else {"start_seconds": 0.0, "end_seconds": 0.0}),
        )


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
