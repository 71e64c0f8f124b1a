"""The page: what is known of a run, laid out for people."""

import datetime
import importlib.resources
import math
import re

from kgan.callbacks.epoch_picture import epoch_of
from kgan.export.untrusted.escape import html as _safe
from kgan.report import pictures, tables
from kgan.report.curves import chart, colours
from kgan.report.labels import error_of, figure, labels_of, title_of
from kgan.report.monitored import looks
from kgan.report.run import UNNAMED

SHARES = "(precision|recall|density|coverage)"
GROUPS = (
    ("Losses", r"(val_)?(generator|discriminator)_loss", False),
    ("What the discriminator thinks", r"(val_)?(real|fake)_(probability|score)", False),
    ("Its accuracy", r"discriminator_accuracy_(real|fake)", False),
    ("Variety beside real images", r"diversity|distinctness", False),
    ("Norms of the gradients", r"(generator|discriminator)_gradient", True),
    ("The generator's loss over the discriminator's", r"loss_ratio", True),
    ("Names of the classes", r"(val_)?(real|fake)_accuracy", False),
    ("Updates skipped by the loss scales", r"\w+_skipped_updates", False),
    ("Terms of the generator's loss", r"(val_)?generator_\w+", False),
    ("Terms of the discriminator's loss", r"(val_)?discriminator_\w+", False),
    ("Learning rates", r"learning_rate\w*", False),
    ("Share of images near a mode", r"(val_)?high_quality(_real)?", False),
    ("Unevenness of the modes: KL to uniform", r"(val_)?kl_to_uniform(_real)?", False),
    ("Precision, recall, density and coverage", rf"val_{SHARES}", False),
    ("Precision, recall, density and coverage, domain A", rf"val_{SHARES}_a", False),
    ("Precision, recall, density and coverage, domain B", rf"val_{SHARES}_b", False),
)
SECOND = "generator|fake|distinctness"  # has the second colour, in every chart
MARK = b'<meta name="generator" content="kgan report">'
KEY_SETTINGS = ("data", "model", "loss", "network", "backend")


def page(run):
    """Returns the HTML of a `kgan.report.run.Run`."""
    style = importlib.resources.files("kgan.report").joinpath("style.css").read_text("utf-8")
    name = run.folder.resolve().name
    body = "\n".join(
        part
        for part in (
            _head(run, name),
            _words(run),
            _curves(run),
            _strip(run),
            tables.best(run),
            tables.scores(run),
            tables.exports(run),
            tables.settings(run),
            _foot(),
        )
        if part
    )
    # The policy makes the browser itself refuse anything that is not in this file.
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="generator" content="kgan report">
<title>{_safe(name)}: a kgan run</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def _head(run, name):
    facts = {**run.model, **run.settings}
    about = " · ".join(_safe(facts[key]) for key in KEY_SETTINGS if facts.get(key))
    entries = []
    if run.epochs:
        entries.append(("Epochs", f"{run.epochs[-1]:,}"))
    if run.settings.get("minutes"):
        entries.append(("Minutes", run.settings["minutes"]))
    for key in ("generator_loss", "discriminator_loss", "diversity", "distinctness"):
        values = [value for value in run.log.get(key, ()) if math.isfinite(value)]
        if values:
            entries.append((title_of(key), figure(values[-1])))
    errors = {error_of(score["name"]) for score in run.scores}
    final = [
        score
        for score in run.scores
        if score["of"] in ("gan.keras", UNNAMED) and score["name"] not in errors
    ]
    for score in final[:2]:
        entries.append((f"{title_of(score['name'])} ({score['file']})", figure(score["value"])))
    figures = "".join(f"<div><dt>{_safe(k)}</dt><dd>{_safe(v)}</dd></div>" for k, v in entries)
    shown = ""
    if run.pictures:
        last = pictures.still(run.pictures[-1])
        moving = pictures.film(run.pictures) if len(run.pictures) > 1 else last
        first, end = (epoch_of(run.pictures[i]) for i in (0, -1))
        of = f"Samples of epoch {end}"
        if first < end:
            of = f"The same samples from epoch {first} to {end}"
        # In print, and for those who want nothing to move, the last picture.
        shown = (
            '<figure><picture><source media="(prefers-reduced-motion: reduce), print" '
            f'srcset="{last}"><img src="{moving}" alt="Samples from epoch to epoch"></picture>'
            f"<figcaption>{of}</figcaption></figure>"
        )
    bare = "" if shown else " bare"
    unreadable = ""
    if run.unreadable:
        files = _safe(", ".join(run.unreadable))
        unreadable = f'<p class="unreadable">Could not be read: {files}.</p>'
    return (
        f'<header><h1>{_safe(name)}</h1><p class="about">{about}</p>{unreadable}</header>\n'
        f'<section class="hero{bare}">{shown}<dl class="figures">{figures}</dl></section>'
    )


