"""What `gpu.py` makes of its measurements: a Markdown table with a row for each, and its notes.

python benchmarks/gpu.py --out results.json
"""

import statistics

from report import cell, spread

RIVAL = "plain-torch"
COLUMNS = (
    "model",
    "px",
    "precision",
    "contestant",
    "images/s (lowest to highest)",
    f"time over {RIVAL}'s (lowest to highest)",
    "peak GPU MiB",
    "loss scale D, G",
    "skipped updates D, G",
    "losses",
)
HEADER = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"


def compare(results):
    """Gives each contestant that ran to the end `over`: the spread of its time over the rival's."""
    times = {name: _seconds(found) for name, found in results.items() if "failed" not in found}
    for name, seconds in times.items():
        if name != RIVAL and RIVAL in times:
            results[name]["over"] = spread(seconds, times[RIVAL])


def row(name, result, settings):
    """Returns a contestant's row of the table."""
    cells = [settings["model"], settings["size"], settings["precision"], name]
    if "failed" in result:
        cells.append(f"failed: {_short(result['failed'])}")
    else:
        images = settings["steps"] * settings["batch"]
        speeds = [images / seconds for seconds in _seconds(result)]
        peak = result["peak_bytes"][-1]
        finite = all(loss is not None for losses in result["losses"] for loss in losses)
        cells += [
            f"{statistics.median(speeds):.0f} ({min(speeds):.0f} to {max(speeds):.0f})",
            cell(result["over"]) if "over" in result else "",
            "not known" if peak is None else f"{peak / 2**20:.0f}",
            ", ".join(f"{scale:g}" for scale in result["loss_scales"][-1]) or "none",
            ", ".join(map(str, result["skipped_updates"][-1])),
            "finite" if finite else "**not finite**",
        ]
    cells += [""] * (len(COLUMNS) - len(cells))
    return f"| {' | '.join(map(str, cells))} |"


def notes(report):
    """Returns what the table does not say: devices, versions and what float32 means."""
    settings = report["settings"]
    facts = {}
    for found in report["measurements"]:
        if "version" in found:
            facts[found["contestant"]] = (
                f"{found['version']} on {found['device']}; {found['notes']}; "
                f"float32: {found['float32']}"
            )
    tf32 = "on" if settings["tf32"] else "off"
    lines = [
        "",
        f"Width {settings['width']}, batch {settings['batch']}, {settings['rounds']} rounds of "
        f"{settings['steps']} steps. TF32: {tf32}, on both sides alike, in convolutions and in "
        "matrix products (a CPU has none). Peak memory is what the framework's allocator counts "
        "from the start, its trials of kernels included. Loss scale: after the last round. "
        "Skipped updates: all so far, warm-up included.",
        "",
        *(f"- {name}: {fact}" for name, fact in facts.items()),
    ]
    return "\n".join(lines)


def _seconds(result):
    """From the first step of each round to the end of its last."""
    pairs = zip(result["seconds"], result["start_seconds"], strict=True)
    return [seconds - before for seconds, before in pairs]


def _short(reason):
    """The ends of an error, in one cell of the table."""
    lines = [line.strip()[:120] for line in reason.strip().splitlines()]
    ends = lines if len(lines) < 2 else [lines[0], lines[-1]]
    return " ... ".join(ends).replace("|", "/")
