"""A model made ready for export: its blueprint on disk, and what Keras answers to the samples."""

import hashlib
import importlib.metadata
import json
from dataclasses import asdict, dataclass

import numpy as np

from kgan.export import preflight
from kgan.export.compare import drawing, parity, samples
from kgan.export.convert import rebuild
from kgan.export.errors import PreflightError
from kgan.export.signature import ModelSpec, model_spec


@dataclass(frozen=True)
class Job:
    """A model ready to be converted, with the answers its artefacts must give.

    Attributes:
        name: the model's name.
        spec: `ModelSpec` that every artefact must keep.
        call: the Keras model in inference, from a flat list of arrays to a flat list of arrays.
        batches, spans: what artefacts are compared on, see `parity.expected`.
        custom_objects: what the child must import, see `preflight.custom_objects`.
        calibration: an `.npz` of inputs for int8, or None.
        metadata: what the files say of themselves.
        notes: what the user may want to know, from `preflight`.
    """

    name: str
    spec: ModelSpec
    call: object
    batches: list
    spans: dict
    custom_objects: list
    calibration: str | None
    metadata: dict
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Check:
    """What `kgan.export.check` found: the promised tensors, and notes on what will change."""

    spec: ModelSpec
    notes: tuple[str, ...]

    def __str__(self):
        sides = (", ".join(map(str, side)) for side in (self.spec.inputs, self.spec.outputs))
        nothing = "nothing more can be told before a conversion"
        return "\n".join([" -> ".join(sides), *self.notes, nothing])


def prepare(model, folder, names, given, calibration, int8, metadata, say=lambda stage: None):
    """Checks a model, draws its blueprint into `folder` and lets Keras answer the samples.

    Args:
        model: what the caller handed in.
        folder: where `model.json`, `model.weights.h5` and, for int8, `calibration.npz` go.
        names: the user's input names and output names.
        given: the user's samples.
        calibration: the user's calibration batches.
        int8: whether an artefact needs calibration.
        metadata: the user's values.
        say: called with the name of the stage.

    Returns:
        A `Job`.

    Raises:
        As `kgan.export.export`.
    """
    import keras

    preflight.check_model(model)
    trained = model
    model = rebuild.as_functional(model)
    config, narrow, text = _serialise(model)
    custom_objects = preflight.custom_objects(model, config)
    say("save")
    (folder / "model.json").write_text(text, encoding="utf-8")
    weights = folder / "model.weights.h5"
    rebuild.save_weights(model, weights)
    first = model
    if narrow:
        model = rebuild.build(config, weights, preflight.load_custom_objects(custom_objects))
    spec = model_spec(model, *names)

    def call(values, model=model):
        outputs = keras.tree.flatten(rebuild.call(model, values))
        return [keras.ops.convert_to_numpy(output) for output in outputs]

    drawn = drawing.draw(spec, given, calibration)
    preflight.check_answers(trained, lambda: parity.answer(call, spec, drawn[0][1]))
    typical = ("sample", "normal")
    if calibration:
        # Samples of images may be there for their sizes alone.
        typical = ("calibration",) if drawing.takes_images(spec) else samples.OWN
    batches, spans = parity.expected(call, spec, drawn, typical)
    if narrow:
        batch = next(batch for batch in batches if batch.typical)
        before = parity.answer(lambda values: call(values, first), spec, batch.inputs)
        preflight.check_twin(parity.likeness(batch.outputs, before, spans), first)
    file = None
    if int8:
        preflight.check_int8(spec, calibration)
        file = str(folder / "calibration.npz")
        arrays = drawing.calibration(spec, given, calibration)
        # By number: an input may have a name that np.savez takes for itself.
        np.savez(file, *(arrays[tensor.name] for tensor in spec.inputs))
    return Job(
        name=model.name,
        spec=spec,
        call=call,
        batches=batches,
        spans=spans,
        custom_objects=custom_objects,
        calibration=file,
        # Only the caller can know that a model was trained elsewhere than it lives now.
        metadata={"training_backend": keras.config.backend(), **metadata}
        | _about(spec, text, model),
        notes=preflight.notes(trained, narrow),
    )


def version(package):
    """The installed version of a package, or "unknown"."""
    try:
        return importlib.metadata.version(package.replace("_", "-"))
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _serialise(model):
    try:
        config, narrow = rebuild.describe(model)
        return config, narrow, json.dumps(config)
    except (NotImplementedError, OSError, TypeError, ValueError) as error:
        raise PreflightError(
            "The model cannot be serialised, so no other process can rebuild it. Give its own "
            "layers a get_config() that returns their constructor's arguments. "
            f"{type(error).__name__}: {error} Received: model={model}"
        ) from error


def _about(spec, text, model):
    import keras

    digest = hashlib.sha256(text.encode())
    for weight in model.weights:
        digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(weight)).tobytes())
    return {
        "kgan_version": version("kgan"),
        "keras_version": version("keras"),
        "inference": "training=False: dropout off, batch normalisation by moving statistics",
        "source_sha256": digest.hexdigest(),
        **json.loads(json.dumps(asdict(spec))),
    }
