"""Runs an exported file on NumPy arrays, where neither Keras nor TensorFlow is installed."""

import os
from dataclasses import asdict
from functools import partial

import numpy as np

from kgan.export import formats, transaction
from kgan.export.signature import TensorSpec
from kgan.export.untrusted import process, seal
from kgan.export.untrusted.escape import terminal
from kgan.utils import numbers
from kgan.utils.advice import received
from kgan.utils.paths import check_path


def load(path: str | os.PathLike, threads: int | None = None) -> "Runtime":
    """Loads an exported file as a function of NumPy arrays.

    An `.onnx` file needs onnxruntime, a `.tflite` file ai-edge-litert, a SavedModel folder
    TensorFlow, which then runs in a process of its own.

    A file carries a SHA-256 of itself, which is compared first: one that has changed by a byte is
    refused. So is one that its runtime cannot load, or whose metadata is not what kgan writes. Not
    looked at are the values that it computes, which `verify` compares, and the bytes of files
    that kgan wrote before they had a hash. A hash is not a signature: a file that was made to
    deceive can carry a right one.

    To load a stranger's SavedModel is to run a stranger's program, in that process, with one's own
    rights: what it writes to is not held back. `.onnx` and `.tflite` files are data, but their
    runtimes run in the caller's own process, without limits of time and memory; `verify` runs
    them in a process with both.

    Args:
        path: a file, or a SavedModel folder. Of a bundle, name one of its files.
        threads: CPU threads to use. Default: the runtime's choice.

    Returns:
        A `Runtime`.

    Raises:
        ValueError: it is not an exported file, has changed or does not load; `threads` is not a
            positive integer.
        FileNotFoundError: there is nothing.
        ImportError: the runtime of its format is not installed.
        ExportError: an export there was killed, and cannot be finished since nothing can be
            written.

    Example:
        >>> generator = kgan.export.load("generator.onnx")
        >>> images = generator(latents)
        >>> images = generator.sample(16, seed=0)  # those of gan.generate(16, seed=0)
    """
    check_path("path", path)
    transaction.recover(os.path.dirname(path))
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no exported file. Received: {received('path', path)}")
    if threads is not None:
        threads = numbers.count("threads", threads)
    module = formats.of(path)
    try:
        # TensorFlow must not be imported beside another backend of Keras.
        alone = module.PACKAGES[-1] == "tensorflow"
        load_file = partial(process.Runner, module) if alone else module.load
        sealed = seal.check(path)
        runner = load_file(path, threads)
        if not sealed and seal.MARK.items() <= runner.metadata.items():
            raise ValueError("it has changed since it was exported: its SHA-256 is gone")
        for tensor in (*runner.inputs, *runner.outputs):
            TensorSpec.from_json(asdict(tensor))
        return Runtime(runner)
    except ImportError as error:
        raise ImportError(
            f"Running a {module.NAME} file needs a package that is not installed: {error}. "
            f"Run: pip install {module.PACKAGES[-1].replace('_', '-')}"
        ) from error
    except Exception as error:  # each runtime has its own
        raise ValueError(
            f"The file does not load: it is damaged, or not written by kgan.export. "
            f"{type(error).__name__}: {terminal(error)} Received: {received('path', path)}"
        ) from error


