"""What is nonsense for each argument of the public API, by the name of the argument."""

import tempfile
from pathlib import Path

import keras
import numpy as np

import kgan

NAN, INF = float("nan"), float("inf")

# What is nonsense for any argument but those that say otherwise.
ANYTHING = {
    "None": None,
    "text": "text",
    "True": True,
    "minus one": -1,
    "NaN": NAN,
    "list": [],
    "dictionary": {},
    "object": object(),
    "complex": 1j,
    "class": dict,
}
NUMBERS = {"infinite": INF, "digits": "3", "array": np.array([1.0, 2.0]), "NumPy True": np.True_}
IMAGES = np.random.default_rng(0).uniform(-1, 1, (16, 8, 8, 1)).astype("float32")
LABELS = np.arange(16) % 3
LATENTS = np.random.default_rng(0).standard_normal((8, 4)).astype("float32")
FOLDER = Path(tempfile.gettempdir())

COUNT = {**ANYTHING, **NUMBERS, "zero": 0, "half": 1.5, "NumPy float": np.float32(2)}
FROM_ZERO = {key: value for key, value in COUNT.items() if key != "zero"}
FACTOR = {**ANYTHING, **NUMBERS, "minus infinite": -INF, "NumPy NaN": np.float32(NAN)}
POSITIVE = {**FACTOR, "zero": 0.0}
SHARE = {**FACTOR, "two": 2}
SEED = {**FROM_ZERO, "NumPy minus one": np.int64(-1)}
FLAG = {key: value for key, value in ANYTHING.items() if key != "True"} | {"two": 2, "no": "no"}
SIZE = {**ANYTHING, **NUMBERS, "number": 8, "one": (8,), "four": (8, 8, 1, 1)}
SIZE |= {"zeros": (0, 0), "NaNs": (NAN, NAN), "bools": (True, True), "texts": ("8", "8")}
SHAPE = {**SIZE, "no channels": (8, 8, 0), "half channels": (8, 8, 1.5), "true": (8, 8, True)}
CHOICE = {**ANYTHING, "number": 5, "array": np.array(["ab", "ba"]), "capitals": "AB"}
PLACE = {key: value for key, value in ANYTHING.items() if key != "text"} | {
    "empty": "",
    "zero": "\0",
}
NETWORK = {
    **ANYTHING,
    "layer": keras.layers.Dense(1),
    "unbuilt": keras.Sequential(),
    "type": keras.Model,
}
CALLABLE = {key: value for key, value in ANYTHING.items() if key != "class"} | {"array": LATENTS}
BATCH = {
    **{key: value for key, value in ANYTHING.items() if key != "list"},
    "list of images": [IMAGES[0], IMAGES[1]],
    "empty": IMAGES[:0],
    "pixels": (IMAGES * 127 + 128).astype("uint8"),
    "large": IMAGES * 255,
    "not finite": IMAGES * NAN,
    "texts": np.full((4, 8, 8, 1), "a"),
    "objects": np.full((4, 8, 8, 1), None),
    "complex images": IMAGES * 1j,
    "other size": IMAGES[:, :5],
    "other channels": IMAGES.repeat(2, -1),
    "no channels": IMAGES[..., 0],
    "one image": IMAGES[0],
    "named": {"image": IMAGES, "label": LABELS},
    "constant": IMAGES * 0,
    "zero to one": (IMAGES[:4] + 1) / 2.2 + 0.05,
    "path": FOLDER,
}
CLASSES = {
    **ANYTHING,
    "too large": LABELS + 1,
    "negative": LABELS - 1,
    "floats": LABELS + 0.5,
    "names": LABELS.astype(str),
    "one hot": np.eye(3)[LABELS],
    "too few": LABELS[:3],
    "bools": LABELS > 0,
}
VECTORS = {
    **ANYTHING,
    "texts": np.full((8, 4), "a"),
    "not finite": LATENTS * NAN,
    "empty": LATENTS[:0],
}
VECTORS |= {
    "other length": LATENTS[:, :3],
    "cube": np.zeros((2, 2, 2, 2)),
    "ragged": [[1.0], [1.0, 2.0]],
}


