"""The pictures of a certificate: main figures and dimensions before and after, harmfulness, gains, ability, over-refusal and data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from primum.report.certificate_charts import (
    LEVEL_COLOURS,
    Dumbbell,
    Finding,
    Segment,
    StackedRow,
    difference_axis,
    dumbbell_plot,
    stacked_bars,
)
from primum.report.certificate_wording import change_name, known_name, run_name, tell_certificate
from primum.report.picture_view import SHARE_AXIS, draw_both
from primum.report.pictures import INK, SERIES_COLOURS, Axis, Cell, Row, Spec, interval_plot
from primum.report.scales import SHARE, metric_scale, points_text
from primum.report.wording import language_name
from primum.schema.base import LANGUAGES, Bilingual, Language
from primum.schema.certificate import Certificate, Change, Distribution
from primum.schema.estimate import Estimate, NonInferiority, PairedDifference

_HARM_AXIS: Final = Axis(low=1.0, high=5.0, ticks=tuple((float(level), str(level)) for level in range(1, 6)))
_ROLES: Final = ("safety", "over_refusal", "ability", "other")


@dataclass(frozen=True, slots=True)
class Titled:
    """A picture under its title."""

    title: Bilingual
    drawing: Markup
    lower_is_better: bool = False


def finding_of(change: Change, *, alpha: float) -> Finding:
    """What a change shows: corrected test and interval must agree."""
    difference = change.difference
    if difference is None:
        return "none"
    p = difference.p_value if difference.p_holm is None else difference.p_holm
    if p >= alpha or difference.low <= 0 <= difference.high:
        return "unclear"
    return "better" if (difference.value > 0) == (change.metric.direction == "higher") else "worse"


def in_reading_order(changes: Iterable[Change]) -> list[Change]:
    """Safety first, then over-refusal and ability; within each as the runs come."""
    return sorted(changes, key=lambda change: _ROLES.index(change.role))


def draw_overview(certificate: Certificate) -> Markup | None:
    """The share that the verdict reads of each run, over-refusal and ability, on one axis."""
    found = [c for c in certificate.changes if c.metric.kind == "proportion" and (c.primary or c.role in {"over_refusal", "ability"})]
    if not found:
        return None
    return _draw_changes(
        in_reading_order(found), SHARE_AXIS, anchor="overview", title=tell_certificate("picture.overview"), alpha=1 - certificate.rules.level
    )


def draw_dimensions(certificate: Certificate) -> list[Titled]:
    """One dumbbell picture a run."""
    by_run: dict[tuple[str, str], list[Change]] = {}
    for change in certificate.dimensions:
        by_run.setdefault((change.task, change.language), []).append(change)
    pictures = []
    for number, found in enumerate(by_run.values(), start=1):
        first = found[0]
        name = change_name(first.model_copy(update={"group": "", "name": ""}))
        axis = SHARE_AXIS if first.metric.kind == "proportion" else _HARM_AXIS
        title = tell_certificate("picture.dimensions", title=name)
        drawing = _draw_changes(found, axis, anchor=f"dimensions-{number}", title=title, alpha=1 - certificate.rules.level)
        pictures.append(Titled(title=name, drawing=drawing, lower_is_better=first.metric.direction == "lower"))
    return pictures


def _draw_changes(changes: Sequence[Change], axis: Axis, *, anchor: str, title: Bilingual, alpha: float) -> Markup:
    def spec(language: Language) -> Spec:
        return dumbbell_plot([_dumbbell(change, language, alpha) for change in changes], axis)

    def describe(language: Language) -> str:
        return ("；" if language == "zh" else "; ").join(
            f"{change_name(change).in_language(language)} {describe_change(change, language)}" for change in changes
        )

    return draw_both(spec, anchor=anchor, title=title, describe=describe)


def _dumbbell(change: Change, language: Language, alpha: float) -> Dumbbell:
    label = change_name(change).in_language(language)
    difference = change.difference
    if difference is None:
        missing = tell_certificate("row.none").in_language(language)
        return Dumbbell(label, None, None, None, None, note=missing, count="n = 0", finding="none")
    return Dumbbell(
        label=label,
        before=difference.a,
        after=difference.b,
        low=difference.a + difference.low,
        high=difference.a + difference.high,
        note=difference_text(change),
        count=f"n = {difference.n:,}",
        finding=finding_of(change, alpha=alpha),
    )


def difference_text(change: Change) -> str:
    """``-48.0 [-57.1, -37.4]``."""
    difference = change.difference
    if difference is None:
        return "—"
    scale = metric_scale(change.metric, ())
    return f"{points_text(difference.value, scale)} [{points_text(difference.low, scale)}, {points_text(difference.high, scale)}]"


def describe_change(change: Change, language: Language) -> str:
    """A change in words, for people who hear the page."""
    difference = change.difference
    if difference is None:
        return tell_certificate("row.none").in_language(language)
    scale = metric_scale(change.metric, ())
    return f"{scale.text(difference.a)} → {scale.text(difference.b)}, {difference_text(change)}, n = {difference.n:,}"


def draw_distributions(certificate: Certificate) -> list[Titled]:
    """Two stacked bars a run: before and after."""
    return [_distribution(found, number) for number, found in enumerate(certificate.distributions, start=1)]


def _distribution(found: Distribution, number: int) -> Titled:
    name = tell_certificate("row.of", title=found.title, language=language_name(found.language))
    sides = (("before", found.before), ("after", found.after))

    def spec(language: Language) -> Spec:
        rows = [
            StackedRow(tell_certificate(f"fact.{side}").in_language(language), tuple(_segments(levels)), f"n = {levels[0].n:,}")
            for side, levels in sides
        ]
        return stacked_bars(rows, longest=1.0)

    def describe(language: Language) -> str:
        told = []
        for side, levels in sides:
            shares = ", ".join(f"{level.name}: {SHARE.text(level.value or 0.0)} ({SHARE.interval(level)})" for level in levels)
            told.append(f"{tell_certificate(f'fact.{side}').in_language(language)}: {shares}, n = {levels[0].n:,}")
        return "; ".join(told)

    drawing = draw_both(spec, anchor=f"harm-{number}", title=tell_certificate("picture.harm", title=name), describe=describe)
    return Titled(title=name, drawing=drawing)


def _segments(levels: Sequence[Estimate]) -> list[Segment]:
    return [
        Segment(size=level.value or 0.0, colour=colour, text=f"{level.value or 0.0:.0%}", ink="#ffffff" if place in (1, 5) else INK)
        for place, (level, colour) in enumerate(zip(levels, LEVEL_COLOURS, strict=True), start=1)
    ]


def draw_generalisation(certificate: Certificate) -> Markup | None:
    """Gains on seen and on unseen norms, shares only, signed so that more is better."""
    found = [entry for entry in certificate.generalisation if entry.metric.kind == "proportion"]
    if not found:
        return None
    ends = [end for entry in found for gain in (entry.seen, entry.unseen) if gain is not None for end in (gain.low, gain.high)]

    def label(place: int) -> Bilingual:
        entry = found[place]
        return tell_certificate("row.metric", title=entry.title, language=language_name(entry.language), metric=entry.metric.title)

    rows = [tuple(_gain_cell(gain, series) for series, gain in enumerate((entry.seen, entry.unseen))) for entry in found]
    return _draw_differences(rows, [label(place) for place in range(len(found))], ends, anchor="general", title=tell_certificate("picture.general"))


def draw_ability(certificate: Certificate) -> Markup | None:
    """Differences of ability against the margin."""
    found = [entry for entry in certificate.ability if entry.judged is not None and entry.change is not None]
    labels = [run_name(entry.change) for entry in found if entry.change is not None]
    return _draw_judged([entry.judged for entry in found if entry.judged is not None], labels, anchor="ability", key="picture.ability")


def draw_over_refusal(certificate: Certificate) -> Markup | None:
    """Differences of over-refusal against the bar."""
    found = [entry for entry in certificate.over_refusal if entry.judged is not None]
    labels = [change_name(entry.change) for entry in found]
    return _draw_judged([entry.judged for entry in found if entry.judged is not None], labels, anchor="refusal", key="picture.refusal")


def _draw_judged(judged: Sequence[NonInferiority], labels: Sequence[Bilingual], *, anchor: str, key: str) -> Markup | None:
    if not judged:
        return None
    rows = []
    ends: list[float] = []
    for verdict in judged:
        bar = -verdict.margin if verdict.direction == "higher" else verdict.margin
        rows.append((_gain_cell(verdict.difference, 0, bar=bar),))
        ends.extend((verdict.difference.low, verdict.difference.high, bar))
    return _draw_differences(rows, labels, ends, anchor=anchor, title=tell_certificate(key))


def _gain_cell(gain: PairedDifference | None, series: int, *, bar: float | None = None) -> Cell:
    if gain is None:
        return Cell(low=None, value=None, high=None, note="—", bar=bar, series=series)
    return Cell(low=gain.low, value=gain.value, high=gain.high, note=f"n = {gain.n:,}", bar=bar, series=series)


def _draw_differences(
    rows: Sequence[tuple[Cell, ...]], labels: Sequence[Bilingual], ends: Sequence[float], *, anchor: str, title: Bilingual
) -> Markup:
    axis = difference_axis(ends, percent=True)

    def spec(language: Language) -> Spec:
        return interval_plot([Row(label.in_language(language), cells) for label, cells in zip(labels, rows, strict=True)], axis)

    def describe(language: Language) -> str:
        told = []
        for label, cells in zip(labels, rows, strict=True):
            values = ", ".join(_told(cell) for cell in cells)
            told.append(f"{label.in_language(language)}: {values}")
        return "; ".join(told)

    return draw_both(spec, anchor=anchor, title=title, describe=describe)


def _told(cell: Cell) -> str:
    if cell.value is None or cell.low is None or cell.high is None:
        return cell.note
    return f"{points_text(cell.value, SHARE)} [{points_text(cell.low, SHARE)}, {points_text(cell.high, SHARE)}] {cell.note}"


def draw_data(certificate: Certificate) -> Markup | None:
    """Training rows by origin, Chinese and English."""
    data = certificate.training.data
    if not data:
        return None
    origins = list(dict.fromkeys(row.origin for row in data))
    sizes = {
        origin: {
            lang: sum(row.demonstrations + row.preferences for row in data if (row.origin, row.language) == (origin, lang)) for lang in LANGUAGES
        }
        for origin in origins
    }
    longest = float(max(sum(size.values()) for size in sizes.values()))

    def spec(language: Language) -> Spec:
        rows = [
            StackedRow(
                known_name("origin", origin).in_language(language),
                tuple(Segment(float(sizes[origin][lang]), SERIES_COLOURS[place], str(sizes[origin][lang])) for place, lang in enumerate(LANGUAGES)),
                f"{sum(sizes[origin].values()):,}",
            )
            for origin in origins
        ]
        return stacked_bars(rows, longest=longest)

    def describe(language: Language) -> str:
        return "; ".join(f"{known_name('origin', origin).in_language(language)}: {sum(sizes[origin].values()):,}" for origin in origins)

    return draw_both(spec, anchor="data", title=tell_certificate("picture.data"), describe=describe)
