"""Runs exported files on NumPy arrays, without Keras or TensorFlow."""

import os
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from kgan.export import formats, transaction
from kgan.export.signature import TensorSpec
from kgan.export.untrusted import process, seal
from kgan.export.untrusted.escape import terminal
from kgan.generation import inputs
from kgan.utils import numbers
from kgan.utils.advice import received
from kgan.utils.paths import check_path


def load(path: str | os.PathLike, threads: int | None = None) -> "Runtime":
    """Loads an exported file as a function of NumPy arrays.

    An `.onnx` file needs onnxruntime, a `.tflite` file ai-edge-litert, a SavedModel folder
    TensorFlow, which then runs in a process of its own.

    A file contains a SHA-256 of itself, which is compared first: a file that has changed by a byte
    is refused. So is one that its runtime cannot load, or whose metadata kgan would not write.
    `load` does not check the values that it computes (`verify` does), nor the bytes of files from
    versions of kgan without a hash. A hash is not a signature: a malicious file can contain a
    correct one.

    A SavedModel is a program: loading an untrusted one runs it in that process with your rights,
    including access to your files. `.onnx` and `.tflite` files are data, but their runtimes run in
    the caller's process, without limits of time and memory; `verify` runs them in a process with
    both.

    Args:
        path: a file, or a SavedModel folder. For a bundle, the path of one of its files.
        threads: CPU threads to use. Default: the runtime's choice.

    Returns:
        A `Runtime`.

    Raises:
        ValueError: it is not an exported file, has changed or does not load; `threads` is not a
            positive integer.
        FileNotFoundError: the path does not exist.
        ImportError: the runtime of its format is not installed.
        ExportError: an export there was killed, and cannot be finished because the folder is not
            writable.

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
        takes: the declarations of the inputs, see `kgan.Latent`; None if the file has none.
        metadata: the metadata of the file, a dictionary.
        batch_size: the batch size of the file, or None for any. Other batches are split and padded.
    """

    def __init__(self, runner: Any) -> None:
        self._runner = runner
        self.inputs, self.outputs = runner.inputs, runner.outputs
        self.metadata, self.batch_size = runner.metadata, runner.batch_size
        self.takes = _takes(self.metadata, self.inputs)

    def __repr__(self):
        sides = (", ".join(map(str, side)) for side in (self.inputs, self.outputs))
        return f"Runtime({' -> '.join(sides)})"

    def __call__(self, *arrays: Any, **named: npt.ArrayLike) -> Any:
        """Runs the model.

        Args:
            *arrays: an array `(batch, ...)` for each input, in the order of `inputs`, or a
                dictionary of them by name.
            **named: the arrays by name, instead.

        Returns:
            The array of the output, or a dictionary of arrays by name if there are several.

        Raises:
            ValueError: an input is missing, unknown, has another shape or dtype, or is outside the
                range that a translator was trained on.
        """
        first, *others = arrays or (None,)
        if isinstance(first, dict) and not others and not named:
            arrays, named = (), first
        outputs = self._runner(self._checked(arrays, named))
        return outputs if len(outputs) > 1 else next(iter(outputs.values()))

    def sample(
        self,
        n: int,
        seed: int | None = None,
        label: npt.ArrayLike | None = None,
        **given: npt.ArrayLike,
    ) -> np.ndarray:
        """Draws latents and runs the generator, giving the images of `gan.generate(n, seed=seed)`.

        Args:
            n: how many, at least 1.
            seed: an int gives the same images on every call. Default: new ones each time.
            label: for a conditional generator: an integer for images of one class, an integer
                array `(n,)`, or None for random classes.
            **given: inputs by name: an array `(n, ...)`, or one value for all. The others are
                drawn.

        Returns:
            The array of images `(n, ...)`.

        Raises:
            ValueError: the file is not a generator of latents, `n` is not a positive integer, or a
                label is out of range.
            TypeError: an input that cannot be drawn is missing, or a name is unknown.
        """
        if not any(isinstance(each, inputs.Latent) for each in self.takes or ()):
            names = ", ".join(tensor.name for tensor in self.inputs)
            raise ValueError(
                "Only a generator of latents that gan.export() wrote can draw its inputs; call "
                f"this model with arrays. Received: a model of {names}"
            )
        if label is not None:
            if "label" not in [each.name for each in self.takes]:
                raise ValueError(f"This generator has no classes. Received: label={label!r}")
            given["label"] = label
        return self(inputs.draw(self.takes, n, seed, given))

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
        for each in self.takes or ():
            # Some runtimes would take another row of the embedding for a negative label.
            if not isinstance(each, inputs.Latent):
                each.check(batch[each.name], len(batch[each.name]))
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


def _takes(metadata, tensors):
    """Returns the declarations of the inputs from the metadata, None if it has none.

    Raises:
        ValueError: if they do not match the inputs of the file.
    """
    if "takes" in metadata:
        takes = inputs.from_json(metadata["takes"])
    else:  # as files were written before they declared their inputs
        takes = _older(metadata, tensors)
    declared = [(each.name, tuple(each.shape)) for each in takes or ()]
    if takes is not None and declared != [(each.name, tuple(each.shape)) for each in tensors]:
        raise ValueError(f"its metadata declares other inputs than it has: {declared}")
    return takes


def _older(metadata, tensors):
    names = [tensor.name for tensor in tensors]
    if names == ["image"] and "input_range" in metadata:
        return (inputs.Given("image", tensors[0].shape, metadata["input_range"]),)
    if metadata.get("latent_distribution") != "standard normal" or names[:1] != ["latent"]:
        return None
    latent = inputs.Latent(tensors[0].shape)
    if names == ["latent", "label"] and "num_classes" in metadata:
        return latent, inputs.Label(metadata["num_classes"])
    return (latent,) if names == ["latent"] else None
