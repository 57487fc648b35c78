"""Specifications of the pictures, as plain Vega dictionaries.

Every position is given: nothing depends on measured text, so the same figures give the same picture on a machine with other fonts. Vega
reads texts as data, never as expressions, and none of them loads anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from primum.report.visible_text import wrap_label

Spec = dict[str, Any]

# Blue circles and orange diamonds differ in shape as well as in colour (Okabe & Ito's pair, darkened for contrast on white).
SERIES_COLOURS: Final = ("#1f5f99", "#b4530a")
_SHAPES: Final = ("circle", "diamond")
INK: Final = "#1c2733"
QUIET: Final = "#5a6673"
GRID: Final = "#d3dae0"
_STRIPE: Final = "#f5f7f8"
BAR: Final = "#1c2733"

# Names stand above their intervals: the picture stays narrow enough for a phone and for half a printed page.
WIDTH: Final = 440
LEFT: Final = 14
_RIGHT: Final = 372
TOP: Final = 22
_FONT: Final = 12
_LINE: Final = 14
_SERIES_LINE: Final = 15
_ABOVE: Final = 5
_BELOW: Final = 6


@dataclass(frozen=True, slots=True)
class Cell:
    """One interval of a row, or why there is none.

    Attributes:
        low: Lower end; None without a value.
        value: The point.
        high: Upper end.
        note: Shown at the right (``n = 120``), or in place of the interval where there is none.
        bar: Where the gate's bar stands, or None.
        chance: The chance level, or None.
        series: Index of colour and shape.
    """

    low: float | None
    value: float | None
    high: float | None
    note: str
    bar: float | None = None
    chance: float | None = None
    series: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an interval plot: its label and one cell for each series."""

    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """The horizontal axis.

    Attributes:
        low: Left end.
        high: Right end.
        ticks: Value and text of each tick.
        strong: A value whose line is drawn stronger (no difference), or None.
    """

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    strong: float | None = None


def interval_plot(rows: Sequence[Row], axis: Axis) -> Spec:
    """Intervals with their points, one block a name, one line a series; bars and chance levels as upright lines."""
    labels: list[Spec] = []
    cells: list[Spec] = []
    stripes: list[Spec] = []
    bands: list[Spec] = []
    top = float(TOP)
    for place, row in enumerate(rows):
        lines = wrap_label(row.label, width=(WIDTH - 2 * LEFT) / _FONT, lines=2)
        labels.extend({"y": top + _ABOVE + _LINE * (number + 0.5), "text": line} for number, line in enumerate(lines))
        first = top + _ABOVE + _LINE * len(lines)
        cells.extend(_cell_values(cell, first + _SERIES_LINE * number) for number, cell in enumerate(row.cells))
        bottom = first + _SERIES_LINE * len(row.cells) + _BELOW
        ground = _STRIPE if place % 2 == 0 else "#ffffff"
        stripes.append({"y": top, "height": bottom - top, "ground": ground})
        # The grid stops behind a name, so that no line runs through its letters.
        bands.append({"y": top, "height": first - top, "ground": ground})
        top = bottom
    return {
        "$schema": "https://vega.github.io/schema/vega/v6.json",
        "width": WIDTH,
        "height": top + 4,
        "padding": 0,
        "autosize": "none",
        "scales": [{"name": "x", "type": "linear", "domain": [axis.low, axis.high], "range": [LEFT, _RIGHT], "clamp": True}],
        "data": [
            {"name": "stripes", "values": stripes},
            {"name": "bands", "values": bands},
            {"name": "ticks", "values": [{"at": at, "text": text, "strong": at == axis.strong} for at, text in axis.ticks]},
            {"name": "labels", "values": labels},
            {"name": "cells", "values": cells},
        ],
        "marks": [
            ground_marks("stripes"),
            *tick_marks(top),
            ground_marks("bands"),
            _label_marks(),
            *_upright_marks(),
            *_interval_marks(),
            *_note_marks(),
        ],
    }


def _cell_values(cell: Cell, top: float) -> Spec:
    colour = SERIES_COLOURS[cell.series]
    return {
        "y": top + _SERIES_LINE / 2, "top": top, "end": top + _SERIES_LINE, "low": cell.low, "value": cell.value, "high": cell.high,
        "note": cell.note, "bar": cell.bar, "chance": cell.chance, "colour": colour, "shape": _SHAPES[cell.series],
        "ground": colour if cell.series == 0 else "#ffffff",
    }  # fmt: skip


