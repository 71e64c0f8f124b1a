"""The export pipeline: check, save, convert in a child process, compare, move into place."""

import dataclasses
import inspect
import itertools
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kgan.export import formats as formats_
from kgan.export import model_card, preflight, preparation, report, transaction
from kgan.export.compare import parity, proof
from kgan.export.convert import launcher
from kgan.export.errors import ExportError, ParityError
from kgan.utils import numbers
from kgan.utils.paths import check_path

if TYPE_CHECKING:  # files are run where it is not installed
    import keras

NEWEST_OPSET = 18  # that tf2onnx 1.17 writes


def export(
    model: "keras.Model",
    path: str | os.PathLike,
    formats: Sequence[str] | None = None,
    precision: str | Sequence[str] = "float32",
    *,
    name: str = "model",
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    samples: list | None = None,
    calibration: list | None = None,
    metadata: dict | None = None,
    tolerance: float = 1e-5,
    float32_psnr: float = 60.0,
    float16_tolerance: float = 1e-2,
    float16_psnr: float = 50.0,
    int8_psnr: float = 30.0,
    batch_size: int = 1,
    opset: int = 17,
    timeout: float = 600,
    progress: Callable[[str], object] | None = None,
) -> report.ExportReport:
    """Exports a Keras model and proves that the files compute what the model computes.

    The model may have been trained on TensorFlow, JAX or PyTorch, in float32 or in mixed
    precision (which is rebuilt in float32). It runs in inference: dropout is off, batch
    normalisation uses its moving statistics and is folded into the layer before it. The batch axis
    stays dynamic, but for TFLite. Beside the files appear `export_report.json`, for each file the
    samples with which `verify` can repeat the comparison, and in a bundle `model_card.md`. A file
    that is not proven does not appear, and an older one of its name stays unchanged. If an export
    is killed, all files appear or none: the next `export`, `verify` or `load` there completes it or
    rolls it back.

    Args:
        model: a built `keras.Model`: functional, Sequential, or subclassed with one argument.
            Every size but the batch must be known. Custom layers must be importable.
        path: file to write, whose suffix is the format (`.onnx`, `.tflite`); without suffix a
            SavedModel folder, or with `formats` a folder for a bundle.
        formats: for a bundle, any of `"saved_model"`, `"tflite"` and `"onnx"`. Default: the format
            of the path.
        precision: `"float32"` (default), `"float16"` (ONNX: weights and arithmetic, TFLite: the
            weights), `"dynamic_range"` (TFLite: int8 weights), `"int8"` (TFLite: all of it, with
            float32 input and output), `"int8_io"` (with int8 input and output); for a bundle
            several, and each format is written in those that it supports.
        name: prefix of the file names in a bundle. Default: "model".
        input_names: one tensor name per input, in the order of `model.inputs`. Default: the names
            of the input layers.
        output_names: the same for the outputs. Default: the model's output names. ONNX has one
            name space, so no input and output may share a name.
        samples: list of input batches to compare on, in addition to generated ones. A batch is an
            array (one input), a tuple of arrays in the order of the inputs, or a dictionary of
            arrays by input name; each array has shape `(batch, ...)`. Models with integer inputs
            need it. Default: None, a seeded normal, zeros and extremes.
        calibration: list of such batches with realistic values, at least 100 rows in all. int8
            takes its ranges from all but 26 random rows, on which the narrow precisions are then
            judged. Default: a standard normal, as for latents; a model of images needs it.
        metadata: dictionary of JSON-able values to add to the metadata of the files.
        tolerance: largest error of float32: absolute difference over max(1, largest expected
            value), on all inputs. For inputs ten times as large as a normal it is divided by ten,
            since rounding grows with the inputs. Default 1e-5: float32 rounding of a deep generator
            stays below it. Instance normalisation divides by what may be small: give it 1e-4.
        float32_psnr: least peak signal-to-noise ratio of float32, in dB, where the peak is the span
            of the outputs. Default 60: an error of a thousandth of the span, which matters for
            outputs so small that the tolerance would accept any.
        float16_tolerance: the same for float16, on samples and normal inputs. Default 1e-2: a
            float16 has 11 bits, 5e-4 of a value, and layers add up.
        float16_psnr: least peak signal-to-noise ratio of float16, in dB, of the worst sample.
            Default 50: the error is then below one grey level of 255.
        int8_psnr: the same for dynamic range and int8. Default 30: a common bound for
            lossy images. An int8 has 256 levels, too few for a bound on the absolute error.
        batch_size: the fixed batch size of TFLite files. Default: 1.
        opset: ONNX operator set, up to 18. Default 17.
        timeout: seconds for the child process that converts, and for each answer of a file.
        progress: called with the name of each stage: "check", "save", "convert", "compare",
            "write".

    Returns:
        An `ExportReport` of the artefacts of this call; print it for a table.

    Raises:
        ValueError: unknown suffix, format or precision, wrong names, bounds, samples or metadata.
        ImportError: a package the format needs is not installed.
        PreflightError: the model cannot be exported as it is.
        ParityError: an artefact, or the model itself, does not give the right values.
        ExportError: the folder cannot be written to, or the child process crashed or timed out.
            Artefacts that passed are in place nevertheless; `error.report` has the results of all.

    Example:
        >>> report = kgan.export.export(model, "generator.onnx", output_names=["image"])
        >>> print(report)
        >>> kgan.export.export(model, "bundle", ("tflite", "onnx"), ("float32", "float16"))
    """
    if progress is not None and not callable(progress):
        raise ValueError(f"progress must be a function. Received: {progress=!r}")
    say = progress or (lambda stage: None)
    started = time.perf_counter()
    say("check")
    check_path("path", path)
    plans = _plans(path, formats, precision, name)
    opset = numbers.count("opset", opset, most=NEWEST_OPSET)
    options = {"opset": opset, "batch_size": numbers.count("batch_size", batch_size)}
    _check_metadata(metadata)
    timeout = numbers.positive("timeout", timeout)
    limits = (tolerance, float32_psnr, float16_tolerance, float16_psnr, int8_psnr)
    bounds = parity.bounds(*limits)
    _check_older_report(plans[0].path.parent)
    with transaction.staging(plans[0].path) as folder:
        ready = preparation.prepare(
            model,
            folder,
            (input_names, output_names),
            samples,
            calibration,
            any(plan.precision.startswith("int8") for plan in plans),
            metadata or {},
            say,
        )
        say("convert")
        refused = {
            plan.path.name: preflight.refusal(model, plan.format.NAME, plan.precision)
            for plan in plans
        }
        possible = [plan for plan in plans if not refused[plan.path.name]]
        request = _request(ready, possible, folder, options)
        child_seconds, failed = launcher.convert(request, folder, timeout)
        say("compare")
        made = proof.prove(plans, folder, ready, bounds, options, refused | failed, timeout)
        say("write")
        times = {"seconds": time.perf_counter() - started, "child_seconds": child_seconds}
        made = [dataclasses.replace(artefact, **times) for artefact in made]
        return _put_in_place(made, plans, folder)


