"""The forms of data: arrays, streams, batches."""

import itertools
import os

import keras
import numpy as np

from kgan.utils import numbers


def two(x, y):
    """Returns both arrays given to `fit`, also if they came as one tuple."""
    together = y is None and isinstance(x, tuple) and len(x) == 2 and is_arrays(x)
    return x if together else (x, y)


def even(values):
    """Returns lists as one array; raises a ValueError if they are not equally long."""
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(
            "Give one array, with one label or one image of the same size for each sample. "
            f"Received: {numbers.shown(values)}"
        ) from error


def first_batch(x, y=None, batch_size=None):
    """Returns the first batch of the data without consuming it.

    Args:
        x, y: what `fit` was given.
        batch_size: the argument of `fit`.

    Returns:
        The first batch, as NumPy arrays (of array data all of it, so that a check sees every
        value), and what to give to `fit` in place of `x`.

    Raises:
        ValueError: if there is no data, or the batch size is not a positive integer.
    """
    if batch_size is not None:
        numbers.count("batch_size", batch_size)
    if x is None:
        raise ValueError("There are no images. Received: x=None")
    if isinstance(x, str):
        raise ValueError(
            "Give the images themselves, for example images, _ = kgan.data.digits(). "
            f"Received: the string {x!r}"
        )
    if not is_arrays(x) and not hasattr(x, "__iter__") and not hasattr(x, "__getitem__"):
        raise ValueError(
            f"Give images as an array, or a stream of batches. Received: x={numbers.shown(x)}"
        )
    if isinstance(x, (type, os.PathLike)):
        raise ValueError(
            "Give the images themselves, such as those of kgan.data.folder(path, image_size). "
            f"Received: x={numbers.shown(x)}"
        )
    if isinstance(x, dict) and not is_arrays(x):
        raise ValueError(of_dictionary(x))
    if isinstance(x, list):
        raise ValueError(
            "Give the images as one array, for example numpy.stack(images). "
            f"Received: a list of {len(x)} {type(x[0]).__name__ if x else 'items'}"
        )
    if is_arrays(x):
        batch = keras.utils.pack_x_y_sample_weight(x, y)
    elif isinstance(x, keras.utils.PyDataset):
        batch = x[0] if x.num_batches is None or len(x) else None
    elif hasattr(x, "__next__"):
        batch = next(x, None)
        x = _put_back(batch, x)
    else:
        batch = next(iter(x), None)
        if batch is not None and not isinstance(batch, (tuple, list)) and _is_torch_loader(x):
            raise ValueError(
                "A torch DataLoader must yield tuples: wrap the images in a "
                "torch.utils.data.TensorDataset. Received: a DataLoader that yields a bare tensor"
            )
    if batch is None:
        raise ValueError(f"There are no images. Received: an empty {_name(x)}")
    batch = keras.tree.map_structure(to_numpy, batch)
    return (tuple(batch) if isinstance(batch, list) else batch), x


def is_in_host_memory(array):
    """Whether an array can be read without a transfer from a device."""
    if isinstance(array, (np.ndarray, np.generic)) or getattr(array, "is_cpu", False) is True:
        return True
    if callable(devices := getattr(array, "devices", None)):  # of JAX
        return all(device.platform == "cpu" for device in devices())
    return "CPU" in str(getattr(array, "device", ""))  # of TensorFlow


def to_numpy(array):
    """Returns an array of any framework or device as a NumPy array, without a needless copy."""
    if array is None or isinstance(array, np.ndarray):
        return array
    return keras.ops.convert_to_numpy(array)


def is_float(dtype):
    """Whether a dtype is a float type, including bfloat16, which is not NumPy's own."""
    return np.issubdtype(dtype, np.floating) or dtype.name == "bfloat16"


def is_stream(x):
    """Whether Keras leaves the order of the data to `x` itself."""
    return not is_arrays(x) and not isinstance(x, keras.utils.PyDataset)


def is_arrays(x):
    """Whether the data are arrays instead of a stream."""
    if isinstance(x, (tuple, list, dict)):
        parts = x.values() if isinstance(x, dict) else x
        return len(x) > 0 and all(map(is_arrays, parts))
    return hasattr(x, "shape") and hasattr(x, "dtype")


def _is_torch_loader(x):
    return type(x).__module__.startswith("torch.utils.data")


def _put_back(batch, rest):
    """Yields tuples, since Keras takes no other kind of iterator."""
    for item in itertools.chain([batch], rest):
        yield item if isinstance(item, tuple) else (item,)


def _name(x):
    return type(x).__name__


def of_dictionary(named):
    """Suggests what to do with a batch whose parts have names."""
    names = ", ".join(map(repr, named))
    image = next((name for name in named if "image" in str(name)), next(iter(named), "image"))
    label = next((name for name in named if "label" in str(name)), None)
    parts = f"batch[{image!r}]" + (f", batch[{label!r}]" if label is not None else "")
    return (
        f"Give the images themselves, not a dictionary that holds them: {parts}, of a "
        f"tf.data.Dataset dataset.map(lambda batch: ({parts})). "
        f"Received: a dictionary with the keys {names or 'of nothing'}"
    )
