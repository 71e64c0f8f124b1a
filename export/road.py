"""The road every export takes: check, save, convert in a child, compare, and only then appear."""

import dataclasses
import importlib.metadata
import json
import os
import time
from collections.abc import Callable, Sequence

from kgan.export import blueprint, child, files, formats, parity, preflight, report, samples
from kgan.export.errors import ExportError, PreflightError
from kgan.export.spec import ModelSpec, model_spec


def export(
    model,
    path: str | os.PathLike,
    formats: Sequence[str] | None = None,
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    samples: list | None = None,
    metadata: dict | None = None,
    tolerance: float = 1e-5,
    opset: int = 17,
    timeout: float = 600,
    progress: Callable[[str], object] | None = None,
) -> report.ExportReport:
    """Exports a Keras model and proves that the file computes what the model computes.

    The model may have been trained on TensorFlow, JAX or PyTorch, in float32 or in mixed
    precision (the artefact is float32). It runs in inference: dropout is off, batch normalisation
    uses its moving statistics. The batch axis of every input and output stays dynamic. Beside the
    file appear `export_report.json` and `<file>.samples.npz`, with which `verify` can repeat the
    comparison. All of them appear together or not at all; a good older file survives a failure.

    Args:
        model: a built `keras.Model`: functional, Sequential, or subclassed with one argument.
            Every size but the batch must be known. Custom layers must be importable.
        path: file to write, whose suffix is the format (`.onnx`), or a folder without suffix for
            a bundle of `formats`.
        formats: format names for a bundle, such as `("onnx",)`. Default: what the suffix says.
        input_names: one tensor name an input, in the order of `model.inputs`. Default: the names
            of the input layers.
        output_names: the same for the outputs. Default: the model's output names.
        samples: list of input batches to compare on, beside those drawn here. A batch is an array
            (one input), a tuple of arrays in the order of the inputs, or a dictionary of arrays
            by input name; each array has shape `(batch, ...)`. Models with integer inputs need
            it. Default: None, a seeded normal, zeros and extremes.
        metadata: dictionary of JSON-able values to put into the file beside our own.
        tolerance: largest error allowed, as absolute difference over max(1, largest expected
            value). Default 1e-5: float32 rounding of a deep generator stays below it.
        opset: ONNX operator set. Default 17.
        timeout: seconds for the child process that converts.
        progress: called with the name of each stage: "check", "save", "convert", "compare",
            "write".

    Returns:
        `ExportReport` of the artefacts made by this call; print it for a table.

    Raises:
        ValueError: unknown suffix or format, wrong names, samples or metadata.
        ImportError: a package the format needs is not installed.
        PreflightError: the model cannot be exported as it is.
        ParityError: the artefact, or the model itself, does not give the right values.
        ExportError: the place cannot be written to, or the child crashed or took too long.

    Example:
        >>> report = kgan.export.export(model, "generator.onnx", output_names=["image"])
        >>> print(report)
    """
    say = progress or (lambda stage: None)
    started = time.perf_counter()
    say("check")
    plans = _plans(path, formats)
    options = {"opset": opset}
    _check_metadata(metadata)
    with files.staging(plans[0].path) as folder:
        job = _prepare(model, folder, input_names, output_names, samples, tolerance, say)
        say("convert")
        request = _request(job, plans, folder, options, metadata or {})
        child_seconds = child.run(request, folder, timeout)
        say("compare")
        made = [_compare(plan, folder, job, tolerance, options) for plan in plans]
        say("write")
        times = {"seconds": time.perf_counter() - started, "child_seconds": child_seconds}
        made = [dataclasses.replace(artefact, **times) for artefact in made]
        return _put_in_place(made, plans[0].path.parent, folder)


@dataclasses.dataclass(frozen=True)
class _Job:
    """A model ready to be converted, with the answers its artefacts must give."""

    name: str
    spec: ModelSpec
    batches: list
    custom_objects: list


def _plans(path, names):
    plans = formats.plan(path, names)
    for plan in plans:
        preflight.require(plan.format.PACKAGES)
    return plans


