"""Specifications of the certificate's pictures, as plain Vega dictionaries: dumbbells and stacked bars.

As in :mod:`primum.report.pictures`, every position is given and texts are data, never expressions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from primum.report.pictures import GRID, INK, LEFT, QUIET, SERIES_COLOURS, TOP, WIDTH, Axis, Spec, ground_marks, tick_marks
from primum.report.visible_text import wrap_label

Finding = Literal["better", "worse", "unclear", "none"]
# Blue to orange through grey: told apart in grey print and by readers who do not see red and green.
LEVEL_COLOURS: Final = ("#1f5f99", "#8fb3d4", "#dcdcdc", "#eaa566", "#b4530a")
_FINDING_COLOURS: Final = {"better": SERIES_COLOURS[0], "worse": SERIES_COLOURS[1], "unclear": QUIET, "none": QUIET}
_FINDING_SHAPES: Final = {"better": "circle", "worse": "diamond", "unclear": "circle", "none": "circle"}
_RIGHT: Final = 304
_FONT: Final = 12
_LINE: Final = 14
_PLOT_LINE: Final = 17
_ABOVE: Final = 5
_BELOW: Final = 5
_STRIPE: Final = "#f5f7f8"
_STEPS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
_TICKS_A_SIDE: Final = 3
_BAR: Final = 16
_NARROWEST: Final = 30


@dataclass(frozen=True, slots=True)
class Dumbbell:
    """One name before and after.

    Attributes:
        label: Its name.
        before: Value before; None where nothing can be compared.
        after: Value after.
        low: Lower end of the change's interval, from the value before.
        high: Its upper end.
        note: At the right of the points, such as the difference; or in their place where there are none.
        count: At the right of the name, such as ``n = 120``.
        finding: Decides colour and shape.
    """

    label: str
    before: float | None
    after: float | None
    low: float | None
    high: float | None
    note: str
    count: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a stacked bar: its length, its colour and its text (shown where it fits)."""

    size: float
    colour: str
    text: str
    ink: str = "#ffffff"


@dataclass(frozen=True, slots=True)
class StackedRow:
    """One stacked bar with its name above and a note at the right."""

    label: str
    segments: tuple[Segment, ...]
    note: str


def difference_axis(ends: Sequence[float], *, percent: bool) -> Axis:
    """An axis around no difference that holds all ``ends``, with round ticks."""
    reach = max((abs(end) for end in ends), default=0.0)
    step = next((step for step in _STEPS if step * _TICKS_A_SIDE >= reach), math.ceil(reach / _TICKS_A_SIDE))
    last = max(1, math.ceil(round(reach / step, 9)))
    ticks = tuple(
        (round(step * place, 9), "0" if place == 0 else f"{step * place * (100 if percent else 1):+.6g}") for place in range(-last, last + 1)
    )
    return Axis(low=-step * last, high=step * last, ticks=ticks, strong=0.0)


def dumbbell_plot(rows: Sequence[Dumbbell], axis: Axis) -> Spec:
    """Before and after on one line, one block a name."""
    labels: list[Spec] = []
    marks: list[Spec] = []
    stripes: list[Spec] = []
    bands: list[Spec] = []
    top = float(TOP)
    for place, row in enumerate(rows):
        lines = wrap_label(row.label, width=(WIDTH - 2 * LEFT - 56) / _FONT, lines=2)
        labels.extend(
            {"x": LEFT, "y": top + _ABOVE + _LINE * (n + 0.5), "text": line, "align": "left", "fill": INK, "size": _FONT}
            for n, line in enumerate(lines)
        )
        labels.append({"x": WIDTH - 4, "y": top + _ABOVE + _LINE * 0.5, "text": row.count, "align": "right", "fill": QUIET, "size": 11})
        first = top + _ABOVE + _LINE * len(lines)
        shown = row.before is not None
        middle = first + _PLOT_LINE / 2
        place_of_note = {"x": WIDTH - 4, "align": "right", "fill": INK} if shown else {"x": LEFT, "align": "left", "fill": QUIET}
        labels.append({**place_of_note, "y": middle, "text": row.note, "size": 11})
        if shown:
            colour = _FINDING_COLOURS[row.finding]
            marks.append(
                {
                    "y": middle, "top": middle - 6, "end": middle + 6, "before": row.before, "after": row.after, "low": row.low, "high": row.high,
                    "colour": colour, "shape": _FINDING_SHAPES[row.finding], "ground": "#ffffff" if row.finding == "unclear" else colour,
                }
            )  # fmt: skip
        bottom = first + _PLOT_LINE + _BELOW
        ground = _STRIPE if place % 2 == 0 else "#ffffff"
        stripes.append({"y": top, "height": bottom - top, "ground": ground})
        bands.append({"y": top, "height": first - top, "ground": ground})
        top = bottom
    return {
        **_frame(top + 4),
        "scales": [{"name": "x", "type": "linear", "domain": [axis.low, axis.high], "range": [LEFT, _RIGHT], "clamp": True}],
        "data": [
            {"name": "stripes", "values": stripes},
            {"name": "bands", "values": bands},
            {"name": "ticks", "values": [{"at": at, "text": text, "strong": at == axis.strong} for at, text in axis.ticks]},
            {"name": "labels", "values": labels},
            {"name": "marks", "values": marks},
        ],
        "marks": [ground_marks("stripes"), *tick_marks(top), ground_marks("bands"), _texts(), *_dumbbells()],
    }