def check(
    model: "keras.Model",
    path: str | os.PathLike | None = None,
    formats: Sequence[str] | None = None,
    precision: str | Sequence[str] = "float32",
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    samples: list | None = None,
    calibration: list | None = None,
    **options: Any,
) -> preparation.Check:
    """Checks whether a model can be exported, without converting or writing anything.

    Args:
        model, path, formats, precision, input_names, output_names, samples, calibration: as for
            `export`.
            Without a path no folder is checked.
        **options: other arguments of `export`, which are ignored.

    Returns:
        A `Check`: the promised names, shapes and dtypes, and notes. Print it.

    Raises:
        As `export`, for everything that can be checked without the converter: random layers, layers
        that cannot be rebuilt elsewhere, unknown sizes, values that are not finite, missing
        samples.
    """
    unknown = set(options) - set(inspect.signature(export).parameters)
    if unknown:
        raise TypeError(f"export() takes no such argument. Received: {', '.join(sorted(unknown))}")
    if path is not None:
        check_path("path", path)
    plans = _plans("model" if path is None else path, formats, precision, "model", path is not None)
    int8 = any(plan.precision.startswith("int8") for plan in plans)
    with tempfile.TemporaryDirectory() as folder:
        names = (input_names, output_names)
        ready = preparation.prepare(model, Path(folder), names, samples, calibration, int8, {})
    refused = tuple(
        f"not {plan.format.NAME} {plan.precision}: {reason}"
        for plan in plans
        if (reason := preflight.refusal(model, plan.format.NAME, plan.precision))
    )
    return preparation.Check(ready.spec, ready.notes + refused)


