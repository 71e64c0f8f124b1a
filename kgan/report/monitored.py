"""What the monitor looked for in a run and how often, and what it could not find."""

import math

from kgan.callbacks.monitor.rules import LOOKS, RULES

COMPARING = ("wasserstein", "relativistic")  # games without a limit between real and fake


def looks(run):
    """Returns two texts: what was looked for, and what was not and why; empty where nothing was.

    Args:
        run: a `kgan.report.run.Run` with epochs.
    """
    game = run.model.get("loss") or run.settings.get("loss") or ""
    found, missed = looked_for(run.log, game.partition("(")[0].lower() in COMPARING)
    often = {}
    for what, times in found:
        often.setdefault(times, []).append(f"of {what}")
    seen = "; ".join(
        f"{_series(each)}, in {times} epoch{'s' * (times > 1)}" for times, each in often.items()
    )
    return seen, "; ".join(f"{what} ({why})" for what, why in missed)


def looked_for(log, compares=False):
    """Says what the rules of `kgan.callbacks.monitor.rules` could find, and what they could not.

    Args:
        log: name to values, one a look, NaN where there is none.
        compares: whether the game compares scores, without a limit between real and fake.

    Returns:
        `(found, missed)`: a list of `(what, times)`, how many looks there were at it, and a list of
        `(what, why)`.
    """
    found, missed = [], []
    for rule in RULES:
        columns = [log.get(name, ()) for name in rule.needs]
        absent = [
            name
            for name, values in zip(rule.needs, columns, strict=True)
            if not any(map(math.isfinite, values))
        ]
        times = sum(all(map(math.isfinite, row)) for row in zip(*columns, strict=False))
        least = max(rule.least, LOOKS if rule.patient else 1)
        if absent:
            missed.append((rule.finds, f"{' and '.join(absent)} not in the log"))
        elif rule.name == "discriminator_wins" and compares:
            missed.append((rule.finds, "the game compares scores"))
        elif times < least:
            missed.append((rule.finds, f"seen {times} times, where it takes {least}"))
        else:
            found.append((rule.finds, times))
    return found, missed


def _series(words):
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
