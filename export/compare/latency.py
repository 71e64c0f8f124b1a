"""How fast artefacts answer, beside Keras: in turns, so that all meet the same load."""

import os
import time

import numpy as np

SECONDS = 0.3
CALLS = 50


def threads():
    """How many threads the runtimes are given: the CPU cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def measure(runners, call, inputs, seconds=SECONDS):
    """Times loaded artefacts and the Keras model on one batch, in turns.

    Args:
        runners: list of what the formats' `load` returned.
        call: the Keras model, from a flat list of arrays.
        inputs: dictionary of arrays by input name, in the order of the model's inputs.
        seconds: how long each may be called, at least 5 and at most 50 times.

    Returns:
        A list of dictionaries, one a runner: `batch`, `threads`, `median_ms`, `p90_ms` and
        `keras_median_ms`.
    """
    callables = [*runners, lambda values: call(list(values.values()))]
    times = [[] for _ in callables]
    for each in callables:  # the first call may compile
        each(inputs)
    started = time.perf_counter()
    while len(times[0]) < 5 or (
        len(times[0]) < CALLS and time.perf_counter() - started < seconds * len(callables)
    ):
        for each, spent in zip(callables, times, strict=True):
            begun = time.perf_counter()
            each(inputs)
            # A runner in a process of its own knows better what the call itself took.
            spent.append(getattr(each, "seconds", None) or time.perf_counter() - begun)
    *own, keras = ([1000 * second for second in spent] for spent in times)
    return [
        {
            "batch": len(next(iter(inputs.values()))),
            "threads": threads(),
            "median_ms": float(np.median(spent)),
            "p90_ms": float(np.quantile(spent, 0.9)),
            "keras_median_ms": float(np.median(keras)),
        }
        for spent in own
    ]
