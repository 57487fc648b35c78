"""The page of arms: one picture and one table a task and metric, every arm beside the base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from primum.report.arms_wording import KINDS, arm_name, kind_of, origin_name, tell_arms
from primum.report.estimate_rows import EstimateRow, estimate_row, level_text
from primum.report.picture_view import Measured as MeasuredEntry
from primum.report.picture_view import describe_estimate, draw_both, languages_of
from primum.report.pictures import Axis, Cell, Row, Spec, interval_plot
from primum.report.render import render_page
from primum.report.scales import Scale, metric_scale, p_text, points_text
from primum.report.wording import language_name, phrase, same_in_both
from primum.schema.arms import ArmFigures, ArmsResult, ArmsSpec, Figure, TaughtWith
from primum.schema.base import LANGUAGES, Bilingual, Language
from primum.schema.card import MetricCard
from primum.schema.estimate import PairedDifference

_TICKS = 4


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """A paired difference, ready to show; every part a dash where there is none."""

    value: str
    interval: str
    p_holm: str
    finding: str


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One arm and language."""

    arm: Bilingual
    language: Bilingual
    estimate: EstimateRow
    difference: DifferenceView | None


@dataclass(frozen=True, slots=True)
class Block:
    """One task and metric."""

    title: Bilingual
    lower_is_better: bool
    picture: Markup
    series: tuple[Language, ...]
    rows: tuple[FigureRow, ...]


def render_arms(result: ArmsResult) -> str:
    """Render the page.

    Args:
        result: Arms, measured.

    Returns:
        One self-contained HTML document; equal input gives equal bytes.
    """
    places = list(dict.fromkeys((figure.task, figure.card.name) for arm in result.arms for figure in arm.figures))
    cards = {(figure.task, figure.card.name): figure.card for arm in reversed(result.arms) for figure in arm.figures}
    blocks = {place: _view_block(result, place, cards[place], number) for number, place in enumerate(places, start=1)}
    context = {
        "c": tell_arms,
        "spec": result.spec,
        "facts": [*spec_facts(result.spec), (tell_arms("fact.demos"), f"{result.demos:,}"), (tell_arms("fact.seed"), str(result.spec.seed))],
        "level": level_text(result.spec.level),
        "comparisons": f"{result.comparisons:,}",
        "retrieved": str(result.spec.retrieved) if any(arm.arm.norms for arm in result.arms) else "",
        "judged": any(card.judged for card in cards.values()),
        "sections": [
            (tell_arms(f"kind.{kind}"), found) for kind in KINDS if (found := [blocks[place] for place in places if kind_of(cards[place]) == kind])
        ],
        "taught": [_view_arm(arm) for arm in result.arms],
        "notes": result.notes,
    }
    return render_page("arms.html.jinja", context)


def spec_facts(spec: ArmsSpec) -> list[tuple[Bilingual, Bilingual]]:
    """Model, suite and recipe."""
    recipe = tell_arms(
        "fact.recipe_text", rank=spec.recipe.lora.rank, rate=f"{spec.recipe.rate:g}", epochs=f"{spec.recipe.epochs:g}", batch=spec.recipe.batch
    )
    return [
        (tell_arms("fact.model"), same_in_both(spec.model)),
        (tell_arms("fact.suite"), same_in_both(spec.suite)),
        (tell_arms("fact.recipe"), recipe),
    ]


def view_difference(difference: PairedDifference | None, card: MetricCard, scale: Scale) -> DifferenceView | None:
    """A difference in words; its finding needs Holm's p below 1 - level."""
    if difference is None:
        return None
    p = difference.p_value if difference.p_holm is None else difference.p_holm
    clear = p < 1 - difference.level and difference.value != 0
    better = (difference.value > 0) == (card.direction == "higher")
    return DifferenceView(
        value=points_text(difference.value, scale),
        interval=f"{points_text(difference.low, scale)} … {points_text(difference.high, scale)}",
        p_holm=p_text(p),
        finding=("better" if better else "worse") if clear else "unclear",
    )


