"""Curves as inline SVG, whose colours come from the page: light, dark and in print."""

import math

from kgan.export.untrusted.escape import html

WIDTH, HEIGHT = 480, 230
LARGEST = 1e150  # what is beyond is as good as infinite
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 12, 30


def chart(epochs, series, log=False, marks=(), errors=None):
    """Returns an SVG of values over epochs.

    Args:
        epochs: the numbers of the epochs.
        series: list of `(name, values)`; a name that begins with `val_` is drawn in the colour of
            the one without, dashed.
        log: whether the axis is logarithmic; values that are not positive are then left out.
        marks: epochs to mark by a line from top to bottom.
        errors: standard errors by name of the series that have them, drawn as bands.
    """
    bands = [
        (name, [[v - e, v + e] for v, e in zip(values, errors[name], strict=True)])
        for name, values in series
        if name in (errors or ())
    ]
    shown = [value for _, values in series for value in values if _drawn(value, log)]
    shown += [end for _, band in bands for pair in band for end in pair if _drawn(end, log)]
    scale = _logarithmic(shown) if log and shown else _linear(shown or [0, 1])
    low, high, ticks, place = scale
    first, last = epochs[0], max(epochs[-1], epochs[0] + 1)

    def x(epoch):
        return LEFT + (WIDTH - LEFT - RIGHT) * (epoch - first) / (last - first)

    def y(value):
        share = (place(value) - low) / (high - low)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{html(", ".join(name for name, _ in series))} by epoch">'
    ]
    for tick in ticks:
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" '
            f'y2="{y(tick):.1f}"/><text class="tick" x="{LEFT - 8}" y="{y(tick) + 4:.1f}" '
            f'text-anchor="end">{_label(tick)}</text>'
        )
    for tick in _whole(first, last):
        parts.append(
            f'<text class="tick" x="{x(tick):.1f}" y="{HEIGHT - 9}" '
            f'text-anchor="middle">{tick}</text>'
        )
    for epoch in marks:
        parts.append(
            f'<line class="mark" x1="{x(epoch):.1f}" x2="{x(epoch):.1f}" y1="{TOP}" '
            f'y2="{HEIGHT - BOTTOM}"/>'
        )
    of = dict(zip([name for name, _ in series], colours(series), strict=True))
    for name, band in bands:
        below, above = (_pieces(epochs, [pair[i] for pair in band], log) for i in (0, 1))
        for bottom, top in zip(below, above, strict=False):
            edge = " ".join(f"{x(e):.1f},{y(value):.1f}" for e, value in [*bottom, *top[::-1]])
            parts.append(f'<polygon class="band c{of[name]}" points="{edge}"/>')
    for name, values in series:
        colour = of[name]
        dashed = " dashed" if name.startswith("val_") else ""
        for points in _pieces(epochs, values, log):
            if len(points) == 1:
                ((epoch, value),) = points
                parts.append(
                    f'<circle class="dot c{colour}" cx="{x(epoch):.1f}" cy="{y(value):.1f}" r="3"/>'
                )
            else:
                path = " ".join(f"{x(epoch):.1f},{y(value):.1f}" for epoch, value in points)
                parts.append(f'<polyline class="line c{colour}{dashed}" points="{path}"/>')
    return "".join([*parts, "</svg>"])


def colours(series):
    """The number of the colour of each: a name has one, with `val_` or without."""
    names = list(dict.fromkeys(name.removeprefix("val_") for name, _ in series))
    return [names.index(name.removeprefix("val_")) % 6 for name, _ in series]


def _drawn(value, log):
    return abs(value) < LARGEST and (value > 0 or not log)


def _pieces(epochs, values, log):
    """Runs of points without a gap."""
    pieces, points = [], []
    for epoch, value in zip(epochs, values, strict=True):
        if _drawn(value, log):
            points.append((epoch, value))
        elif points:
            pieces.append(points)
            points = []
    return [*pieces, points] if points else pieces


def _linear(values):
    low, high = min(values), max(values)
    if high - low < 1e-9 * max(abs(low), abs(high), 1e-9):
        margin = abs(low) / 2 or 1
        low, high = low - margin, high + margin
    step = _step((high - low) / 4)
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    ticks = [low + i * step for i in range(round((high - low) / step) + 1)]
    return low, high, ticks, lambda value: value


def _logarithmic(values):
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)
    step = -(-(high - low) // 5)
    ticks = [10.0**power for power in range(low, high + 1, step)]
    if high - low <= 2:
        finer = [10.0**power * part for power in range(low, high) for part in (1, 2, 5)]
        ticks = [*finer, 10.0**high]
        while len(ticks) > 2 and ticks[1] <= min(values):
            del ticks[0]
        while len(ticks) > 2 and ticks[-2] >= max(values):
            del ticks[-1]
    return (
        math.log10(ticks[0]),
        max(math.log10(max(values)), math.log10(ticks[-1])),
        ticks,
        math.log10,
    )


def _step(rough):
    power = 10 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= rough * 0.999)


def _whole(first, last):
    step = max(1, round(_step((last - first) / 6)))
    inner = range(-(-first // step) * step, last + 1, step)
    return [first, *(tick for tick in inner if tick - first >= step * 0.6)]


def _label(value):
    if value == 0:
        return "0"
    if abs(value) >= 1e5 or abs(value) < 1e-3:
        mantissa, power = f"{value:.1e}".split("e")
        times = "" if mantissa == "1.0" else f"{mantissa.removesuffix('.0')}·"
        return f'{times}10<tspan dy="-4" font-size="8">{int(power)}</tspan>'
    return f"{value:.6g}"