def _prepare(model, folder, input_names, output_names, given, tolerance, say):
    """Draws the blueprint of the model into `folder` and lets Keras answer the samples."""
    import keras

    preflight.check_model(model)
    model = blueprint.as_functional(model)
    config, narrow, text = _serialise(model)
    custom_objects = preflight.custom_objects(model, config)
    say("save")
    (folder / "model.json").write_text(text, encoding="utf-8")
    weights = folder / "model.weights.h5"
    model.save_weights(weights)
    if narrow:
        model = blueprint.build(config, weights, preflight.load_custom_objects(custom_objects))
    spec = model_spec(model, input_names, output_names)

    def answer(values):
        outputs = keras.tree.flatten(blueprint.call(model, values))
        return [keras.ops.convert_to_numpy(output) for output in outputs]

    batches = parity.expected(answer, spec, samples.draw(spec, given), tolerance)
    return _Job(model.name, spec, batches, custom_objects)


def _serialise(model):
    try:
        config, narrow = blueprint.draw(model)
        return config, narrow, json.dumps(config)
    except (NotImplementedError, OSError, TypeError, ValueError) as error:
        raise PreflightError(
            "The model cannot be serialised, so no other process can rebuild it. Give its own "
            "layers a get_config() that returns their constructor's arguments. "
            f"{type(error).__name__}: {error} Received: model={model}"
        ) from error


def _request(job, plans, folder, options, metadata):
    import keras

    spec = dataclasses.asdict(job.spec)
    own = {
        "kgan_version": _version("kgan"),
        "keras_version": _version("keras"),
        "training_backend": keras.config.backend(),
        "inference": "training=False: dropout off, batch normalisation by moving statistics",
        **spec,
    }
    return {
        "spec": spec,
        "custom_objects": job.custom_objects,
        "image_data_format": keras.config.image_data_format(),
        "artefacts": [
            {
                "format": plan.format.NAME,
                "precision": plan.precision,
                "path": str(folder / plan.path.name),
            }
            for plan in plans
        ],
        "options": {**options, "name": job.name},
        "metadata": {**metadata, **own},
    }


def _compare(plan, folder, job, tolerance, options):
    """Proves one artefact in the staging folder; its entry of the report, times still open."""
    import keras

    file, name = folder / plan.path.name, plan.path.name
    if not file.is_file():
        raise ExportError(f"The converter process ended well but wrote no {name}.")
    runner = parity.load(plan.format, file, name)
    figures = parity.compare(runner, job.spec, job.batches, tolerance, name)
    kept = folder / f"{name}.samples.npz"
    samples.save(kept, job.batches)
    return report.Artefact(
        file=name,
        format=plan.format.NAME,
        precision=plan.precision,
        verdict=report.PASSED,
        bytes=file.stat().st_size,
        sha256=files.sha256(file),
        samples=kept.name,
        samples_sha256=files.sha256(kept),
        max_abs_error=figures.max_abs_error,
        max_error=figures.max_error,
        tolerance=tolerance,
        batch_sizes=figures.batch_sizes,
        inputs=job.spec.inputs,
        outputs=job.spec.outputs,
        training_backend=keras.config.backend(),
        versions={each: _version(each) for each in ("kgan", "keras", *plan.format.PACKAGES)},
        options=options,
        seconds=0.0,
        child_seconds=0.0,
    )


def _put_in_place(made, folder, staging):
    made = report.ExportReport(folder, tuple(made))
    with files.locked(folder):
        for artefact in made.artefacts:
            os.replace(staging / artefact.samples, folder / artefact.samples)
            os.replace(staging / artefact.file, folder / artefact.file)
        report.merge(made, staging)
    return made


def _check_metadata(metadata):
    metadata = {} if metadata is None else metadata
    try:
        if not all(isinstance(key, str) for key in metadata):
            raise TypeError("a key is not a string")
        json.dumps(metadata, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"metadata is a dictionary of strings to JSON-able values; {error}. "
            f"Received: metadata={metadata!r}"
        ) from error


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
