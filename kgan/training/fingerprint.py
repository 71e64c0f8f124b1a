"""The settings of a run, and the differences between two runs."""

import json
import re
import zlib

import keras
import numpy as np

from kgan.data.image_stream import ImageStream
from kgan.export.untrusted.escape import terminal
from kgan.training.data_order import Batches

SHOWN = 6  # differences
EACH = 3  # values of one that is in several layers
NUMBER = re.compile(r"\.\d+(?=\.|$)")
LAYER = re.compile(r"(.+?)\.layers\.\d+")
# Parts of Keras's configurations that follow from others.
IMPLIED = ("inbound_nodes", "build_config", "registered_name", "module", "input_layers", "name")


def settings_of(model, data, options):
    """Returns the settings of a run as JSON-able values.

    Args:
        model: a compiled `AdversarialModel`.
        data: `(x, y)`. Arrays are identified by shape, type and checksum, files by their names,
            other streams by their type and length.
        options: the other arguments of `fit`.
    """
    x, y = data
    settings = {
        "backend": keras.backend.backend(),
        "model": model.settings(),
        "data": _describe(x),
        "labels": _describe(y),
        "batch_size": options.get("batch_size"),
        "shuffle": options.get("shuffle", True),
    }
    if isinstance(x, Batches):
        own = {"batch_size": x.batch_size, "shuffle": True, "steps": x.steps}
        settings |= {"data": _describe(x.data[0]), "labels": _describe(x.data[1:]), **own}
    return json.loads(json.dumps(settings))


def differences(saved, now):
    """Returns the differences in words: a list of `name new (saved)`.

    Numbers in Keras's layer names are ignored. A setting that differs in several layers is reported
    once, and for a network of other layers only the first difference: the rest follows from it.
    """
    before, after = _leaves(saved), _leaves(now)
    rebuilt = _rebuilt(before, after)
    groups = {}
    for name in sorted({*before, *after}, key=lambda name: (name.count("."), name)):
        if before.get(name) != after.get(name):
            network = _network(name)
            group = network if network in rebuilt else NUMBER.sub(".*", name)
            groups.setdefault(group, []).append(name)
    found = []
    for group, names in groups.items():
        if group in rebuilt:
            found.append(_other_layers(group, *rebuilt[group]))
            continue
        values = [f"{_show(after.get(name))} ({_show(before.get(name))})" for name in names]
        more = f" and {len(values) - EACH} more" if len(values) > EACH else ""
        title = names[0] if len(names) == 1 else group
        found.append(f"{title} {', '.join(values[:EACH])}{more}")
    more = len(found) - SHOWN
    return [*map(terminal, found[:SHOWN])] + ([f"and {more} more"] if more > 0 else [])


def of_networks(different):
    """Whether one of the `differences` concerns the architecture of a network."""
    return any(re.match(r"model\.\w+( is made of|\.layers\.)", each) for each in different)


def _describe(data):
    if isinstance(data, (tuple, list)):
        return [_describe(part) for part in data]
    if data is None:
        return None
    if isinstance(data, np.ndarray):
        checksum = zlib.crc32(np.ascontiguousarray(data))
        return f"{data.dtype} {data.shape} crc32 {checksum:08x}"
    if isinstance(data, ImageStream):
        return data.describe()
    try:
        return f"{type(data).__name__} of {len(data)} batches"
    except TypeError:
        return type(data).__name__


def _network(name):
    """Returns the outermost network of a setting, None for other settings."""
    found = LAYER.match(name)
    return found and found[1]


def _rebuilt(before, after):
    """Returns the networks with other kinds of layers than before, with both lists of kinds."""
    kinds = {}
    for i, leaves in enumerate((before, after)):
        for name, value in leaves.items():
            if re.fullmatch(r".+?(\.layers\.\d+)+\.class_name", name):
                kinds.setdefault(_network(name), ([], []))[i].append(value)
    return {network: both for network, both in kinds.items() if both[0] != both[1]}


def _other_layers(network, before, after):
    """Describes the first difference between two networks of other layers."""
    place = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b),
        min(len(before), len(after)),
    )
    kinds = (repr(each[place]) if place < len(each) else "none" for each in (after, before))
    return (
        f"{network} is made of {len(after)} layers ({len(before)}), of which number {place} is the "
        "first that differs: {} ({})".format(*kinds)
    )


def _show(value):
    return f"{value:.6g}" if isinstance(value, float) else repr(value)


def _leaves(settings):
    """Returns every setting by its path, such as `model.compile_config.loss.class_name`."""
    if not isinstance(settings, (dict, list)):
        plain = re.sub(r"_\d+$", "", settings) if isinstance(settings, str) else settings
        return {"": plain}
    items = settings.items() if isinstance(settings, dict) else enumerate(settings)
    return {
        f"{key}.{name}".removeprefix("config.").rstrip("."): value
        for key, part in items
        if key not in IMPLIED
        for name, value in _leaves(part).items()
    }