class Runtime:
    """An exported file as a function of NumPy arrays. One thread may call it at a time.

    Attributes:
        inputs, outputs: tuples of `TensorSpec`: name, shape without the batch, dtype.
        metadata: what the file says of itself, a dictionary.
        batch_size: the batch the file was made for, or None. Others are cut to it and filled up.
    """

    def __init__(self, runner):
        self._runner = runner
        self.inputs, self.outputs = runner.inputs, runner.outputs
        self.metadata, self.batch_size = runner.metadata, runner.batch_size

    def __repr__(self):
        sides = (", ".join(map(str, side)) for side in (self.inputs, self.outputs))
        return f"Runtime({' -> '.join(sides)})"

    def __call__(self, *arrays, **named):
        """Runs the model.

        Args:
            *arrays: an array `(batch, ...)` for each input, in the order of `inputs`, or a
                dictionary of them by name.
            **named: or by name.

        Returns:
            The array of the output, or a dictionary of arrays by name if there are several.

        Raises:
            ValueError: an input is missing, unknown, does not fit, or is out of the range that a
                translator was trained on.
        """
        if len(arrays) == 1 and isinstance(arrays[0], dict) and not named:
            arrays, named = (), arrays[0]
        outputs = self._runner(self._checked(arrays, named))
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))

    def sample(self, n: int, seed: int | None = None, label=None):
        """Draws latents, and runs the generator: the images of `gan.generate(n, seed=seed)`.

        Args:
            n: how many, at least 1.
            seed: an int gives the same images on every call. Default: new ones each time.
            label: of a conditional generator: an integer for images of one class, an integer array
                `(n,)`, or None for classes drawn at random.

        Returns:
            The array of images `(n, ...)`.

        Raises:
            ValueError: the file is not a generator of latents, `n` is not a positive integer, or a
                label is no class.
        """
        names = [tensor.name for tensor in self.inputs]
        classes = self.metadata.get("num_classes")
        if self.metadata.get("latent_distribution") != "standard normal" or names not in (
            ["latent"],
            ["latent", "label"],
        ):
            raise ValueError(
                "Only a generator of latents that gan.export() wrote knows how to draw its inputs; "
                f"call this model with arrays. Received: a model of {', '.join(names)}"
            )
        n = numbers.count("n", n)
        if not isinstance(seed, np.random.Generator):
            seed = numbers.seed(seed)
        if classes is None and label is not None:
            raise ValueError(f"This generator knows no classes. Received: label={label!r}")
        shape = (n, *self.inputs[0].shape)
        latents = np.random.default_rng(seed).standard_normal(shape, np.float32)
        if classes is None:
            return self(latents)
        return self(latents, _labels(n, label, seed, classes))

    def _checked(self, arrays, named):
        names = [tensor.name for tensor in self.inputs]
        given = dict(zip(names, arrays, strict=False))
        if len(arrays) > len(names) or set(given) & set(named) or {*given, *named} != set(names):
            raise ValueError(
                f"Give one array for each of the inputs {', '.join(names)}, in this order or by "
                f"name. Received: {len(arrays)} arrays and {sorted(named)}"
            )
        given |= named
        batch = {tensor.name: _fitting(tensor, given[tensor.name]) for tensor in self.inputs}
        if len({len(array) for array in batch.values()}) != 1:
            shapes = {name: array.shape for name, array in batch.items()}
            raise ValueError(f"The inputs differ in batch size. Received: {shapes}")
        if "input_range" in self.metadata:
            _check_range(batch, *self.metadata["input_range"])
        classes = self.metadata.get("num_classes")
        # Some runtimes would take another row of the embedding for a negative label.
        if classes is not None and "label" in batch:
            labels = batch["label"]
            if labels.min() < 0 or labels.max() >= classes:
                raise ValueError(
                    f"Labels are integers in [0, {classes}). "
                    f"Received: labels from {labels.min()} to {labels.max()}"
                )
        return batch


def _fitting(tensor, array):
    try:
        array = np.asarray(array)
    except ValueError as error:
        raise ValueError(f"An input must fit {tensor}. Received: {error}") from error
    if array.shape[1:] != tensor.shape or not array.shape or not len(array):
        raise ValueError(f"An input must fit {tensor}. Received: shape {array.shape}")
    kinds = {"i": "iu", "u": "iu"}
    kind = np.dtype(tensor.dtype).kind
    if array.dtype.kind not in kinds.get(kind, kind):
        raise ValueError(f"An input must fit {tensor}. Received: dtype {array.dtype}")
    return array.astype(tensor.dtype)


def _check_range(batch, lowest, highest):
    for name, array in batch.items():
        low, high = array.min(), array.max()
        # As in training: a resize may overshoot a little, and NaN is in no range.
        if not (low >= lowest - 0.01 and high <= highest + 0.01):
            raise ValueError(
                f"Values of {name} must lie in [{lowest}, {highest}], which this model was trained "
                "on. For pixels in [0, 255] use images / 127.5 - 1. "
                f"Received: range [{low}, {high}]"
            )


def _labels(n, label, seed, classes):
    # The same rule as `ConditionalGAN.draw_labels`, which a test holds together.
    if label is None:
        random = np.random.default_rng([1, seed] if seed is not None else None)
        return random.integers(classes, size=n, dtype="int32")
    labels = np.full(n, label) if np.ndim(label) == 0 else np.asarray(label)
    if (
        labels.dtype.kind not in "iu"
        or labels.shape != (n,)
        or not (labels.min() >= 0 and labels.max() < classes)
    ):
        raise ValueError(
            f"label is an integer in [0, {classes}), or {n} of them. Received: label={label!r}"
        )
    return labels.astype("int32")
