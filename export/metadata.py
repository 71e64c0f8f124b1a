"""What an exported file says of itself: the one place where that is checked."""

import math

from kgan.export.signature import TensorSpec
from kgan.export.untrusted import schema
from kgan.generation import inputs


def _range(value):
    schema.check(value, [(int, float)])
    if len(value) != 2 or not value[0] < value[1]:
        raise ValueError(f"two numbers are needed, the lower first, not {schema.shown(value)}")


def _scale(value):
    schema.check(value, {"scale": (int, float), "zero_point": int})
    if not (math.isfinite(value["scale"]) and value["scale"] > 0):
        raise ValueError(f"a positive number is needed, not {schema.shown(value['scale'])}")


# What is used, or compared with what the file declares. Whatever else a user gave is only shown.
_SCHEMA: dict[object, object] = {
    "inputs?": [TensorSpec.from_json],
    "outputs?": [TensorSpec.from_json],
    "num_classes?": schema.count,
    "batch_size?": schema.count,
    "input_range?": _range,
    "takes?": inputs.from_json,
    "int8?": {...: _scale},
    **dict.fromkeys(("latent_distribution?", "direction?", "source_sha256?", "model_hash?"), str),
    ...: object,
}


def check(metadata):
    """Returns the metadata of a file. Raises a ValueError if it cannot be what kgan writes."""
    schema.check(metadata, _SCHEMA, "the metadata")
    return metadata
