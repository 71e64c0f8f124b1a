"""The page: what is known of a run, laid out for people."""

import datetime
import importlib.resources
import itertools
import math
import re

from kgan.callbacks.epoch_picture import epoch_of
from kgan.export.untrusted.escape import html as _safe
from kgan.report import pictures
from kgan.report.curves import chart, colours
from kgan.report.labels import error_of, figure, labels_of, listed, title_of, words_of
from kgan.report.monitored import looks
from kgan.report.run import UNNAMED
from kgan.report.scores import best_and_last, by_file

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
            _best(run),
            _scores(run),
            _exports(run),
            _settings(run),
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


def _best(run):
    rows = [
        [
            words_of(name),
            f"{figure(best)} (epoch {epoch})",
            f"{figure(last)} (epoch {end})",
            "best.keras" if kept else "",
        ]
        for name, epoch, best, end, last, kept in best_and_last(run)
    ]
    if not rows:
        return ""
    doubt = run.settings.get("best_doubt")
    doubt = f" Of best.keras: {_safe(doubt)}." if doubt else ""
    note = f'<p class="soft">On validation data, after each epoch.{doubt}</p>'
    header = ["score", "best", "last", "kept in"]
    return f"<h2>Best and last epoch</h2>\n{note}{_table(header, rows)}"


def _scores(run):
    stale = ""
    if run.stale:
        stale = (
            f'<p class="soft">Left out: {_safe(", ".join(run.stale))}, of other weights than those '
            "in the folder.</p>"
        )
    if not run.scores:
        return (
            '<h2>Scores</h2>\n<p class="soft">None yet: kgan evaluate writes them with '
            f"--out scores.json into the folder.</p>{stale}"
        )
    parts = []
    for file, of, common, scores in by_file(run):
        rows = []
        for own, same in itertools.groupby(scores, lambda row: row[2]):
            same = list(same)
            own = listed({name: text for name, text in own.items() if name != "measure"})
            firsts = [[(own, len(same))], *[[]] * (len(same) - 1)]
            for (name, value, _), first in zip(same, firsts, strict=True):
                rows.append([words_of(name), figure(value), *first])
        known = f'<p class="soft">All: {_safe(listed(common))}</p>' if common else ""
        parts.append(
            f'<section class="scores"><h3>{_safe(of)} <span class="soft">in {_safe(file)}</span>'
            f"</h3>{known}{_table(['score', 'value', 'protocol'], rows)}</section>"
        )
    return "<h2>Scores</h2>\n" + "".join(parts) + stale


def _exports(run):
    if not run.exports:
        return '<h2>Exported files</h2>\n<p class="soft">There are none in the folder.</p>'
    parts = []
    for folder, (header, *rows), models in run.exports:
        place = "In the folder of the run" if folder == "." else folder
        if models - set(run.hashes):
            place += ": some are of weights that are not in the folder of the run (any more)"
        parts.append(f'<p class="soft">{_safe(place)}</p>{_table(header, rows)}')
    return "<h2>Exported files</h2>\n" + "".join(parts)


def _table(header, rows):
    head = "".join(f"<th>{_safe(cell)}</th>" for cell in header)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(content):
    """A cell of a text, or of one and the number of rows that it stands for."""
    text, rows = content if isinstance(content, tuple) else (content, 1)
    verdict = f' class="{text}"' if text in ("passed", "failed") else ""
    span = f' rowspan="{rows}"' if rows > 1 else ""
    return f"<td{verdict}{span}>{_safe(text)}</td>"


def _settings(run):
    tables = [
        (title, entries)
        for title, entries in (
            ("Settings", run.settings),
            ("The saved model", run.model),
            ("Versions", run.versions),
        )
        if entries
    ]
    cards = "".join(
        f'<section><h2>{title}</h2><table class="pairs"><tbody>'
        + "".join(
            f"<tr><td>{_safe(k.replace('_', ' '))}</td><td>{_safe(v)}</td></tr>"
            for k, v in entries.items()
        )
        + "</tbody></table></section>"
        for title, entries in tables
    )
    return f'<div class="two">{cards}</div>' if cards else ""


def _foot():
    today = datetime.date.today().isoformat()
    return f"<footer>Written by kgan report on {today}.</footer>"
