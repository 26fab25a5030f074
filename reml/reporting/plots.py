"""Line plots as inline SVG, drawn by hand: no library, no script, readable in light and dark and without colour.

Points that no line joins have their names beside them, since dots are told apart by colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as Tree

_WIDTH, _HEIGHT = 360, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 12, 36
_COLOURS = 6
# Longer lines show no dots, which would hide them.
_DOTTED = 40
# The names of points: so many letters at most, about so wide each, in rows so high.
_LETTERS, _WIDE, _HIGH = 22, 6.2, 12.0
# With more ticks than these a logarithmic axis has room for powers of ten only.
_TICKS = 10


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a plot. `style` numbers its colour and dashes; a `joining` one has none, and no dots."""

    name: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    style: int
    joining: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines over common axes, linear but for x where it is `spread`: then by the logarithm, from `begins` on.

    `floor` and `ceiling` bound y where they are given; else the values do, as closely as round numbers can, but not
    beyond `within`. named: whether lines of one point are named beside it.
    """

    title: str
    x_label: str
    lines: tuple[Line, ...]
    floor: float | None = None
    ceiling: float | None = None
    within: tuple[float, float] = (-math.inf, math.inf)
    spread: bool = False
    begins: float = 1.0
    named: bool = False


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        value, low, high = (
            map(math.log, (value, self.low, self.high)) if self.logarithmic else (value, self.low, self.high)
        )
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    @property
    def ticks(self) -> list[float]:
        """The round numbers in it."""
        if not self.logarithmic:
            return ticks(self.low, self.high)
        powers = range(math.floor(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
        rounds = {factor: [float(f"{factor}e{power}") for power in powers] for factor in (1, 2, 5)}
        within = sorted(value for values in rounds.values() for value in values if self.low <= value <= self.high)
        return within if len(within) <= _TICKS else [value for value in rounds[1] if value in within]


def draw(plot: Plot) -> Tree.Element:
    """Draw a plot as an SVG element that says in words what it shows."""
    x, y = _scales(plot)
    summary = "; ".join(_said(line) for line in plot.lines if line.ys)
    attributes = {
        "viewBox": f"0 0 {_WIDTH} {_HEIGHT}",
        "role": "img",
        "class": "plot",
        "aria-label": f"{plot.title}, over {plot.x_label}. {summary}",
    }
    lines = [part for line in plot.lines for part in _line(line, x, y)]
    return element("svg", attributes, *_axes(plot, x, y), *lines, *(_names(plot, x, y) if plot.named else ()))


def legend(names: Sequence[str]) -> Tree.Element:
    """Name the lines of plots that share their styles: the i-th name is style i."""
    entries = []
    for style, name in enumerate(names):
        sample = element("line", {"x1": "1", "x2": "27", "y1": "5", "y2": "5", "class": _classes(style)})
        swatch = element("svg", {"viewBox": "0 0 28 10", "width": "28", "height": "10", "aria-hidden": "true"}, sample)
        swatch.tail = f" {name}"
        entries.append(element("li", {}, swatch))
    return element("ul", {"class": "legend"}, *entries)


def ticks(low: float, high: float) -> list[float]:
    """Give the round numbers from `low` to `high`, at most six of them."""
    step = _step(low, high)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def element(tag: str, attributes: Mapping[str, str], *children: Tree.Element | str) -> Tree.Element:
    """Make an element of a drawing; a text comes before its other children and is kept as a text."""
    made = Tree.Element(tag, dict(attributes))
    made.text = "".join(child for child in children if isinstance(child, str))
    made.extend(child for child in children if not isinstance(child, str))
    return made


def written(made: Tree.Element) -> str:
    """Write an element as HTML; no text in it can be taken for markup."""
    return Tree.tostring(made, encoding="unicode", method="html")


def _step(low: float, high: float) -> float:
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def _rounded(low: float, high: float) -> tuple[float, float]:
    low, high = _spread(low, high)
    step = _step(low, high)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def _scales(plot: Plot) -> tuple[_Scale, _Scale]:
    xs = [x for line in plot.lines for x in line.xs] or [0.0]
    ys = [y for line in plot.lines for y in line.ys] or [0.0]
    left, right = (plot.begins, max(2.5 * plot.begins, *xs)) if plot.spread else _spread(min(xs), max(xs))
    low, high = _rounded(
        min(ys) if plot.floor is None else plot.floor, max(ys) if plot.ceiling is None else plot.ceiling
    )
    least, most = plot.within
    up = _Scale(max(low, min(least, *ys)), min(high, max(most, *ys)), _HEIGHT - _BOTTOM, _TOP)
    return _Scale(left, right, _LEFT, _WIDTH - _RIGHT, plot.spread), up


def _spread(low: float, high: float) -> tuple[float, float]:
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _axes(plot: Plot, x: _Scale, y: _Scale) -> list[Tree.Element]:
    parts = []
    for value in y.ticks:
        at = _number(y(value))
        parts.append(
            element("line", {"x1": str(_LEFT), "x2": str(_WIDTH - _RIGHT), "y1": at, "y2": at, "class": "grid"})
        )
        parts.append(_label(_LEFT - 9, y(value) + 4, _short(value), "end"))
    parts += [_label(x(value), _HEIGHT - _BOTTOM + 16, _short(value), "middle") for value in x.ticks]
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    return [*parts, _label(middle, _HEIGHT - 4, plot.x_label, "middle")]


def _short(value: float) -> str:
    """Write the number of a tick in little room."""
    for least, unit, name in ((1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= least:
            return _number(value / unit) + name
    return _number(value)


def _label(x: float, y: float, text: str, anchor: str) -> Tree.Element:
    return element("text", {"x": _number(x), "y": _number(y), "text-anchor": anchor}, text)


def _line(line: Line, x: _Scale, y: _Scale) -> list[Tree.Element]:
    points = [(x(left), y(height)) for left, height in zip(line.xs, line.ys, strict=True)]
    path = " ".join(f"{left:.1f},{height:.1f}" for left, height in points)
    kind = "line joining" if line.joining else _classes(line.style)
    parts = [element("polyline", {"points": path, "class": kind})]
    if len(points) <= _DOTTED and not line.joining:
        parts += [
            _dot(at, line.style, f"{line.name}: {_number(height)} at {_number(left)}")
            for at, left, height in zip(points, line.xs, line.ys, strict=True)
        ]
    return parts


def _said(line: Line) -> str:
    """Say a line in words: where it begins and ends, or where its only point is."""
    first = _number(line.ys[0])
    if len(line.ys) == 1:
        return f"{line.name}: {first} at {_number(line.xs[0])}"
    return f"{line.name}: {first} to {_number(line.ys[-1])}"


def _names(plot: Plot, x: _Scale, y: _Scale) -> list[Tree.Element]:
    """Name points beside them in their colours, towards the middle, each on no other name or dot if there is room."""
    points = [(y(line.ys[0]), x(line.xs[0]), line.name, line.style) for line in plot.lines if len(line.xs) == 1]
    taken = [(at - 3, at + 3, height + 4) for height, at, *_ in points]
    middle, parts = (_LEFT + _WIDTH - _RIGHT) / 2, []
    for height, at, whole, style in sorted(points):
        name = whole if len(whole) <= _LETTERS else f"{whole[: _LETTERS - 1]}…"
        left = at + 6 if at <= middle else at - 6 - _WIDE * len(name)
        right = left + _WIDE * len(name)
        there = [other for start, end, other in taken if left < end and start < right]
        base = _free(height + 4, there)
        taken.append((left, right, base))
        made = _label(at + 6, base, name, "start") if at <= middle else _label(at - 6, base, name, "end")
        made.set("class", f"dot colour{style % _COLOURS}")
        parts.append(made)
    return parts


def _free(wanted: float, taken: Sequence[float]) -> float:
    """Give the row nearest to one that is wanted, within the plot and on no other; if all are taken, the nearest."""
    rows = sorted(range(_TOP + 8, _HEIGHT - _BOTTOM), key=lambda row: (abs(row - wanted), -row))
    return float(next((row for row in rows if all(abs(row - other) >= _HIGH for other in taken)), rows[0]))


def _dot(at: tuple[float, float], style: int, text: str) -> Tree.Element:
    attributes = {"cx": f"{at[0]:.1f}", "cy": f"{at[1]:.1f}", "r": "2.5", "class": f"dot colour{style % _COLOURS}"}
    return element("circle", attributes, element("title", {}, text))


def _classes(style: int) -> str:
    return f"line colour{style % _COLOURS} dash{style % 3}"


def _number(value: float) -> str:
    return f"{value:.4g}"
