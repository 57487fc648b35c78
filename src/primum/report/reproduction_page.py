"""The page of a repeated experiment: published figures beside ours, why they may or may not be compared, and every figure of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from primum.report.arms_page import DifferenceView, rows_plot, spec_facts, view_difference
from primum.report.arms_wording import arm_name, tell_arms
from primum.report.estimate_rows import EstimateRow, estimate_row, level_text
from primum.report.picture_view import describe_estimate, draw_both
from primum.report.pictures import Cell, Row, Spec
from primum.report.render import render_page
from primum.report.scales import SHARE, Scale, metric_scale, points_text
from primum.report.wording import group_title, group_value, language_name, same_in_both
from primum.schema.base import LANGUAGES, Bilingual, Language
from primum.schema.reproduction import Board, ComparedRow, OurFigure, Reproduction


@dataclass(frozen=True, slots=True)
class ComparedView:
    """One row of the main table."""

    title: Bilingual
    who: str
    published: str
    language: Bilingual | None
    ours: Bilingual | None
    source: str
    comparable: bool
    why: Bilingual


@dataclass(frozen=True, slots=True)
class DetailRow:
    """One arm, language and group value."""

    label: Bilingual
    arm: Bilingual
    language: Bilingual
    estimate: EstimateRow
    difference: DifferenceView | None


@dataclass(frozen=True, slots=True)
class DetailBlock:
    """One task, metric and breakdown."""

    title: Bilingual
    lower_is_better: bool
    rows: tuple[DetailRow, ...]


def render_reproduction(result: Reproduction) -> str:
    """Render the page.

    Args:
        result: An experiment, repeated.

    Returns:
        One self-contained HTML document; equal input gives equal bytes.
    """
    context = {
        "c": tell_arms,
        "spec": result.spec,
        "title": result.title,
        "citation": result.citation,
        "facts": [*spec_facts(result.spec), (tell_arms("fact.demos"), same_in_both(f"{result.demos:,}" if result.demos else ""))],
        "design": result.design,
        "ours": result.ours,
        "level": level_text(result.spec.level),
        "judged": any(figure.card.judged for figure in result.details),
        "pictures": list(_pictures(result)),
        "rows": [_view_row(row) for row in result.rows],
        "blocks": _blocks(result),
        "boards": [(board.title, board.source, board.columns, _board_rows(board)) for board in result.boards],
        "dose": result.dose,
        "notes": result.notes,
    }
    return render_page("reproduction.html.jinja", context)


def published_text(row: ComparedRow) -> str:
    """The published figure on its scale, or empty where there is none."""
    value = row.published.value
    if value is None:
        return ""
    if row.published.ours is not None and row.published.ours.change:
        return points_text(value, _scale(row))
    return _scale(row).text(value) if row.ours is not None else f"{value:.4g}"


def ours_text(row: ComparedRow) -> Bilingual | None:
    """Our figure with interval and n in words; None where it was not measured."""
    if row.ours is None:
        return None
    scale, difference = _scale(row), row.ours.difference
    if row.published.ours is not None and row.published.ours.change and difference is not None:
        low, high = points_text(difference.low, scale), points_text(difference.high, scale)
        told = f"{points_text(difference.value, scale)} ({low} … {high}, n = {difference.n:,})"
        return same_in_both(told)
    return Bilingual(**{language: describe_estimate(row.ours.estimate, language, scale) for language in LANGUAGES})


def _scale(row: ComparedRow) -> Scale:
    return SHARE if row.ours is None else metric_scale(row.ours.card, [row.ours.estimate])


def _view_row(row: ComparedRow) -> ComparedView:
    return ComparedView(
        title=row.published.title,
        who=row.published.who,
        published=published_text(row),
        language=None if row.ours is None else language_name(row.ours.language),
        ours=ours_text(row),
        source=row.published.source,
        comparable=row.published.comparable,
        why=row.published.why,
    )


def _pictures(result: Reproduction) -> list[tuple[Bilingual, Markup]]:
    """Ours as intervals, the published figure as an upright line: one picture a scale, rows without either left out."""
    shown = [
        row
        for row in result.rows
        if row.ours is not None and row.ours.estimate.value is not None and row.published.ours is not None and not row.published.ours.change
    ]
    scales: dict[Scale, list[ComparedRow]] = {}
    for row in shown:
        scales.setdefault(_scale(row), []).append(row)
    return [(_picture_title(rows), _draw(rows, scale, number)) for number, (scale, rows) in enumerate(scales.items(), start=1)]


def _picture_title(rows: Sequence[ComparedRow]) -> Bilingual:
    titles = list(dict.fromkeys(row.ours.card.title for row in rows if row.ours is not None))
    if not titles:
        return tell_arms("reproduce.comparison")
    return Bilingual(zh="；".join(title.zh for title in titles), en="; ".join(title.en for title in titles))


def _draw(rows: Sequence[ComparedRow], scale: Scale, number: int) -> Markup:
    def label(row: ComparedRow, language: Language) -> str:
        who = f" | {row.published.who} {published_text(row)}" if row.published.value is not None else ""
        return row.published.title.in_language(language) + who

    def spec(language: Language) -> Spec:
        drawn: dict[str, list[Cell]] = {}
        for row in rows:
            if row.ours is not None:
                e = row.ours.estimate
                cell = Cell(e.low, e.value, e.high, f"n = {e.n:,}", bar=row.published.value, series=LANGUAGES.index(row.ours.language))
                drawn.setdefault(label(row, language), []).append(cell)
        return rows_plot([Row(name, tuple(cells)) for name, cells in drawn.items()], scale)

    def describe(language: Language) -> str:
        stop = "；" if language == "zh" else "; "
        return stop.join(f"{label(row, language)} {text.in_language(language)}" for row in rows if (text := ours_text(row)) is not None)

    return draw_both(spec, anchor=f"reproduced-{number}", title=_picture_title(rows), describe=describe)


def _blocks(result: Reproduction) -> list[DetailBlock]:
    found: dict[tuple[str, str, str], list[OurFigure]] = {}
    for figure in result.details:
        found.setdefault((figure.task, figure.card.name, figure.group), []).append(figure)
    blocks = []
    for (task, _, group), figures in found.items():
        card = figures[0].card
        scale = metric_scale(card, [figure.estimate for figure in figures])
        title = tell_arms("caption.figures", task=result.tasks[task].title, metric=card.title)
        if group:
            by = group_title(group)
            title = Bilingual(zh=f"{title.zh}（按{by.zh}）", en=f"{title.en}, by {by.en}")
        rows = tuple(
            DetailRow(
                label=group_value(group, figure.name) if group else arm_name(figure.arm),
                arm=arm_name(figure.arm),
                language=language_name(figure.language),
                estimate=estimate_row(figure.estimate, title, scale),
                difference=view_difference(figure.difference, card, scale),
            )
            for figure in figures
        )
        blocks.append(DetailBlock(title=title, lower_is_better=card.direction == "lower", rows=rows))
    return blocks


def _board_rows(board: Board) -> list[tuple[str, list[str]]]:
    return [(row.who, ["—" if value is None else f"{value:.{board.digits}f}".rstrip("0").rstrip(".") for value in row.values]) for row in board.rows]
