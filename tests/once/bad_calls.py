"""Calls that cannot be meant, made from the signatures of the public API, and what kgan answers.

Every argument of every public function, class and verb is given nonsense of its kind, the others
being right. What is nonsense stands in `bad_values.KINDS` by the name of the argument: a function
with known names is tried as soon as it is public, a new name must be added there. The table:

    KERAS_BACKEND=torch python tests/once/bad_calls.py
"""

import collections
import contextlib
import functools
import inspect
import signal
import sys
import tempfile
import traceback
import types
import warnings
from pathlib import Path

import keras
import numpy as np
from bad_values import IMAGES, KINDS, LABELS, LATENTS, MEANT

import kgan

SECONDS = 15  # after which a call counts as hanging
ROOT = Path(kgan.__file__).parents[1]
ANSWERS = ("clear", "told", "obscure", "accepted", "hanging")
# Made by other calls alone, helpers of `compile`, or given tensors inside a loss.
UNTRIED = [
    "augmentations.check",
    "export.Artefact",
    "export.Check",
    "export.ExportError",
    "export.ExportReport",
    "export.ModelSpec",
    "export.ParityError",
    "export.PreflightError",
    "export.Runtime",
    "export.TensorSpec",
    "export.VerificationError",
    "VAE",
    "likelihoods.get",
    "losses.fitting",
    "losses.get",
    "losses.mean",
    "losses.of_samples",
    "penalties.check",
    "penalties.warn_of_batch_norm",
    "penalties.warn_of_no_limit",
]
VERBS = {
    "GAN": "compile fit evaluate train_on_batch test_on_batch generate draw_latents images_of "
    "export",
    "ConditionalGAN": "fit generate images_of draw_labels",
    "Pix2Pix": "fit evaluate translate",
    "CycleGAN": "fit evaluate translate",
}


def networks(num_classes=None):
    """A generator and a discriminator, as small as they can be."""
    return (
        kgan.networks.mlp_generator((8, 8, 1), 4, 4, 1, num_classes),
        kgan.networks.mlp_discriminator((8, 8, 1), 4, 1, num_classes),
    )


@functools.cache
def translators():
    """A generator and discriminators for each place of a translator."""
    generators = [kgan.networks.cyclegan_generator((8, 8, 1), 1, 2, 1) for _ in range(2)]
    patches = [kgan.networks.patch_discriminator((8, 8, c), 2, 16) for c in (1, 1, 2)]
    return *generators, *patches


def model(kind):
    """A compiled model of a class."""
    if kind in ("GAN", "ConditionalGAN"):
        classes = {"num_classes": 3} if kind == "ConditionalGAN" else {}
        made = getattr(kgan, kind)(*networks(**classes), **classes)
    else:
        ab, ba, a, b, both = translators()
        made = kgan.Pix2Pix(ab, both) if kind == "Pix2Pix" else kgan.CycleGAN(ab, ba, a, b)
    made.compile()
    return made


@functools.cache
def right(folder):
    """The arguments that calls need beside the one that is tried, by the name of the call."""
    generator, discriminator = networks()
    told, telling = networks(3)
    both = {"generator": generator, "discriminator": discriminator}
    labelled = {"generator": told, "discriminator": telling, "num_classes": 3}
    ab, ba, a, b, pair = translators()
    pictures = folder / "pictures"
    for i in range(2):
        kgan.data.files.Image.fromarray(np.full((8, 16, 3), 100 * i, "uint8")).save(
            pictures / f"{i}.png"
        )
    metric = kgan.metrics.FrechetDistance()
    metric.update_state(IMAGES, IMAGES)
    named = discriminator_of_names()
    return {
        "GAN": both,
        "ConditionalGAN": labelled,
        "ACGAN": {**labelled, "discriminator": named},
        "Pix2Pix": {"generator": ab, "discriminator": pair},
        "CycleGAN": dict(
            zip(
                ("generator_ab", "generator_ba", "discriminator_a", "discriminator_b"),
                (ab, ba, a, b),
                strict=True,
            )
        ),
        "Given": {"name": "condition", "shape": (2,)},
        "Label": {"num_classes": 3},
        "Latent": {"shape": (4,)},
        "callbacks.SampleGrid": {"folder": folder},
        "callbacks.TranslationGrid": {"folder": folder, "images": IMAGES},
        "data.Mixture": {"centers": [[0.0, 1.0]], "deviation": 1.0},
        "data.folder": {"path": pictures, "image_size": (8, 8)},
        "data.image_domains": {"folder_a": pictures, "folder_b": pictures},
        "data.image_pairs": {"source": pictures},
        "data.stack": {"images": IMAGES, "labels": LABELS, "count": 2},
        "data.stacked_mnist": {"download": False, "data_dir": folder},
        "data.tfds": {"name": "mnist", "download": False, "data_dir": folder},
        "data.tfds_domains": {
            "name": "cycle_gan",
            "image_size": (8, 8),
            "download": False,
            "data_dir": folder,
        },
        "export.check": {"model": generator},
        "export.export": {"model": generator, "path": folder / "generator.onnx"},
        "export.load": {"path": folder / "missing.onnx"},
        "export.verify": {"path": folder / "missing.onnx"},
        "latent.arithmetic": {"add": [LATENTS], "subtract": [LATENTS]},
        "latent.linear": {"start": LATENTS[0], "end": LATENTS[1]},
        "latent.principal": {"generate": lambda z: z, "latent_dim": 4},
        "latent.sefa": {"generator": generator},
        "latent.spherical": {"start": LATENTS[0], "end": LATENTS[1]},
        "latent.supervised": {
            "generate": lambda z: z,
            "score": lambda z: z[:, 0],
            "latent_dim": 4,
        },
        "latent.truncated": {"count": 2, "latent_dim": 4, "threshold": 1.0},
        "latent.walk": {"points": LATENTS},
        "layers.ConditionalBatchNormalization": {"num_classes": 3},
        "layers.LabelPlane": {"num_classes": 3},
        "layers.ProjectionLogit": {"num_classes": 3},
        "layers.SpectralNormalization": {"layer": keras.layers.Dense(1)},
        "layers.jitter": {"image_size": (8, 8)},
        "metrics.ModeCoverage": {"modes": kgan.data.ring()},
        "metrics.classifier_features": {
            "images": IMAGES,
            "labels": LABELS,
            "epochs": 1,
            "folder": folder,
        },
        "metrics.report": {"metrics": [metric]},
        "metrics.stacked_classifier": {"classifier": classifier()},
        "metrics.train_classifier": {"images": IMAGES, "labels": LABELS, "epochs": 1},
        "penalties.Penalty": {"weight": 1.0},
        "schedules.LinearDecay": {"rate": 1e-3, "steps": 10},
        "GAN.fit": {"x": IMAGES, "verbose": 0},
        "GAN.evaluate": {"x": IMAGES, "verbose": 0},
        "GAN.train_on_batch": {"x": IMAGES},
        "GAN.test_on_batch": {"x": IMAGES},
        "GAN.generate": {"n": 2},
        "GAN.draw_latents": {"n": 2},
        "GAN.images_of": {"inputs": LATENTS},
        "GAN.export": {"path": folder / "generator.onnx"},
        "ConditionalGAN.fit": {"x": IMAGES, "y": LABELS, "verbose": 0},
        "ConditionalGAN.generate": {"n": 16},
        "ConditionalGAN.images_of": {"latents": np.repeat(LATENTS, 2, 0), "labels": LABELS},
        "ConditionalGAN.draw_labels": {"n": 16},
        "Pix2Pix.fit": {"x": IMAGES, "y": IMAGES, "batch_size": 16, "verbose": 0},
        "Pix2Pix.evaluate": {"x": IMAGES, "y": IMAGES, "verbose": 0},
        "Pix2Pix.translate": {"images": IMAGES},
        "CycleGAN.fit": {"x": IMAGES, "y": IMAGES, "batch_size": 16, "verbose": 0},
        "CycleGAN.evaluate": {"x": IMAGES, "y": IMAGES, "verbose": 0},
        "CycleGAN.translate": {"images": IMAGES},
    }


