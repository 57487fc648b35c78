"""The certificate of an alignment: verdict, pictures, figures, and what stands behind them, on one page in two languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from primum.report.certificate_pictures import (
    difference_text,
    draw_ability,
    draw_data,
    draw_dimensions,
    draw_distributions,
    draw_generalisation,
    draw_over_refusal,
    draw_overview,
    finding_of,
    in_reading_order,
)
from primum.report.certificate_wording import change_name, known_name, run_name, tell_certificate
from primum.report.estimate_rows import EstimateRow, estimate_row, estimate_text, level_text
from primum.report.render import render_page
from primum.report.scales import SHARE, Scale, metric_scale, p_text, points_text
from primum.report.visible_text import make_single_line
from primum.report.wording import LANGUAGE_TAGS, group_value, language_name, moment, same_in_both, status_name
from primum.schema.audit import Standing
from primum.schema.base import Bilingual
from primum.schema.certificate import BeforeAfter, Certificate, Change, Generalisation, TrainedRound
from primum.schema.estimate import Estimate, PairedDifference

_SCORES = ("risk", "quality", "final_plain", "final_weighted")
_KAPPA = Scale(low=-1.0, high=1.0, percent=False)
_NATS = Scale(low=0.0, high=1.0, percent=False)
_HEADLINE = 64


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One figure before and after, ready to show.

    Attributes:
        label: What it is of.
        tags: Short remarks: which way is better, whether the verdict reads it.
        before: Value with its interval, or None.
        after: The same.
        difference: Signed, with its interval.
        unit: True for percentage points.
        pairs: Scored in both.
        p: After Holm's correction where it was made.
        finding: ``better``, ``worse``, ``unclear`` or ``none``.
        unscored: Before and after, with the statuses.
        remark: Why it decides nothing, or empty.
        unpaired: Scored on one side only.
    """

    label: Bilingual
    tags: tuple[Bilingual, ...]
    before: EstimateRow
    after: EstimateRow
    difference: str
    unit: bool
    pairs: int
    p: str
    finding: str
    unscored: tuple[tuple[int, tuple[tuple[Bilingual, int], ...]], ...]
    remark: Bilingual | None
    unpaired: int


@dataclass(frozen=True, slots=True)
class ExampleView:
    """One answer before and after; ``letters`` are the options in the order shown."""

    given: BeforeAfter
    headline: str
    outcome: Bilingual
    letters: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class ExampleRun:
    """The examples of one run and metric, by group."""

    title: Bilingual
    tag: str
    groups: tuple[tuple[Bilingual, tuple[ExampleView, ...]], ...]


def render_certificate(certificate: Certificate) -> str:
    """Render the page.

    Args:
        certificate: A certificate, decided.

    Returns:
        One self-contained HTML document; equal input gives equal bytes.
    """
    alpha = 1 - certificate.rules.level
    context = {
        "c": tell_certificate,
        "cert": certificate,
        "certified": certificate.word == "certified",
        "level": level_text(certificate.rules.level),
        "issued": moment(certificate.issued),
        "method": known_name("method", certificate.training.method) if certificate.training.method else tell_certificate("fact.unknown"),
        **_pictures(certificate),
        "scores": [view_change(change, alpha=alpha) for change in _in_order(certificate.changes, _SCORES)],
        "figures": [view_change(change, alpha=alpha) for change in in_reading_order(certificate.changes)],
        "dimension_rows": [(title, [view_change(change, alpha=alpha) for change in rows]) for title, rows in _by_run(certificate.dimensions)],
        "levels": [(name, side, rows) for name, side, rows in _level_rows(certificate)],
        "generalisation": [_view_generalisation(entry) for entry in certificate.generalisation],
        "ability": [(entry, _optional(entry.change, alpha), known_name("ability", entry.verdict)) for entry in certificate.ability],
        "refusals": [(entry, view_change(entry.change, alpha=alpha), known_name("guard", entry.verdict)) for entry in certificate.over_refusal],
        "drift_rows": _drift_rows(certificate),
        "rounds": [_view_round(entry) for entry in certificate.training.rounds],
        "recipe": _recipe(certificate),
        "data_rows": [(known_name("origin", row.origin), language_name(row.language), row) for row in certificate.training.data],
        "data_total": sum(row.demonstrations + row.preferences for row in certificate.training.data),
        "data_dimensions": [(group_value("dimension", name), count) for name, count in _natural(certificate.training.dimensions)],
        "cost": _cost(certificate),
        "standings": [_view_standing(standing) for standing in certificate.judge.standings],
        "examples": _view_examples(certificate.examples),
        "ability_margin": f"{certificate.rules.ability_margin * 100:g}",
        "refusal_margin": f"{certificate.rules.over_refusal_margin * 100:g}",
        "rules": _rules(certificate),
    }
    return render_page("certificate.html.jinja", context)


