"""What `train_step.py` makes of its measurements: ratios, a Markdown table, a note of the machine.

python benchmarks/train_step.py --out results.json
"""

import contextlib
import datetime
import importlib.metadata
import os
import platform
import statistics
import subprocess
from pathlib import Path


def ratios(results, rivals_of):
    """Compares every kgan contestant with the fastest of its plain loops, round by round.

    Args:
        results: for each contestant its measurements, as `measure` in `train_step.py` returns them.
        rivals_of: for each contestant the plain loops to compare it with.

    Returns:
        For each a dictionary: `against`, and for the time up to the end of the last `step` and for
        the `whole` call the `median`, `lowest` and `highest` of its time over the plain loop's:
        1.25 means that kgan takes a quarter longer.
    """
    comparisons = {}
    for name, result in results.items():
        rivals = [rival for rival in rivals_of[name] if rival in results]
        if rivals:
            rival = min(rivals, key=lambda rival: statistics.median(results[rival]["seconds"]))
            comparisons[name] = {
                "against": rival,
                "step": spread(_until_last_step(result), results[rival]["seconds"]),
                "whole": spread(result["seconds"], results[rival]["seconds"]),
            }
    return comparisons


def table(results, comparisons, steps, batch):
    """Returns the report as a Markdown table."""
    lines = [
        "| contestant | ms a step (lowest to highest) | images/s | processor ms a step "
        "| over the plain loop | whole `fit` over it |",
        "|---|---|---|---|---|---|",
    ]
    for name, result in results.items():
        times = [1000 * seconds / steps for seconds in _until_last_step(result)]
        middle = statistics.median(times)
        processor = 1000 * statistics.median(result["processor_seconds"]) / steps
        step = whole = ""
        if found := comparisons.get(name):
            step = f"{cell(found['step'])} of {found['against']}"
            whole = cell(found["whole"])
        lines.append(
            f"| {name} | {middle:.0f} ({min(times):.0f} to {max(times):.0f}) "
            f"| {1000 * batch / middle:.0f} | {processor:.0f} | {step} | {whole} |"
        )
    for when, key in (
        ("before its first step", "start_seconds"),
        ("after its last", "end_seconds"),
    ):
        parts = [
            f"{name} {1000 * statistics.median(results[name][key]):.0f} ms" for name in comparisons
        ]
        if parts:
            lines += ["", f"In a round, `fit` takes {when}: {', '.join(parts)}."]
    others = [value for result in results.values() for value in result["others"]]
    if others:
        mean, most = statistics.mean(others), max(others)
        lines += [
            "",
            f"Meanwhile other work kept {mean:.1f} of {os.cpu_count()} cores busy on average, "
            f"{most:.1f} at most.",
        ]
    return "\n".join(lines)


def _until_last_step(result):
    pairs = zip(result["seconds"], result["end_seconds"], strict=True)
    return [seconds - end for seconds, end in pairs]


def spread(own, others):
    """The ratios of times measured in the same rounds."""
    values = [a / b for a, b in zip(own, others, strict=True)]
    return {"median": statistics.median(values), "lowest": min(values), "highest": max(values)}


def cell(ratio):
    """A spread as it is shown in a table."""
    return f"**{ratio['median']:.2f}** ({ratio['lowest']:.2f} to {ratio['highest']:.2f})"


def _git(*arguments):
    folder = Path(__file__).parent
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        return subprocess.check_output(
            ["git", *arguments], cwd=folder, stderr=subprocess.DEVNULL, text=True
        ).strip()
    return None


def busy_seconds():
    """Processor seconds that everything on the machine has used, or None if it does not tell."""
    try:
        line = Path("/proc/stat").read_text().splitlines()[0]
    except OSError:
        return None
    user, nice, system, _, _, *interrupts = map(int, line.split()[1:9])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def machine():
    """What the figures depend on."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    versions = {"python": platform.python_version()}
    for package in ("kgan", "keras", "numpy", "tensorflow", "jax", "torch"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "versions": versions,
        # A figure belongs to one state of the code.
        "commit": _git("rev-parse", "HEAD"),
        "changed": _git("status", "--porcelain", "--", "../kgan", "../export"),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