def ground_marks(data: str) -> Spec:
    """Stripes or bands over the whole width, of a data set with ``y``, ``height`` and ``ground``."""
    enter = {"x": {"value": 0}, "x2": {"value": WIDTH}, "y": {"field": "y"}, "height": {"field": "height"}, "fill": {"field": "ground"}}
    return {"type": "rect", "from": {"data": data}, "encode": {"enter": enter}}


def tick_marks(bottom: float) -> list[Spec]:
    """Upright lines and their labels, of the data set ``ticks``."""
    line = {
        "x": {"scale": "x", "field": "at"}, "y": {"value": TOP}, "y2": {"value": bottom}, "strokeWidth": {"value": 1},
        "stroke": [{"test": "datum.strong", "value": INK}, {"value": GRID}],
    }  # fmt: skip
    text = {
        "x": {"scale": "x", "field": "at"}, "y": {"value": TOP - 10}, "text": {"field": "text"}, "align": {"value": "center"},
        "baseline": {"value": "middle"}, "fontSize": {"value": 11}, "fill": {"value": QUIET},
    }  # fmt: skip
    return [
        {"type": "rule", "from": {"data": "ticks"}, "encode": {"enter": line}},
        {"type": "text", "from": {"data": "ticks"}, "encode": {"enter": text}},
    ]


def _label_marks() -> Spec:
    enter = {
        "x": {"value": LEFT}, "y": {"field": "y"}, "text": {"field": "text"}, "baseline": {"value": "middle"}, "fontSize": {"value": _FONT},
        "fill": {"value": INK},
    }  # fmt: skip
    return {"type": "text", "from": {"data": "labels"}, "encode": {"enter": enter}}


def _upright_marks() -> list[Spec]:
    marks: list[Spec] = []
    for field, colour, dash, width in (("chance", QUIET, [1.5, 2.5], 1.5), ("bar", BAR, [], 1.75)):
        enter = {
            "x": {"scale": "x", "field": field}, "y": {"field": "top"}, "y2": {"field": "end"}, "stroke": {"value": colour},
            "strokeWidth": {"value": width}, "strokeDash": {"value": dash}, "opacity": {"signal": f"isValid(datum.{field}) ? 1 : 0"},
        }  # fmt: skip
        marks.append({"type": "rule", "from": {"data": "cells"}, "encode": {"enter": enter}})
    return marks


def _interval_marks() -> list[Spec]:
    visible = {"signal": "isValid(datum.value) ? 1 : 0"}
    span = {
        "x": {"scale": "x", "field": "low"},
        "x2": {"scale": "x", "field": "high"},
        "y": {"field": "y"},
        "stroke": {"field": "colour"},
        "strokeWidth": {"value": 2.5},
        "strokeCap": {"value": "round"},
        "opacity": visible,
    }
    point = {
        "x": {"scale": "x", "field": "value"},
        "y": {"field": "y"},
        "shape": {"field": "shape"},
        "size": {"value": 58},
        "fill": {"field": "ground"},
        "stroke": {"field": "colour"},
        "strokeWidth": {"value": 1.8},
        "opacity": visible,
    }
    return [
        {"type": "rule", "from": {"data": "cells"}, "encode": {"enter": span}},
        {"type": "symbol", "from": {"data": "cells"}, "encode": {"enter": point}},
    ]


def _note_marks() -> list[Spec]:
    shared: Spec = {
        "y": {"field": "y"},
        "text": {"field": "note"},
        "baseline": {"value": "middle"},
        "fontSize": {"value": 11},
        "fill": {"value": QUIET},
    }
    beside = {**shared, "x": {"value": WIDTH - 4}, "align": {"value": "right"}, "opacity": {"signal": "isValid(datum.value) ? 1 : 0"}}
    instead = {**shared, "x": {"value": LEFT}, "align": {"value": "left"}, "opacity": {"signal": "isValid(datum.value) ? 0 : 1"}}
    return [{"type": "text", "from": {"data": "cells"}, "encode": {"enter": enter}} for enter in (beside, instead)]