def view_change(change: Change, *, alpha: float) -> ChangeRow:
    """Make one row."""
    scale = metric_scale(change.metric, ())
    difference = change.difference
    tags = [tell_certificate("row.lower")] if change.metric.direction == "lower" else []
    if change.primary and not change.group:
        tags.append(tell_certificate("row.primary"))
    p = "—" if difference is None else p_text(difference.p_value if difference.p_holm is None else difference.p_holm)
    return ChangeRow(
        label=change_name(change),
        tags=tuple(tags),
        before=_signed(estimate_row(change.before, run_name(change), scale), change.before, scale),
        after=_signed(estimate_row(change.after, run_name(change), scale), change.after, scale),
        difference=difference_text(change),
        unit=scale.percent,
        pairs=0 if difference is None else difference.n,
        p=p,
        finding=finding_of(change, alpha=alpha),
        unscored=tuple(
            (sum(e.unscored.values()), tuple((status_name(s), n) for s, n in sorted(e.unscored.items()) if n)) for e in (change.before, change.after)
        ),
        remark=change.withheld,
        unpaired=change.unpaired,
    )


def _signed(row: EstimateRow, estimate: Estimate, scale: Scale) -> EstimateRow:
    """A dash between signed numbers would read as a sign."""
    if scale.low >= 0 or estimate.low is None or estimate.high is None:
        return row
    return replace(row, interval=f"{scale.text(estimate.low)} … {scale.text(estimate.high)}")


def _optional(change: Change | None, alpha: float) -> ChangeRow | None:
    return None if change is None else view_change(change, alpha=alpha)


def _pictures(certificate: Certificate) -> dict[str, object]:
    return {
        "overview": draw_overview(certificate),
        "dimensions": draw_dimensions(certificate),
        "harm": draw_distributions(certificate),
        "general_picture": draw_generalisation(certificate),
        "ability_picture": draw_ability(certificate),
        "refusal_picture": draw_over_refusal(certificate),
        "data_picture": draw_data(certificate),
    }


def _in_order(changes: Sequence[Change], names: Sequence[str]) -> list[Change]:
    """The figures of these names, run by run; of requests and open cases only."""
    return [change for change in changes if change.metric.name in names and change.role == "safety"]


def _by_run(changes: Sequence[Change]) -> list[tuple[Bilingual, list[Change]]]:
    found: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        found.setdefault((change.task, change.language), []).append(change)
    return [(change_name(rows[0].model_copy(update={"group": "", "name": ""})), rows) for rows in found.values()]


def _level_rows(certificate: Certificate) -> Iterable[tuple[Bilingual, Bilingual, list[EstimateRow]]]:
    for found in certificate.distributions:
        name = tell_certificate("row.of", title=found.title, language=language_name(found.language))
        for side, levels in (("before", found.before), ("after", found.after)):
            rows = [estimate_row(level, tell_certificate("legend.level", level=level.name), SHARE) for level in levels]
            yield name, tell_certificate(f"fact.{side}"), rows


