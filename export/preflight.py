"""What would not survive an export, said before any conversion, with the fix."""

import importlib.util

from kgan.export import formats
from kgan.export.errors import PreflightError
from kgan.utils.advice import advice

TWIN_PSNR = 20


def require(packages):
    """Raises ImportError when a package that a format needs is not installed."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"Exporting needs {', '.join(missing)}, which is not installed. "
            'Run: pip install "kgan[export]"'
        )


def check_model(model):
    """Raises PreflightError for a model that cannot be exported.

    Args:
        model: what the caller handed in.
    """
    import keras

    own_export = getattr(type(model), "export", None)
    if own_export is not None and not is_keras(own_export):
        raise PreflightError(
            f"A {type(model).__name__} knows how to export itself: call model.export(path). "
            f"Received: model={model!r}"
        )
    if not isinstance(model, keras.Model):
        raise PreflightError(
            "Only a keras.Model can be exported; put a layer into keras.Sequential([layer]). "
            f"Received: model={model!r} of type {type(model).__name__}"
        )
    if not model.built:
        raise PreflightError(
            "The model is not built yet, so it has no weights and no shapes. Call it on a batch "
            f"or give it a keras.Input first. Received: model={model}"
        )
    refuse(problem for layer in layers(model) for problem in _problems(layer))


def refuse(problems):
    """Raises one PreflightError of all the problems, if there are any; each is told once."""
    problems = list(dict.fromkeys(problems))
    if len(problems) == 1:
        raise PreflightError(problems[0])
    if problems:
        listed = "\n".join(f"{number}. {text}" for number, text in enumerate(problems, 1))
        raise PreflightError(f"{len(problems)} things keep this model from an export:\n{listed}")


def _problems(layer):
    import keras

    if isinstance(layer, keras.layers.Lambda):
        yield (
            "A Lambda layer is Python code and cannot be rebuilt elsewhere. Write a "
            "keras.layers.Layer or use keras.ops directly on the tensors. "
            f"Received: layer '{layer.name}'"
        )
    if getattr(layer, "quantization_mode", None):
        yield (
            "The model is already quantised by Keras. Export the model as it was before. "
            f"Received: layer '{layer.name}' quantised to {layer.quantization_mode}"
        )
    wrong = None if is_keras(type(layer)) else not_importable(type(layer))
    if wrong:
        yield wrong


def check_answers(model, answer):
    """Raises PreflightError for a model that draws random numbers at inference.

    Args:
        model: the model.
        answer: function that lets it answer the same inputs each time.
    """
    from kgan.export.compare.parity import differs

    if not differs(answer(), answer()):
        return
    names = [
        f"'{layer.name}' ({type(layer).__name__})"
        for layer in layers(model)
        if not is_keras(type(layer)) and _draws(layer)
    ]
    raise PreflightError(
        "The model answers differently each time: it draws random numbers at inference, which no "
        "file can repeat. Make the noise an input of the model. "
        f"Received: random layers {', '.join(names) or 'that were not found'}"
    )


def check_twin(likeness, model):
    """Raises PreflightError when the model rebuilt in float32 is not the one that was trained.

    Args:
        likeness: PSNR between what the two answer, in dB.
        model: the trained one.
    """
    # bfloat16 has 8 bits and layers add up their rounding; another model is far below.
    if likeness < TWIN_PSNR:
        raise PreflightError(
            "Rebuilt in float32 the model answers differently: an own layer may depend on its "
            "dtype, or not save all of its weights. "
            f"Received: a model in {_policies(model)}, PSNR {likeness:.1f} dB where at least "
            f"{TWIN_PSNR} is rounding"
        )


def check_int8(spec, calibration):
    """Raises ValueError when there is nothing to take the ranges of int8 from."""
    from kgan.export.compare.drawing import takes_images

    if takes_images(spec) and not calibration:
        raise ValueError(
            "int8 takes its ranges from typical inputs, and those of a model of images are not "
            "known; "
            + advice(
                "pass calibration=, a list of batches of real ones. Received: calibration=None",
                "name a folder of real ones with --calibration. Received: no --calibration",
            )
        )


def refusal(model, format, precision):
    """Why no file of this format and precision can be made of a model, or an empty text."""
    import keras

    module = formats.get(format)
    # What an own layer calls is not seen here; the converter refuses it then.
    lacking = sorted({type(each).__name__ for each in _operations(model)} & module.LACKING)
    if lacking:
        return (
            f"{module.TITLE} has no operator for Keras's {', '.join(lacking)}: take another "
            "format, or compute it otherwise. "
            f"Received: model '{model.name}'"
        )
    recurrent = [layer.name for layer in layers(model) if isinstance(layer, keras.layers.RNN)]
    if precision.startswith("int8") and recurrent:
        return (
            "TensorFlow's converter crashes on recurrent layers in int8; take dynamic_range. "
            f"Received: recurrent layers {', '.join(recurrent)}"
        )
    return ""


def notes(model, narrow):
    """What an export changes of a model, as a tuple of sentences."""
    told = []
    if narrow:
        told.append(
            f"the model computes in {_policies(model)}; it is rebuilt, and exported, in float32"
        )
    return tuple(told)


def layers(model):
    """Every layer of a model, itself and nested ones included."""
    # Keras has no public walk that also enters layers which hold layers.
    return model._flatten_layers(include_self=True, recursive=True)


def _operations(model):
    """Layers, and the functions of keras.ops that a functional model is made of."""
    for layer in layers(model):
        yield layer
        yield from getattr(layer, "operations", ())


def _policies(model):
    names = {layer.dtype_policy.name for layer in layers(model)}
    return " and ".join(sorted(names - {"float32"}))


def _draws(layer):
    import keras

    return any(isinstance(value, keras.random.SeedGenerator) for value in vars(layer).values())


def is_keras(thing):
    """Whether a class or function comes with Keras or Python, so that every process has it."""
    return thing.__module__.split(".")[0] in ("keras", "builtins")


def not_importable(thing):
    """Why another process cannot import a class or function, None if it can."""
    where = f"{thing.__module__}.{thing.__qualname__}"
    if thing.__module__ == "__main__":
        return (
            f"'{thing.__qualname__}' is defined in __main__, the script or notebook that runs now; "
            "the converter is another process and cannot import it. Move it to a module of its "
            f"own (a .py file) and import it from there. Received: {where}"
        )
    if "<locals>" in thing.__qualname__:
        return (
            f"'{thing.__qualname__}' is defined inside a function, where no other process can "
            f"import it. Move it to the top level of its module. Received: {where}"
        )
    return None