def several(**others):
    """What is nonsense for a list of objects, such as penalties."""
    return {key: value for key, value in ANYTHING.items() if key not in ("list", "None")} | others


def each(names, kind):
    """The same nonsense for several names."""
    return dict.fromkeys(names, kind)


# By the name of the argument. A function's own meaning of a name goes by "function.name".
KINDS = {
    **each(
        [
            "batch_size",
            "block_size",
            "blocks",
            "channels",
            "count",
            "density_k",
            "depth",
            "directions",
            "discriminator_steps",
            "epochs",
            "every",
            "group_size",
            "interval",
            "k",
            "latent_dim",
            "looks",
            "modes",
            "n",
            "num_classes",
            "opset",
            "output_channels",
            "packing",
            "power_iterations",
            "samples",
            "side",
            "size",
            "steps",
            "steps_per_execution",
            "threads",
            "width",
        ],
        COUNT,
    ),
    **each(["constant_steps", "pool_size", "padding"], FROM_ZERO),
    **each(
        [
            "class_weight",
            "cycle_weight",
            "float16_psnr",
            "float16_tolerance",
            "float32_psnr",
            "identity_weight",
            "int8_psnr",
            "l1_weight",
            "stddev",
            "target",
            "tolerance",
            "weight",
        ],
        FACTOR,
    ),
    **each(["deviation", "epsilon", "limit", "radius", "rate", "spacing", "timeout"], POSITIVE),
    **each(["dropout", "ema", "label_smoothing", "momentum", "threshold"], SHARE),
    "seed": SEED,
    **each(
        [
            "batch_norm",
            "center",
            "closed",
            "download",
            "film",
            "flip",
            "one_sided",
            "raise_error",
            "restore_best",
            "run_eagerly",
            "scale",
            "shuffle",
            "spectral",
            "stop",
            "swap",
            "verbose",
        ],
        FLAG,
    ),
    **each(("image_size", "enlarged"), SIZE),
    "image_shape": SHAPE,
    **each(["background", "interpolation"], CHOICE),
    **each(["conditioning", "corrupt", "direction", "features", "normalization", "policy"], CHOICE),
    **each(["jit_compile", "loss", "receptive_field", "split"], CHOICE),
    **each(
        ["data_dir", "folder", "folder_a", "folder_b", "log", "path", "source", "tensorboard"],
        PLACE,
    ),
    **each(["generator", "discriminator", "generator_ab", "generator_ba"], NETWORK),
    **each(["classifier", "discriminator_a", "discriminator_b", "model"], NETWORK),
    **each(["coverage", "jitter", "layer"], {**ANYTHING, "type": keras.layers.Dense}),
    **each(["generate", "path_of", "progress", "score"], CALLABLE),
    **each(["images", "real_images", "targets", "x", "y"], BATCH),
    "labels": CLASSES,
    **each(["add", "centers", "end", "points", "start", "subtract"], VECTORS),
    **each(
        ("generator_optimizer", "discriminator_optimizer"),
        {**ANYTHING, "type": keras.optimizers.Adam, "rate": 2e-4},
    ),
    "penalties": several(nothing=[None], texts=["r1"], types=[kgan.penalties.R1]),
    "augmentations": several(nothing=[None], texts=["color"], numbers=[1]),
    "metrics": several(nothing=[None], texts=["fid"], types=[kgan.metrics.FrechetDistance]),
    "class_names": several(few=["a", "b"], twice=["a", "a", "b"], nothing=["a", "b", None]),
    "splits": several(one=("trainA",), numbers=(1, 2)),
    **each(("formats", "precision"), several(numbers=[1], unknown=["exe"])),
    **each(("input_names", "output_names"), several(numbers=[1], two=["a", "b"])),
    **each(("calibration", "samples_of"), several(numbers=[1], texts=["text"])),
    "metadata": several(keys={1: 2}, values={"a": object()}, NaN={"a": NAN}),
    "validation_data": {**BATCH, "three": (IMAGES, LABELS, LABELS, LABELS)},
    "checkpoint": {**PLACE, "suffix": "run.h5"},
    # Texts for people, and what Keras or others look at themselves.
    **each(
        [
            "args",
            "context",
            "data_dir_of",
            "dtype",
            "kwargs",
            "name",
            "options",
            "optimizers",
            "unknown",
            "given",
        ],
        {},
    ),
}
DECLARED = {key: value for key, value in {**ANYTHING, **NUMBERS}.items() if key != "list"}
DECLARED |= {"number": 8, "zeros": (0, 0), "bools": (True, True), "texts": ("8", "8")}
KINDS |= {
    "condition": {**ANYTHING, "type": kgan.Given, "twice": (kgan.Label(3), kgan.Label(3))},
    "range": {**ANYTHING, "one": (1,), "turned": (1, 0), "NaNs": (NAN, NAN)},
    **each(("Latent.shape", "Given.shape"), DECLARED),
    **each(
        ("Latent.name", "Label.name", "Given.name"),
        {**PLACE, "words": "two words", "taken": "seed"},
    ),
    "callbacks.TranslationGrid.targets": {},
    "data.image_pairs.targets": {},
    "data.image_pairs.channels": {**CHOICE, "two": 2, "three": (3, 3, 3)},
    "data.image_domains.channels": {**CHOICE, "two": 2, "three": (3, 3, 3)},
    "data.tfds_domains.channels": {**CHOICE, "two": 2, "three": (3, 3, 3)},
    "export.check.samples": several(numbers=[1], texts=["text"]),
    "export.export.samples": several(numbers=[1], texts=["text"]),
    "latent.walk.path": CALLABLE,
    "metrics.ModeCoverage.modes": {**NETWORK, "number": 3},
    "metrics.report.metrics": several(nothing=[None], texts=["fid"]),
}
KINDS |= {f"GAN.{verb}.y": {} for verb in ("fit", "evaluate", "train_on_batch", "test_on_batch")}
KINDS |= {
    "ConditionalGAN.fit.y": CLASSES,
    "GAN.images_of.inputs": VECTORS,
    "ConditionalGAN.images_of.latents": VECTORS,
    "GAN.images_of.network": {},
}
# What means something there, though it is nonsense elsewhere.
MEANT = {
    "jit_compile": ("True",),
    "receptive_field": ("None",),
    "normalization": ("None",),
    "networks.mlp_generator.depth": ("zero",),
    "networks.mlp_discriminator.depth": ("zero",),
    "networks.mlp_encoder.depth": ("zero",),
    "latent.truncated.threshold": ("two",),
    "metrics.ModeCoverage.threshold": ("two",),
    "networks.mlp_generator.image_shape": ("one",),
    "networks.mlp_discriminator.image_shape": ("one",),
    "networks.mlp_encoder.image_shape": ("one",),
    # What they are compared with is known in training alone.
    "callbacks.CollapseMonitor.real_images": (
        "other size",
        "other channels",
        "no channels",
        "one image",
        "constant",
        "zero to one",
    ),
    "callbacks.TranslationGrid.images": (
        "list of images",
        "other size",
        "other channels",
        "constant",
        "zero to one",
    ),
    **{f"GAN.{verb}.x": ("constant",) for verb in ("evaluate", "train_on_batch", "test_on_batch")},
    **{
        f"export.{verb}.{side}put_names": ("text",)
        for verb in ("check", "export")
        for side in ("in", "out")
    },
    "export.export.metadata": ("dictionary",),
    # Looked up in the set.
    "data.tfds.split": ("text", "capitals"),
    **each(
        ("Pix2Pix.translate.images", "CycleGAN.translate.images"), ("constant", "list of images")
    ),
    **each(
        (
            "Pix2Pix.evaluate.x",
            "Pix2Pix.evaluate.y",
            "CycleGAN.evaluate.x",
            "CycleGAN.evaluate.y",
            "CycleGAN.fit.y",
        ),
        ("constant", "list of images"),
    ),
    "data.Mixture.centers": ("other length",),
    "data.stack.images": ("pixels", "large", "other size", "constant", "zero to one"),
    "data.stack.labels": ("too large",),
    "latent.walk.points": ("other length", "cube"),
    # Any images can be classified.
    **each(
        ("metrics.train_classifier.images", "metrics.classifier_features.images"),
        ("other size", "other channels", "constant", "large"),
    ),
    "metrics.train_classifier.labels": ("too large",),
    "metrics.classifier_features.labels": ("too large",),
}
