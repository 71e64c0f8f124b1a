"""Names and figures of the logs, as people read them."""

import math
import re


def labels_of(names):
    """The names in words, without those that all of them have."""
    bare = [name.removeprefix("val_") for name in names]
    if any(f"{name}_real" in bare for name in bare):  # a score of both kinds of images
        names = [name if name.endswith("_real") else f"{name}_generated" for name in names]
    words = [name.removeprefix("val_").split("_") for name in names]
    common = set.intersection(*map(set, words)) if len({*map(tuple, words)}) > 1 else set()
    own = [" ".join(w for w in each if w not in common) or each[0] for each in words]
    return [
        f"{label} (validation)" if name.startswith("val_") else label
        for name, label in zip(names, own, strict=True)
    ]


def words_of(name):
    """A name of the logs, in words."""
    validation = name.startswith("val_")
    words = (
        name.removeprefix("val_")
        .replace("_", " ")
        .replace("frechet", "Fréchet")
        .replace("kl ", "KL ")
    )
    words = re.sub(r" ([ab])$", lambda domain: f", domain {domain[1].upper()}", words)
    return f"{words} (validation)" if validation else words


def title_of(name):
    words = words_of(name)
    return words[:1].upper() + words[1:]


def error_of(name):
    """What the standard error of a score is called: its domain stays at the end."""
    return re.sub(r"(?=(_[ab])?$)", "_error", name, count=1)


def listed(protocol):
    return "; ".join(f"{name}: {value}" for name, value in protocol.items())


def figure(value):
    return f"{value:.4g}" if math.isfinite(value) else str(value)
