"""What measures say of a run: its best epoch beside the last one, and the scores of its files."""

import itertools
import math
import re

from kgan import metrics
from kgan.metrics.protocol import in_common

BEST = {"lower": min, "higher": max}
CHOOSE = {
    name: BEST[end]
    for measure in metrics.__all__
    for name, end in getattr(getattr(metrics, measure), "better", {}).items()
}


def best_and_last(run):
    """What the log tells of the measures after each epoch: a GAN often ends past its best.

    Args:
        run: a `kgan.report.run.Run`.

    Returns:
        List of `(name, best epoch, best value, last epoch, last value, kept)`, where `kept` says
        whether `best.keras` in the folder is of that best epoch; such a one comes first.
    """
    kept = run.settings.get("best") if (run.folder / "best.keras").is_file() else None
    found = []
    for name, values in run.log.items():
        choose = _choose(name)
        known = [
            (value, epoch)
            for value, epoch in zip(values, run.epochs, strict=True)
            if math.isfinite(value)
        ]
        if choose and known:
            value, epoch = choose(known, key=lambda pair: pair[0])
            last, end = known[-1]
            found.append((name.removeprefix("val_"), epoch, value, end, last, name == kept))
    return sorted(found, key=lambda row: not row[-1])


def by_file(run):
    """The scores of each file that was measured, with what is common to their protocols.

    Args:
        run: a `kgan.report.run.Run`.

    Returns:
        List of `(file, of, common protocol, rows)`, a row being the name, value and own protocol.
    """
    found = []
    for (file, of), scores in itertools.groupby(run.scores, lambda s: (s["file"], s["of"])):
        scores = list(scores)
        common = in_common([score["protocol"] for score in scores])
        rows = [
            (
                score["name"],
                score["value"],
                {k: v for k, v in score["protocol"].items() if k not in common},
            )
            for score in scores
        ]
        found.append((file, of, common, rows))
    return found


def _choose(name):
    """What picks the best of the values of a column of the log, or None."""
    score = re.fullmatch(r"val_(.+?)(_[ab])?", name)
    return CHOOSE.get(score[1]) if score else None