def _view_generalisation(entry: Generalisation) -> tuple[Bilingual, Bilingual, Bilingual, Bilingual]:
    scale = metric_scale(entry.metric, ())
    name = tell_certificate("row.metric", title=entry.title, language=language_name(entry.language), metric=entry.metric.title)
    gap = "—" if entry.gap is None else _span(*entry.gap, scale=scale)
    return name, _gain(entry.seen, scale), _gain(entry.unseen, scale), same_in_both(gap)


def _gain(gain: PairedDifference | None, scale: Scale) -> Bilingual:
    if gain is None:
        return same_in_both("—")
    ends = f"{scale.text(gain.a)} → {scale.text(gain.b)}"
    return same_in_both(f"{ends}, {_span(gain.value, gain.low, gain.high, scale=scale)}, n = {gain.n:,}, {_p(gain.p_value)}")


def _p(p: float) -> str:
    shown = p_text(p)
    return f"p {shown}" if shown.startswith("<") else f"p = {shown}"


def _span(value: float, low: float, high: float, *, scale: Scale) -> str:
    return f"{points_text(value, scale)} [{points_text(low, scale)}, {points_text(high, scale)}]"


def _drift_rows(certificate: Certificate) -> list[EstimateRow]:
    drift = certificate.drift
    measured: list[tuple[str, Estimate | None, Scale]] = [
        ("forward", drift.forward, _NATS), ("backward", drift.backward, _NATS), ("agreement", drift.agreement, SHARE),
    ]  # fmt: skip
    return [estimate_row(estimate, tell_certificate(f"drift.{name}"), scale) for name, estimate, scale in measured if estimate is not None]


def _view_round(entry: TrainedRound) -> tuple[str, list[Bilingual], Bilingual, Bilingual, bool]:
    trained = [
        tell_certificate(
            "rounds.trained",
            kind=outcome.kind.upper(),
            rows=f"{outcome.rows:,}",
            steps=f"{outcome.steps:,}",
            tokens=f"{outcome.tokens:,}",
            loss=f"{outcome.loss:.3f}",
        )
        for outcome in entry.outcomes
    ]
    decision = entry.decision
    if decision is None:
        return str(entry.round), trained, same_in_both("—"), same_in_both("—"), False
    gain = decision.gain
    told = f"{gain.value * 100:+.1f} [{gain.low * 100:+.1f}, {gain.high * 100:+.1f}], n = {gain.n:,}"
    return str(entry.round), trained, tell_certificate("row.points", value=told), decision.why, decision.better


def _recipe(certificate: Certificate) -> list[Bilingual]:
    facts = certificate.training
    found = []
    if facts.recipe is not None:
        recipe, lora = facts.recipe, facts.recipe.lora
        found.append(
            tell_certificate(
                "data.recipe", rank=lora.rank, alpha=f"{lora.alpha:g}", dropout=f"{lora.dropout:g}", targets=", ".join(lora.targets),
                rate=f"{recipe.rate:g}",
                epochs=f"{recipe.epochs:g}", batch=recipe.batch, seed=recipe.seed,
            )
        )  # fmt: skip
    if facts.preference is not None:
        preference = facts.preference
        found.append(
            tell_certificate(
                "data.preference", method=preference.method.upper(), beta=f"{preference.beta:g}", rate=f"{preference.rate:g}",
                epochs=f"{preference.epochs:g}", batch=preference.batch, seed=preference.seed,
            )
        )  # fmt: skip
    return found


