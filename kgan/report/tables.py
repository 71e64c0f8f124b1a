"""The parts of the page that are tables, each as HTML."""

import itertools

from kgan.export.untrusted.escape import html as _safe
from kgan.report.labels import figure, listed, words_of
from kgan.report.scores import best_and_last, by_file


def best(run):
    """The best epoch beside the last one, by each measure after each epoch."""
    rows = [
        [
            words_of(name),
            f"{figure(value)} (epoch {epoch})",
            f"{figure(last)} (epoch {end})",
            "best.keras" if kept else "",
        ]
        for name, epoch, value, end, last, kept in best_and_last(run)
    ]
    if not rows:
        return ""
    doubt = run.settings.get("best_doubt")
    doubt = f" Of best.keras: {_safe(doubt)}." if doubt else ""
    note = f'<p class="soft">On validation data, after each epoch.{doubt}</p>'
    header = ["score", "best", "last", "kept in"]
    return f"<h2>Best and last epoch</h2>\n{note}{_table(header, rows)}"


def scores(run):
    """The scores of the files that were measured."""
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
    for file, of, common, found in by_file(run):
        rows = []
        for own, same in itertools.groupby(found, lambda row: row[2]):
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


def exports(run):
    """The exported files with what was proven of them."""
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


def settings(run):
    """What was asked for, what the saved model says of itself, and versions."""
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
