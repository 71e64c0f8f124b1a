"""What a saved model is made of, as one would write it in Python."""

import inspect
import types


def written(value):
    """A serialised object as one would write it, without what goes without saying: `R1(1.0)`."""
    if isinstance(value, dict) and "class_name" in value:
        config = value.get("config") or {}
        if "layers" in config:
            return f"model {config.get('name', value['class_name'])}"
        usual = _defaults(value)
        own = {
            name: written(part)
            for name, part in config.items()
            if part != usual.get(name) and name not in ("name", "dtype")
        }
        arguments = ", ".join(f"{name}={part}" for name, part in own.items())
        return f"{value['class_name']}({arguments})" if arguments else value["class_name"]
    if isinstance(value, list):
        return ", ".join(map(written, value)) or "none"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _defaults(value):
    """The default arguments of a serialised object of Keras or kgan, by name."""
    package, *parts = str(value.get("module") or "").split(".")
    if package not in ("keras", "kgan"):
        return {}
    place = _known()[package]
    for part in [*parts, value["class_name"]]:
        # Among what is imported already: a file's names import nothing.
        place = vars(place).get(part) if isinstance(place, types.ModuleType) else None
    if not isinstance(place, type):
        raise ValueError(f"there is no {value['module']}.{value['class_name']}")
    parameters = inspect.signature(place).parameters
    return {name: parameter.default for name, parameter in parameters.items()}


def _known():
    import keras

    import kgan
    from kgan import augmentations, losses, metrics, models, penalties, schedules  # noqa: F401

    return {"keras": keras, "kgan": kgan}