def scale_axis(scale: Scale) -> Axis:
    """The whole scale with round ticks."""
    step = (scale.high - scale.low) / _TICKS
    ticks = tuple((value := scale.low + step * place, f"{value:.0%}" if scale.percent else f"{value:g}") for place in range(_TICKS + 1))
    return Axis(low=scale.low, high=scale.high, ticks=ticks)


def rows_plot(rows: Sequence[Row], scale: Scale) -> Spec:
    """An interval plot over a metric's whole scale; Vega would begin a scale of 1 to 5 at 0."""
    spec = interval_plot(rows, scale_axis(scale))
    return {**spec, "scales": [{**found, "zero": False} for found in spec["scales"]]}


def _view_block(result: ArmsResult, place: tuple[str, str], card: MetricCard, number: int) -> Block:
    rows = [(arm, [figure for figure in arm.figures if (figure.task, figure.card.name) == place]) for arm in result.arms]
    scale = metric_scale(card, [figure.estimate for _, figures in rows for figure in figures])
    title = tell_arms("caption.figures", task=result.tasks[place[0]].title, metric=card.title)
    entries = [MeasuredEntry(figure.language, figure.estimate) for _, figures in rows for figure in figures]
    return Block(
        title=title,
        lower_is_better=card.direction == "lower",
        picture=_draw(rows, title, scale, number),
        series=languages_of(entries),
        rows=tuple(
            FigureRow(
                arm=arm_name(arm.arm.name),
                language=language_name(figure.language),
                estimate=estimate_row(figure.estimate, arm_name(arm.arm.name), scale),
                difference=view_difference(figure.difference, card, scale),
            )
            for arm, figures in rows
            for figure in figures
        ),
    )


def _draw(rows: Sequence[tuple[ArmFigures, Sequence[Figure]]], title: Bilingual, scale: Scale, number: int) -> Markup:
    def spec(language: Language) -> Spec:
        drawn = [Row(arm_name(arm.arm.name).in_language(language), tuple(_cell(figure, language) for figure in figures)) for arm, figures in rows]
        return rows_plot(drawn, scale)

    def describe(language: Language) -> str:
        colon, stop = ("：", "；") if language == "zh" else (": ", "; ")
        told = [
            f"{arm_name(arm.arm.name).in_language(language)}{colon}{language_name(figure.language).in_language(language)} "
            f"{describe_estimate(figure.estimate, language, scale)}"
            for arm, figures in rows
            for figure in figures
        ]
        return stop.join(told)

    return draw_both(spec, anchor=f"arms-{number}", title=title, describe=describe)


def _cell(figure: Figure, language: Language) -> Cell:
    estimate, series = figure.estimate, LANGUAGES.index(figure.language)
    if estimate.value is None:
        return Cell(low=None, value=None, high=None, note=phrase("number.none").in_language(language), series=series)
    return Cell(estimate.low, estimate.value, estimate.high, f"n = {estimate.n:,}", series=series)


def view_taught(taught: TaughtWith | None) -> tuple[Bilingual, ...]:
    """What an adapter was trained on, one line a fact."""
    if taught is None:
        return (tell_arms("text.none"),)
    if taught.supervised is None:
        return (tell_arms("text.given"),)
    parts = [(origin_name(origin), count) for origin, count in taught.demonstrations.items()]
    listed = Bilingual(zh="，".join(f"{name.zh} {count:,}" for name, count in parts), en=", ".join(f"{name.en} {count:,}" for name, count in parts))
    lines = [tell_arms("text.taught", count=f"{sum(taught.demonstrations.values()):,}", parts=listed)]
    if taught.preferences:
        lines.append(tell_arms("text.pairs", count=f"{taught.preferences:,}"))
    if taught.overlaps:
        lines.append(tell_arms("text.overlaps", count=f"{len(taught.overlaps):,}"))
    if taught.long:
        lines.append(tell_arms("text.long", count=f"{taught.long:,}"))
    return tuple(lines)


def _view_arm(arm: ArmFigures) -> tuple[Bilingual, tuple[Bilingual, ...], str, str]:
    taught = arm.arm.taught
    return arm_name(arm.arm.name), view_taught(taught), str(arm.arm.norms), taught.adapter_sha256[:16] if taught is not None else ""
