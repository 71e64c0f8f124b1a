"""Messages between two processes of which one may not be trusted: a JSON header and raw arrays.

Nothing that is read here can run code, whoever wrote it: no pickle, sizes are checked before any
memory is taken, and the arrays are of plain numbers.
"""

import json
import math
import struct

import numpy as np

from kgan.export.untrusted import schema

LARGEST_HEADER = 2**24
LARGEST_ARRAYS = 2**33
"""Bytes of a header, and of the arrays that follow it."""
DTYPES = frozenset(
    ["bool", "float16", "float32", "float64"]
    + [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
)


def write(stream, header, arrays=None):
    """Writes a message.

    Args:
        stream: a binary file.
        header: a dictionary that JSON can hold.
        arrays: a dictionary from names to NumPy arrays of numbers.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in (arrays or {}).items()}
    listed = [
        {"name": name, "dtype": array.dtype.name, "shape": array.shape}
        for name, array in arrays.items()
    ]
    text = json.dumps({**header, "arrays": listed}).encode()
    stream.write(struct.pack(">Q", len(text)))
    stream.write(text)
    for array in arrays.values():
        stream.write(array.tobytes())
    stream.flush()


def read(stream):
    """Reads a message.

    Returns:
        The header and the dictionary of arrays.

    Raises:
        EOFError: the stream ended before the message did.
        ValueError: it is no message, or a larger one than is allowed.
    """
    (length,) = struct.unpack(">Q", _exactly(stream, 8))
    if length > LARGEST_HEADER:
        raise ValueError(f"a header of {length} bytes is larger than {LARGEST_HEADER}")
    try:
        header = schema.parse(bytes(_exactly(stream, length)))
        entries = [_entry(entry) for entry in header.pop("arrays")]
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise ValueError(f"no message of kgan: {type(error).__name__}: {error}") from None
    sizes = [math.prod(shape) * dtype.itemsize for _, dtype, shape in entries]
    if sum(sizes) > LARGEST_ARRAYS:
        raise ValueError(f"arrays of {sum(sizes)} bytes are larger than {LARGEST_ARRAYS}")
    arrays = {}
    for (name, dtype, shape), size in zip(entries, sizes, strict=True):
        arrays[name] = np.frombuffer(_exactly(stream, size), dtype).reshape(shape)
    return header, arrays


def _entry(entry):
    name, dtype, shape = entry["name"], entry["dtype"], entry["shape"]
    if not isinstance(name, str) or dtype not in DTYPES or not isinstance(shape, list):
        raise ValueError(f"an array is described as {str(entry)[:200]}")
    if not all(type(size) is int and size >= 0 for size in shape) or len(shape) > 32:
        raise ValueError(f"an array has the shape {str(shape)[:200]}")
    return name, np.dtype(dtype), shape


def _exactly(stream, size):
    """So many bytes, as a buffer that may be written to. It grows with what really comes."""
    buffer = bytearray()
    while len(buffer) < size:
        part = stream.read(min(size - len(buffer), 2**24))
        if not part:
            raise EOFError(f"the message ended after {len(buffer)} of {size} bytes")
        buffer += part
    return buffer