def _plans(path, names, precision, name, look=True):
    plans = formats_.plan(path, names, precision, name)
    if look:
        transaction.recover(plans[0].path.parent)
    for plan in plans:
        preflight.require(plan.format.PACKAGES)
        if look:
            plan.check_place()
    return plans


def _request(ready, plans, folder, options):
    import keras

    return {
        "spec": dataclasses.asdict(ready.spec),
        "custom_objects": ready.custom_objects,
        "image_data_format": keras.config.image_data_format(),
        "artefacts": [
            {
                "name": plan.path.name,
                "format": plan.format.NAME,
                "precision": plan.precision,
                "path": str(folder / plan.path.name),
                "metadata": {
                    "precision": plan.precision,
                    "converter_versions": {
                        each: preparation.version(each) for each in plan.format.PACKAGES
                    },
                },
            }
            for plan in plans
        ],
        "options": {**options, "name": ready.name, "calibration": ready.calibration},
        "metadata": ready.metadata,
    }


def _put_in_place(made, plans, staging):
    """Moves artefacts that passed into place; raises an error if any did not."""
    folder = plans[0].path.parent
    made = report.ExportReport(folder, tuple(made))
    wrong = [artefact for artefact in made.artefacts if not artefact.passed]
    if len(wrong) < len(made.artefacts):
        with transaction.locked(folder):
            whole = report.merge(made)
            texts = {report.FILE: whole.to_json() + "\n"}
            if plans[0].bundle or (folder / model_card.FILE).exists():
                texts[model_card.FILE] = model_card.text(whole)
            for name, text in texts.items():
                (staging / name).write_text(text, encoding="utf-8")
            passed = [artefact for artefact in made.artefacts if artefact.passed]
            pairs = [(artefact.file, artefact.samples) for artefact in passed]
            transaction.commit(folder, staging, [*itertools.chain(*pairs), *texts])
    if wrong:
        kind = ParityError if any(each.verdict == report.FAILED for each in wrong) else ExportError
        reasons = [each.reason for each in wrong]
        if len(plans) > 1:
            reasons = [report.about(each.file, each.reason) for each in wrong]
            reasons.append(f"Passed and in place: {_passed(made)}.")
        error = kind("\n".join(reasons))
        error.report = made
        raise error
    return made


def _passed(made):
    return ", ".join(each.file for each in made.artefacts if each.passed) or "none"


def _check_older_report(folder):
    """Raises an ExportError early if an existing report cannot be extended."""
    path = folder / report.FILE
    try:
        if path.exists():
            report.read(path)
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError(
            f"{path} is damaged or of another version of kgan: remove it, or export into another "
            f"folder. Received: {type(error).__name__}: {error}"
        ) from error


def _check_metadata(metadata):
    metadata = {} if metadata is None else metadata
    try:
        if not isinstance(metadata, dict):
            raise TypeError("it is another thing")
        if not all(isinstance(key, str) for key in metadata):
            raise TypeError("a key is not a string")
        json.dumps(metadata, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"metadata is a dictionary of strings to JSON-able values; {error}. "
            f"Received: metadata={metadata!r}"
        ) from error