def stacked_bars(rows: Sequence[StackedRow], *, longest: float) -> Spec:
    """Stacked bars of which ``longest`` fills the width."""
    labels: list[Spec] = []
    boxes: list[Spec] = []
    top = 4.0
    width = WIDTH - 2 * LEFT - 62
    for row in rows:
        lines = wrap_label(row.label, width=(WIDTH - 2 * LEFT) / _FONT, lines=2)
        labels.extend(
            {"x": LEFT, "y": top + _LINE * (n + 0.5), "text": line, "align": "left", "fill": INK, "size": _FONT} for n, line in enumerate(lines)
        )
        first = top + _LINE * len(lines) + 2
        middle = first + _BAR / 2
        at = float(LEFT)
        for segment in row.segments:
            long = width * segment.size / longest if longest > 0 else 0.0
            if long > 0:
                boxes.append({"x": at, "x2": at + long, "y": first, "y2": first + _BAR, "fill": segment.colour})
            if long >= _NARROWEST:
                labels.append({"x": at + long / 2, "y": middle, "text": segment.text, "align": "center", "fill": segment.ink, "size": 10.5})
            at += long
        labels.append({"x": WIDTH - 4, "y": middle, "text": row.note, "align": "right", "fill": QUIET, "size": 11})
        top = first + _BAR + 8
    box = {name: {"field": name} for name in ("x", "x2", "y", "y2", "fill")} | {"stroke": {"value": "#ffffff"}, "strokeWidth": {"value": 0.75}}
    return {
        **_frame(top),
        "data": [{"name": "boxes", "values": boxes}, {"name": "labels", "values": labels}],
        "marks": [{"type": "rect", "from": {"data": "boxes"}, "encode": {"enter": box}}, _texts()],
    }


def _frame(height: float) -> dict[str, Any]:
    return {"$schema": "https://vega.github.io/schema/vega/v6.json", "width": WIDTH, "height": height, "padding": 0, "autosize": "none"}


def _texts() -> Spec:
    enter = {
        "x": {"field": "x"}, "y": {"field": "y"}, "text": {"field": "text"}, "align": {"field": "align"}, "baseline": {"value": "middle"},
        "fontSize": {"field": "size"}, "fill": {"field": "fill"},
    }  # fmt: skip
    return {"type": "text", "from": {"data": "labels"}, "encode": {"enter": enter}}


def _dumbbells() -> list[Spec]:
    way = {
        "x": {"scale": "x", "field": "before"}, "x2": {"scale": "x", "field": "after"}, "y": {"field": "y"}, "stroke": {"value": GRID},
        "strokeWidth": {"value": 7},
    }  # fmt: skip
    span = {
        "x": {"scale": "x", "field": "low"}, "x2": {"scale": "x", "field": "high"}, "y": {"field": "y"}, "stroke": {"field": "colour"},
        "strokeWidth": {"value": 2}, "strokeCap": {"value": "round"},
    }  # fmt: skip
    before = {
        "x": {"scale": "x", "field": "before"}, "y": {"field": "top"}, "y2": {"field": "end"}, "stroke": {"value": INK},
        "strokeWidth": {"value": 2.5},
    }  # fmt: skip
    after = {
        "x": {"scale": "x", "field": "after"}, "y": {"field": "y"}, "shape": {"field": "shape"}, "size": {"value": 62}, "fill": {"field": "ground"},
        "stroke": {"field": "colour"}, "strokeWidth": {"value": 1.8},
    }  # fmt: skip
    rules = [{"type": "rule", "from": {"data": "marks"}, "encode": {"enter": enter}} for enter in (way, span, before)]
    return [*rules, {"type": "symbol", "from": {"data": "marks"}, "encode": {"enter": after}}]
