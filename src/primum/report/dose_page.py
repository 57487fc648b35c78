"""The page of doses, and its pictures as files of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from primum.report.arms_page import DifferenceView, scale_axis, spec_facts, view_difference
from primum.report.arms_wording import KINDS, kind_of, tell_arms
from primum.report.dose_pictures import DoseMark, dose_plot
from primum.report.estimate_rows import EstimateRow, estimate_row, level_text
from primum.report.picture_view import describe_estimate, draw_both
from primum.report.pictures import SERIES_COLOURS, Axis, Spec
from primum.report.render import render_page
from primum.report.scales import Scale, metric_scale
from primum.report.svg import draw
from primum.report.visible_text import make_single_line
from primum.report.wording import language_name, same_in_both
from primum.schema.arms import DosePoint, DoseResult
from primum.schema.base import LANGUAGES, Bilingual, Language

_PANEL = (440, 226)
_HEAD = 40
_GAP = 14


@dataclass(frozen=True, slots=True)
class DoseRow:
    """One dose in one language."""

    dose: str
    language: Bilingual
    estimate: EstimateRow
    seeds: str
    difference: DifferenceView | None


@dataclass(frozen=True, slots=True)
class DoseBlock:
    """One task and metric."""

    title: Bilingual
    lower_is_better: bool
    picture: Markup
    series: tuple[Language, ...]
    rows: tuple[DoseRow, ...]


def render_dose(result: DoseResult) -> str:
    """Render the page.

    Args:
        result: Doses, measured.

    Returns:
        One self-contained HTML document; equal input gives equal bytes.
    """
    groups = _groups(result)
    cards = [points[0].card for points in groups]
    blocks = [_view(result, points, number) for number, points in enumerate(groups, start=1)]
    context = {
        "c": tell_arms,
        "spec": result.spec,
        "facts": [
            *spec_facts(result.spec),
            (tell_arms("fact.doses"), same_in_both(", ".join(str(dose) for dose in result.doses))),
            (tell_arms("fact.seeds"), same_in_both(", ".join(str(seed) for seed in result.seeds))),
        ],
        "level": level_text(result.spec.level),
        "comparisons": f"{sum(point.difference is not None for point in result.points):,}",
        "judged": any(card.judged for card in cards),
        "sections": [
            (tell_arms(f"kind.{kind}"), found)
            for kind in KINDS
            if (found := [block for block, card in zip(blocks, cards, strict=True) if kind_of(card) == kind])
        ],
        "notes": result.notes,
    }
    return render_page("dose.html.jinja", context)


def draw_dose_file(result: DoseResult, language: Language) -> str:
    """Every panel in one SVG file of one language, two beside each other, for documents that are no pages of ours."""
    groups = sorted(_groups(result), key=lambda points: KINDS.index(kind_of(points[0].card)))
    width, height = _PANEL
    parts = []
    for number, points in enumerate(groups):
        x, y = (number % 2) * (width + _GAP), (number // 2) * (height + _HEAD + _GAP)
        title, axis = _title(result, points).in_language(language), scale_axis(_scale(points))
        drawn = draw(
            dose_plot(_marks(points), axis, label=tell_arms("axis").in_language(language)), anchor=f"dose-{number}", title=title,
            description=_describe(points, language),
        )  # fmt: skip
        panel = str(drawn).replace("<svg ", f'<svg x="{x}" y="{y + _HEAD}" width="{width}" height="{height}" ', 1)
        parts.append(f"{_panel_title(title, points, language, x, y)}{panel}")
    rows = (len(groups) + 1) // 2
    wide, high = (2 * width + _GAP, rows * (height + _HEAD + _GAP)) if groups else _PANEL
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" font-family="sans-serif">'
    return f'{head}<rect width="{wide}" height="{high}" fill="#ffffff"/>{"".join(parts)}</svg>\n'


def _panel_title(title: str, points: Sequence[DosePoint], language: Language, x: int, y: int) -> str:
    asked = [found for found in LANGUAGES if any(point.language == found for point in points)]
    keys = "".join(
        f'<tspan fill="{SERIES_COLOURS[LANGUAGES.index(found)]}">{"●" if found == "zh" else "◇"} '
        f"{escape(language_name(found).in_language(language))}</tspan>  "
        for found in asked
    )
    shown = escape(make_single_line(title, limit=80))
    heading = f'<text x="{x + 8}" y="{y + 16}" font-size="11.5" fill="#1c2733">{shown}</text>'
    return f'{heading}<text x="{x + 8}" y="{y + 33}" font-size="11.5">{keys}</text>'


def _groups(result: DoseResult) -> list[list[DosePoint]]:
    """Points by task and metric, both languages together."""
    groups: dict[tuple[str, str], list[DosePoint]] = {}
    for point in result.points:
        groups.setdefault((point.task, point.card.name), []).append(point)
    return list(groups.values())


def _title(result: DoseResult, points: Sequence[DosePoint]) -> Bilingual:
    return tell_arms("caption.figures", task=result.tasks[points[0].task].title, metric=points[0].card.title)


def _scale(points: Sequence[DosePoint]) -> Scale:
    return metric_scale(points[0].card, [point.estimate for point in points])


def _marks(points: Sequence[DosePoint]) -> list[DoseMark]:
    marks = []
    for point in points:
        low, value, high = point.estimate.low, point.estimate.value, point.estimate.high
        if low is not None and value is not None and high is not None:
            marks.append(DoseMark(point.dose, low, value, high, LANGUAGES.index(point.language), tuple(seed.value for seed in point.seeds)))
    return marks


def _describe(points: Sequence[DosePoint], language: Language) -> str:
    stop = "；" if language == "zh" else "; "
    scale = _scale(points)
    return stop.join(
        f"{point.dose} {language_name(point.language).in_language(language)} {describe_estimate(point.estimate, language, scale)}" for point in points
    )


def _view(result: DoseResult, points: Sequence[DosePoint], number: int) -> DoseBlock:
    scale, title, card = _scale(points), _title(result, points), points[0].card
    axis: Axis = scale_axis(scale)

    def spec(language: Language) -> Spec:
        return dose_plot(_marks(points), axis, label=tell_arms("axis").in_language(language))

    return DoseBlock(
        title=title,
        lower_is_better=card.direction == "lower",
        picture=draw_both(spec, anchor=f"dose-{number}", title=title, describe=lambda language: _describe(points, language)),
        series=tuple(language for language in LANGUAGES if any(point.language == language for point in points)),
        rows=tuple(
            DoseRow(
                dose=f"{point.dose:,}",
                language=language_name(point.language),
                estimate=estimate_row(point.estimate, title, scale),
                seeds=", ".join(scale.text(seed.value) for seed in point.seeds) if len(point.seeds) > 1 else "—",
                difference=view_difference(point.difference, card, scale),
            )
            for point in points
        ),
    )
