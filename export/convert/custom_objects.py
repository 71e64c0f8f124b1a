"""The user's own classes, which the child process must import to rebuild a model."""

import importlib

from kgan.export.errors import PreflightError
from kgan.export.preflight import is_keras, layers, not_importable, refuse


def find(model, config):
    """The classes and functions of a model that do not come from Keras.

    Args:
        model: the model.
        config: its serialised configuration.

    Returns:
        A list of `{"name", "module", "attribute"}`, sorted, for `load`.

    Raises:
        PreflightError: one of them cannot be imported by another process.
    """
    import keras

    found = {keras.saving.get_registered_name(type(layer)): type(layer) for layer in layers(model)}
    for node in _nodes(config):
        if node["class_name"] == "function":
            found[node["config"]] = _function(node)
        elif name := node.get("registered_name"):
            found[name] = (
                keras.saving.get_registered_object(name) or found.get(name) or _by_module(node)
            )
    own = {name: thing for name, thing in found.items() if thing and not is_keras(thing)}
    refuse(filter(None, map(not_importable, own.values())))
    return [
        {"name": name, "module": own[name].__module__, "attribute": own[name].__qualname__}
        for name in sorted(own)
    ]


def load(entries):
    """Imports what `find` found; returns the dictionary Keras wants."""
    loaded = {}
    for entry in entries:
        thing = importlib.import_module(entry["module"])
        for part in entry["attribute"].split("."):
            thing = getattr(thing, part)
        loaded[entry["name"]] = thing
    return loaded


def _nodes(config):
    if isinstance(config, dict):
        if "class_name" in config:
            yield config
        config = config.values()
    elif not isinstance(config, (list, tuple)):
        return
    for child in config:
        yield from _nodes(child)


def _function(node):
    import keras

    try:
        return keras.saving.deserialize_keras_object(node)
    except Exception as error:
        raise PreflightError(
            f"The function '{node['config']}' cannot be found again by its name. Decorate it with "
            "@keras.saving.register_keras_serializable() in a module that can be imported. "
            f"Received: {node}"
        ) from error


def _by_module(node):
    """The class that nobody registered and only the module of a configuration tells."""
    module = importlib.import_module(node["module"] or "__main__")  # which Keras leaves out
    return getattr(module, node["class_name"], None)
