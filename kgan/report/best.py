"""The best epoch by each measure beside the last one: a GAN often ends past its best."""

import math
import re

LOWER = "frechet_distance|kernel_distance|sliced_wasserstein|kl_to_uniform"
HIGHER = "precision|recall|density|coverage|modes|high_quality"


def best_and_last(run):
    """What the log tells of the measures after each epoch.

    Args:
        run: a `kgan.report.run.Run`.

    Returns:
        List of `(name, best epoch, best value, last epoch, last value, kept)`, where `kept` says
        whether `best.keras` in the folder is of that best epoch.
    """
    kept = run.settings.get("best") if "best.keras" in run.hashes.values() else None
    found = []
    for name, values in run.log.items():
        choose = next(
            (c for c, names in ((min, LOWER), (max, HIGHER)) if _is_one(name, names)), None
        )
        known = [
            (value, epoch)
            for value, epoch in zip(values, run.epochs, strict=True)
            if math.isfinite(value)
        ]
        if choose and known:
            value, epoch = choose(known, key=lambda pair: pair[0])
            last, end = known[-1]
            found.append((name.removeprefix("val_"), epoch, value, end, last, name == kept))
    return found


def _is_one(name, names):
    return re.fullmatch(rf"val_({names})(_[ab])?", name)
