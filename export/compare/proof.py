"""Proves converted files: each is compared with Keras and timed beside it, and gets its entry."""

import dataclasses

import numpy as np

from kgan.export import files, preparation, report
from kgan.export.compare import latency, parity, samples
from kgan.export.errors import ParityError


def prove(plans, folder, ready, bounds, options, failed, timeout):
    """Compares what was converted with Keras, and times what passes.

    Args:
        plans: list of `Plan`.
        folder: where the converted files are.
        ready: the `Job`, with Keras's answers.
        bounds: the `Bound` of each precision.
        options: options of the conversion, for the report.
        failed: reasons why files are not there, by name; empty reasons count for nothing.
        timeout: seconds that a file may take to load, or for one answer.

    Returns:
        A list of `Artefact`, one a plan, the times of the whole call still open.
    """
    made, runners = [], {}
    for plan in plans:
        bound, file = bounds[plan.precision], plan.path.name
        entry = _entry(plan, ready, bound, options)
        reason = failed.get(file, "")
        if not reason and not (folder / file).exists():
            reason = f"The converter process ended well but wrote no {file}."
        if not reason:
            entry = dataclasses.replace(entry, verdict=report.FAILED)
            try:
                runners[len(made)], figures = _compare(
                    file, plan.format, folder, ready, bound, timeout
                )
                entry = dataclasses.replace(entry, verdict=report.PASSED, **figures)
            except ParityError as error:
                reason = str(error)
        made.append(dataclasses.replace(entry, reason=reason))
    inputs = _one_batch(ready, options["batch_size"])
    timed = latency.measure(list(runners.values()), ready.call, inputs) if runners else []
    for index, figures in zip(runners, timed, strict=True):
        made[index] = dataclasses.replace(made[index], latency=figures)
    return made


def _entry(plan, ready, bound, options):
    return report.Artefact(
        file=plan.path.name,
        format=plan.format.NAME,
        precision=plan.precision,
        verdict=report.NOT_EXPORTED,
        tolerance=bound.tolerance,
        min_psnr=bound.psnr,
        inputs=ready.spec.inputs,
        outputs=ready.spec.outputs,
        training_backend=ready.metadata["training_backend"],
        source_sha256=ready.metadata["source_sha256"],
        versions={
            each: preparation.version(each) for each in ("kgan", "keras", *plan.format.PACKAGES)
        },
        options=options,
    )


def _compare(name, module, folder, ready, bound, timeout):
    """Compares one artefact in the staging folder; its runner, and the figures of its entry."""
    file, kept = folder / name, folder / f"{name}.samples.npz"
    runner = parity.load(module, file, name, latency.threads(), timeout)
    found = parity.compare(runner, ready.spec, ready.batches, ready.spans, bound, name)
    samples.save(kept, ready.batches, ready.spans)
    return runner, {
        **dataclasses.asdict(found),
        "bytes": files.size(file),
        "sha256": files.sha256(file),
        "samples": kept.name,
        "samples_sha256": files.sha256(kept),
        "batch_size": runner.batch_size,
        "metadata": runner.metadata,
    }


def _one_batch(ready, size):
    typical = next(batch for batch in ready.batches if batch.typical)
    return {
        name: np.resize(array, (size, *array.shape[1:])) for name, array in typical.inputs.items()
    }