def _words(run):
    if run.warnings is None:
        return ""
    if not run.warnings:
        said = '<p class="soft">Nothing, as far as the folder tells.</p>'
        if run.epochs and not run.unreadable:
            seen, unseen = looks(run)
            said = f'<p class="well">Nothing: no sign {_safe(seen)}.</p>'
            said = (said if seen else '<p class="soft">Nothing.</p>') + _unseen(unseen)
        return f"<h2>What the monitor said</h2>\n{said}"
    items = "".join(
        f'<li><span class="when">Epoch {_safe(w["epoch"])}</span>{_safe(w["text"])}'
        f"<p>{_safe(w.get('remedies', ''))}</p></li>"
        for w in run.warnings
    )
    unseen = _unseen(looks(run)[1]) if run.epochs else ""
    return f'<h2>What the monitor said</h2>\n<ul class="words">{items}</ul>{unseen}'


def _unseen(what):
    return f'<p class="soft">Not looked for: {_safe(what)}.</p>' if what else ""


def _curves(run):
    if not run.log or not run.epochs:
        there = (run.folder / "log.csv").is_file()
        why = (
            "No epoch can be read from log.csv." if there else "There is no log.csv in the folder."
        )
        return f'<h2>Curves</h2>\n<p class="soft">{why}</p>'
    left = dict(run.log)
    cards = []
    for title, pattern, log in GROUPS:
        series = [(name, left.pop(name)) for name in list(left) if re.fullmatch(pattern, name)]
        if series:
            series.sort(key=lambda entry: bool(re.search(SECOND, entry[0])))
            cards.append(_card(run, title, series, log))
    errors = {name: left.pop(error) for name in list(left) if (error := error_of(name)) in left}
    for name in [
        name for name in left if name.removeprefix("val_") not in left or name[:4] != "val_"
    ]:
        same = [(n, left[n]) for n in (name, f"val_{name}") if n in left]
        cards.append(_card(run, title_of(name), same, False, errors))
    return f'<h2>Curves</h2>\n<div class="curves">{"".join(cards)}</div>'


def _card(run, title, series, log, errors=None):
    errors = errors or {}
    labels = labels_of([name for name, _ in series])
    if title == title_of(series[0][0]):
        labels = ["last"] if len(series) == 1 else labels
    legend = "".join(
        f'<li><i class="c{colour}{" dashed" if name.startswith("val_") else ""}"></i>'
        f"{_safe(label)} <b>{figure(values[-1])}</b>"
        + (f" ± {figure(errors[name][-1])}</li>" if name in errors else "</li>")
        for (name, values), label, colour in zip(series, labels, colours(series), strict=True)
    )
    marks = sorted({int(w["epoch"]) for w in run.warnings or ()} & set(run.epochs))
    svg = chart(run.epochs, series, log, marks, errors)
    return f'<div class="card"><h3>{_safe(title)}</h3><ul class="legend">{legend}</ul>{svg}</div>'


def _strip(run):
    if len(run.pictures) < 2:
        word = "is one picture" if run.pictures else "are no pictures"
        return f'<h2>Samples over time</h2>\n<p class="soft">There {word} in samples/.</p>'
    figures = "".join(
        f'<figure><img src="{address}" alt="Samples of epoch {epoch}">'
        f"<figcaption>Epoch {epoch}</figcaption></figure>"
        for epoch, address in pictures.strip(run.pictures)
    )
    return f'<h2>Samples over time</h2>\n<div class="strip">{figures}</div>'


def _foot():
    today = datetime.date.today().isoformat()
    return f"<footer>Written by kgan report on {today}.</footer>"