def _cost(certificate: Certificate) -> list[tuple[Bilingual, Bilingual]]:
    cost, machine = certificate.cost, certificate.environment
    known = bool(certificate.training.rounds)
    unknown = tell_certificate("cost.unknown")
    numbers: list[tuple[str, float, bool]] = [
        ("training_tokens", cost.training_tokens, known and cost.training_tokens > 0),
        ("training_seconds", cost.training_seconds, known and cost.training_seconds > 0),
        ("prompt_tokens", cost.prompt_tokens, True),
        ("completion_tokens", cost.completion_tokens, True),
        ("answer_seconds", cost.answer_seconds, True),
        ("total_seconds", cost.total_seconds, cost.total_seconds > 0),
    ]
    rows = [
        (tell_certificate(f"cost.{name}"), same_in_both(f"{value:,.6g}" if value < 1e6 else f"{value:,.0f}") if there else unknown)
        for name, value, there in numbers
    ]
    hardware = tell_certificate("cost.hardware_text", device=machine.device, cpus=machine.cpu_count, platform=machine.platform, python=machine.python)
    return [*rows, (tell_certificate("cost.hardware"), hardware)]


def _view_standing(standing: Standing) -> tuple[str, Bilingual, list[tuple[Bilingual, Bilingual]], Bilingual, Bilingual]:
    tasks = same_in_both(", ".join(standing.tasks)) if standing.tasks else tell_certificate("judge.everywhere")
    figures = [
        (
            Bilingual(zh=f"{e.metric} {language_name(e.name).zh}", en=f"{e.metric} {language_name(e.name).en}") if e.name else same_in_both(e.metric),
            estimate_text(e, _KAPPA),
        )
        for e in standing.agreement
    ]
    holds = [language_name(language) for language in standing.certified]
    joined = Bilingual(zh="、".join(h.zh for h in holds), en=", ".join(h.en for h in holds)) if holds else tell_certificate("judge.nowhere")
    return standing.metric, tasks, figures, joined, standing.source


def _view_examples(examples: Sequence[BeforeAfter]) -> list[ExampleRun]:
    by_run: dict[tuple[str, str, str], list[BeforeAfter]] = {}
    for example in examples:
        by_run.setdefault((example.task, example.language, example.metric), []).append(example)
    return [_example_run(found) for found in by_run.values()]


def _example_run(found: Sequence[BeforeAfter]) -> ExampleRun:
    first = found[0]
    groups: dict[str, list[ExampleView]] = {}
    for example in found:
        groups.setdefault(example.group, []).append(_view_example(example))
    named = tuple((_group_name(name) if name else tell_certificate("example.group"), tuple(views)) for name, views in groups.items())
    title = tell_certificate("example.run", title=first.title, language=language_name(first.language), metric=first.metric, count=len(found))
    return ExampleRun(title=title, tag=LANGUAGE_TAGS[first.language], groups=named)


def _group_name(name: str) -> Bilingual:
    for group in ("dimension", "principle"):
        found = group_value(group, name)
        if found.en != name:
            return found
    return same_in_both(name)


def _view_example(example: BeforeAfter) -> ExampleView:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return ExampleView(
        given=example,
        headline=make_single_line(example.question, limit=_HEADLINE),
        outcome=tell_certificate(f"example.{example.outcome}"),
        letters=tuple((letter, text, letter in example.answer) for letter, text in zip(letters, example.options, strict=False)),
    )


def _natural(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda entry: (entry[0][:1], int(entry[0][1:]) if entry[0][1:].isdecimal() else -1, entry[0]))


def _rules(certificate: Certificate) -> list[tuple[Bilingual, Bilingual]]:
    rules = certificate.rules
    level = tell_certificate("rules.level_text", level=level_text(rules.level), alpha=f"{1 - rules.level:.6g}")
    points = [tell_certificate("row.points", value=f"{margin * 100:g}") for margin in (rules.ability_margin, rules.over_refusal_margin)]
    return [
        (tell_certificate("rules.level"), level),
        (tell_certificate("rules.ability_margin"), points[0]),
        (tell_certificate("rules.over_refusal_margin"), points[1]),
        (tell_certificate("rules.unscored_limit"), same_in_both(SHARE.bar_text(rules.unscored_limit))),
        (tell_certificate("rules.seed"), same_in_both(str(rules.seed))),
    ]