def discriminator_of_names():
    return kgan.networks.mlp_discriminator((8, 8, 1), 4, 1, 3, "auxiliary")


def classifier():
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
    return keras.Sequential(layers)


def public():
    """Yields the name of every public call, and the call."""
    for name in kgan.__all__:
        thing = getattr(kgan, name)
        if not isinstance(thing, types.ModuleType):
            yield name, thing
            continue
        names = getattr(thing, "__all__", None) or [
            each
            for each, what in vars(thing).items()
            if getattr(what, "__module__", None) == thing.__name__ and not each.startswith("_")
        ]
        yield from ((f"{name}.{each}", getattr(thing, each)) for each in names)
    for kind, verbs in VERBS.items():
        gan = model(kind)
        yield from ((f"{kind}.{verb}", getattr(gan, verb)) for verb in verbs.split())


def cases(folder):
    """Yields the name of a call, the argument that is tried, the nonsense, and the call itself."""
    for name, call in public():
        if name in UNTRIED or not callable(call):
            continue
        for argument in inspect.signature(call).parameters.values():
            kind = KINDS.get(f"{name}.{argument.name}", KINDS.get(argument.name))
            if kind is None:
                raise LookupError(f"bad_values.KINDS has no {argument.name!r}, as of {name}")
            meant = MEANT.get(f"{name}.{argument.name}", MEANT.get(argument.name, ()))
            for what, value in kind.items():
                if value is argument.default or what in meant:
                    continue
                arguments = right(folder).get(name, {}) | {argument.name: value}
                yield name, argument.name, what, functools.partial(_call, call, arguments)


def _call(call, arguments):
    inputs = {k: v for k, v in arguments.items() if k == "inputs"}
    return call(*inputs.values(), **{k: v for k, v in arguments.items() if k not in inputs})


def answer(call):
    """Returns one of `ANSWERS`, and the words."""
    with warnings.catch_warnings(record=True) as told, _limit():
        warnings.simplefilter("always")
        try:
            call()
        except TimeoutError as error:
            return "hanging", str(error)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            ours = any(where.filename.startswith(str(ROOT / each)) for each in ("kgan", "export"))
            kind = isinstance(
                error, (ValueError, TypeError, FileNotFoundError, kgan.export.ExportError)
            )
            clear = ours and kind and "Received: " in str(error)
            words = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
            return ("clear" if clear else "obscure"), words
    words = [str(each.message) for each in told if "Received: " in str(each.message)]
    return ("told", words[0]) if words else ("accepted", "")


@contextlib.contextmanager
def _limit():
    def stop(*_):
        raise TimeoutError(f"no end in {SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def table():
    """Yields a row `(call, argument, nonsense, answer, words)` for each of the calls."""
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
        (Path(place) / "pictures").mkdir()
        for *case, call in cases(Path(place)):
            yield (*case, *answer(call))


def main():
    counts = collections.Counter()
    for call, argument, what, found, words in table():
        counts[found] += 1
        if found not in ("clear", "told") or "--all" in sys.argv:
            print(f"{found:9} {call}({argument}={what}) {words[:150]!r}", flush=True)
    print(f"{counts.total()} bad calls: " + ", ".join(f"{counts[each]} {each}" for each in ANSWERS))


if __name__ == "__main__":
    main()
