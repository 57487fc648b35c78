"""Dose and response as a picture: one panel a task and metric, a nearly logarithmic axis that has room for dose 0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from primum.report.pictures import GRID, INK, QUIET, SERIES_COLOURS, Axis, Spec

_WIDTH: Final = 440
_HEIGHT: Final = 226
_LEFT: Final = 46
_RIGHT: Final = 424
_TOP: Final = 12
_BOTTOM: Final = 178
# Both languages at one dose stand beside each other, not on each other.
_ASIDE: Final = 3.5
_LABEL_GAP: Final = 26
_SHAPES: Final = ("circle", "diamond")


@dataclass(frozen=True, slots=True)
class DoseMark:
    """One series at one dose; ``seeds`` are the means of single trainings."""

    dose: int
    low: float
    value: float
    high: float
    series: int
    seeds: tuple[float, ...] = ()


def dose_plot(marks: Sequence[DoseMark], axis: Axis, *, label: str) -> Spec:
    """Points with intervals over doses, joined by series.

    Args:
        marks: In any order.
        axis: The upright axis.
        label: Under the horizontal axis.
    """
    doses = sorted({mark.dose for mark in marks})
    places = _positions(doses)
    both = len({mark.series for mark in marks}) > 1
    rows = [_row(mark, places[mark.dose] + ((2 * mark.series - 1) * _ASIDE if both else 0)) for mark in sorted(marks, key=lambda mark: mark.dose)]
    dots = [{"x": row["x"], "value": value, "colour": row["colour"]} for row, mark in zip(rows, sorted(marks, key=lambda m: m.dose), strict=True)
            for value in mark.seeds if len(mark.seeds) > 1]  # fmt: skip
    return {
        "$schema": "https://vega.github.io/schema/vega/v6.json",
        "width": _WIDTH,
        "height": _HEIGHT,
        "padding": 0,
        "autosize": "none",
        "scales": [{"name": "y", "type": "linear", "domain": [axis.low, axis.high], "range": [_BOTTOM, _TOP], "clamp": True, "zero": False}],
        "data": [
            {"name": "levels", "values": [{"at": at, "text": text} for at, text in axis.ticks]},
            {"name": "doses", "values": _labels(doses, places)},
            {"name": "dots", "values": dots},
            *({"name": f"series-{series}", "values": [row for row in rows if row["series"] == series]} for series in (0, 1)),
        ],
        "marks": [*_frame(label), _dots(), *(mark for series in (0, 1) for mark in _series(series))],
    }


def _positions(doses: Sequence[int]) -> dict[int, float]:
    """Where each dose stands: log(1 + dose / smallest), stretched over the width."""
    unit = min((dose for dose in doses if dose > 0), default=1)
    widest = math.log1p(max(doses, default=0) / unit) or 1.0
    left, right = _LEFT + 14, _RIGHT - 14
    return {dose: round(left + (right - left) * math.log1p(dose / unit) / widest, 2) for dose in doses}


def _labels(doses: Sequence[int], places: dict[int, float]) -> list[Spec]:
    """Texts of doses, those left out that would run into their neighbour; the last one always stands."""
    shown: list[int] = []
    for dose in reversed(doses):
        if not shown or places[shown[-1]] - places[dose] >= _LABEL_GAP:
            shown.append(dose)
    return [{"x": places[dose], "text": str(dose) if dose in shown else ""} for dose in doses]


def _row(mark: DoseMark, x: float) -> Spec:
    colour = SERIES_COLOURS[mark.series]
    return {
        "x": x, "low": mark.low, "value": mark.value, "high": mark.high, "series": mark.series, "colour": colour,
        "ground": colour if mark.series == 0 else "#ffffff",
    }  # fmt: skip


def _frame(label: str) -> list[Spec]:
    level = {"x": {"value": _LEFT}, "x2": {"value": _RIGHT}, "y": {"scale": "y", "field": "at"}, "stroke": {"value": GRID}}
    quiet = {"fontSize": {"value": 11}, "fill": {"value": QUIET}, "baseline": {"value": "middle"}}
    name = {**quiet, "x": {"value": _LEFT - 6}, "y": {"scale": "y", "field": "at"}, "text": {"field": "text"}, "align": {"value": "right"}}
    tick = {"x": {"field": "x"}, "y": {"value": _BOTTOM}, "y2": {"value": _BOTTOM + 4}, "stroke": {"value": QUIET}}
    dose = {**quiet, "x": {"field": "x"}, "y": {"value": _BOTTOM + 14}, "text": {"field": "text"}, "align": {"value": "center"}}
    below = {**quiet, "x": {"value": (_LEFT + _RIGHT) / 2}, "y": {"value": _BOTTOM + 34}, "text": {"value": label}, "align": {"value": "center"}}
    return [
        {"type": "rule", "from": {"data": "levels"}, "encode": {"enter": level}},
        {"type": "text", "from": {"data": "levels"}, "encode": {"enter": name}},
        {"type": "rule", "from": {"data": "doses"}, "encode": {"enter": tick}},
        {"type": "text", "from": {"data": "doses"}, "encode": {"enter": dose}},
        {"type": "text", "encode": {"enter": {**below, "fill": {"value": INK}}}},
    ]


def _dots() -> Spec:
    enter = {
        "x": {"field": "x"}, "y": {"scale": "y", "field": "value"}, "shape": {"value": "circle"}, "size": {"value": 10},
        "fill": {"field": "colour"}, "fillOpacity": {"value": 0.45},
    }  # fmt: skip
    return {"type": "symbol", "from": {"data": "dots"}, "encode": {"enter": enter}}


def _series(series: int) -> list[Spec]:
    data, colour = f"series-{series}", SERIES_COLOURS[series]
    line = {
        "x": {"field": "x"}, "y": {"scale": "y", "field": "value"}, "stroke": {"value": colour}, "strokeWidth": {"value": 1.6},
        "strokeDash": {"value": [] if series == 0 else [5, 3]},
    }  # fmt: skip
    span = {
        "x": {"field": "x"}, "y": {"scale": "y", "field": "low"}, "y2": {"scale": "y", "field": "high"}, "stroke": {"value": colour},
        "strokeWidth": {"value": 2}, "strokeCap": {"value": "round"}, "strokeOpacity": {"value": 0.7},
    }  # fmt: skip
    point = {
        "x": {"field": "x"}, "y": {"scale": "y", "field": "value"}, "shape": {"value": _SHAPES[series]}, "size": {"value": 52},
        "fill": {"field": "ground"}, "stroke": {"value": colour}, "strokeWidth": {"value": 1.8},
    }  # fmt: skip
    return [
        {"type": "line", "from": {"data": data}, "encode": {"enter": line}},
        {"type": "rule", "from": {"data": data}, "encode": {"enter": span}},
        {"type": "symbol", "from": {"data": data}, "encode": {"enter": point}},
    ]
