"""Gates as a committee reads them: what each asks and why, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from primum.report.estimate_rows import EstimateRow, Marks, estimate_row, estimate_text, level_text
from primum.report.scales import SHARE, Scale, metric_scale
from primum.report.wording import group_title, group_value, language_name, phrase, same_in_both
from primum.schema.audit import AuditResult, Decision, GateResult, RunResult, Standing
from primum.schema.base import Bilingual, Language
from primum.schema.card import MetricCard
from primum.schema.estimate import Estimate
from primum.schema.spec import Gate

_KAPPA = Scale(low=-1.0, high=1.0, percent=False)
_NOTHING = Estimate(metric="none", value=None, low=None, high=None, n=0, method="none")


@dataclass(frozen=True, slots=True)
class GateRow:
    """One decision: a language, and a group value for a gate that decides group by group."""

    label: Bilingual
    code: str
    figure: EstimateRow
    decision: Decision
    reason: Bilingual
    judged: Bilingual | None


@dataclass(frozen=True, slots=True)
class GateBlock:
    """A gate's decisions on one language's run.

    Attributes:
        language: Which run.
        decision: The worst of its rows.
        rows: Every decision.
    """

    language: Bilingual
    decision: Decision
    rows: tuple[GateRow, ...]

    def of(self, decision: Decision) -> tuple[GateRow, ...]:
        """The rows that ended so."""
        return tuple(row for row in self.rows if row.decision == decision)

    @property
    def codes(self) -> dict[Decision, str]:
        """Short names of the groups that ended so: ``E7, S3``."""
        return {decision: ", ".join(row.code for row in self.of(decision)) for decision in _WORST_FIRST}


@dataclass(frozen=True, slots=True)
class GateView:
    """One gate.

    Attributes:
        anchor: Its id in the page.
        id: Its short name.
        title: Task and metric.
        demand: What it asks, in a sentence.
        why: Where the bar comes from.
        by_group: Title of the breakdown it decides on, or None.
        level: Confidence level of its intervals, as text.
        bar: The bar, as text.
        blocks: Decisions by language; empty when its task was not run.
        missing: Languages in which its task was skipped, so that nothing was decided.
    """

    anchor: str
    id: str
    title: Bilingual
    demand: Bilingual
    why: Bilingual
    by_group: Bilingual | None
    level: str
    bar: str
    blocks: tuple[GateBlock, ...]
    missing: tuple[Bilingual, ...]

    @property
    def undecided(self) -> bool:
        """True when it was not decided in some language, or at all."""
        return bool(self.missing) or not self.blocks

    @property
    def rows(self) -> tuple[GateRow, ...]:
        """Every decision, in all languages."""
        return tuple(row for block in self.blocks for row in block.rows)


_WORST_FIRST: tuple[Decision, ...] = ("fail", "not_certified", "pass")


def view_gates(result: AuditResult) -> tuple[GateView, ...]:
    """Every gate of the protocol, in its order; a gate whose task was not run is there too, without decisions."""
    return tuple(_view_gate(result, gate, position) for position, gate in enumerate(result.protocol.gates, start=1))


def gate_bar(result: AuditResult, run: RunResult, metric: str, group: str) -> float | None:
    """The bar that the protocol sets on a run's metric, overall or by group; the first where there are several."""
    return next((gate.bar for gate in result.protocol.gates if _reads(gate, run) and gate.metric == metric and gate.group == group), None)


def metric_of(run: RunResult, name: str) -> MetricCard | None:
    """The card of one of a run's metrics."""
    return next((card for card in (*run.card.metrics, *run.card.pending) if card.name == name), None)


def _reads(gate: Gate, run: RunResult) -> bool:
    return gate.task == run.card.name and gate.language in (None, run.language)


def _view_gate(result: AuditResult, gate: Gate, position: int) -> GateView:
    run = next((run for run in result.runs if _reads(gate, run)), None)
    card = metric_of(run, gate.metric) if run is not None else None
    estimates = [entry.estimate for entry in result.gates if entry.gate.id == gate.id and entry.estimate is not None]
    scale = metric_scale(card, estimates) if card is not None else _unknown_scale(gate)
    metric = card.title if card is not None else same_in_both(gate.metric)
    task = run.card.title if run is not None else same_in_both(gate.task)
    level = level_text(result.protocol.level)
    demand = phrase(
        f"gate.demand.{gate.comparison}",
        metric=metric,
        end=phrase(f"gate.end.{gate.deciding_end}"),
        level=level,
        bar=scale.bar_text(gate.bar),
        min_n=f"{gate.min_n:,}",
    )
    return GateView(
        anchor=f"gate-{position}",
        id=gate.id,
        title=Bilingual(zh=f"{task.zh}：{metric.zh}", en=f"{task.en}: {metric.en}"),
        demand=demand,
        why=gate.why,
        by_group=group_title(gate.group) if gate.group else None,
        level=level,
        bar=scale.bar_text(gate.bar),
        blocks=_blocks(result, gate, scale),
        missing=_missing(result, gate),
    )


def _missing(result: AuditResult, gate: Gate) -> tuple[Bilingual, ...]:
    return tuple(language_name(entry.language) for entry in result.skipped if entry.task == gate.task and gate.language in (None, entry.language))


def _blocks(result: AuditResult, gate: Gate, scale: Scale) -> tuple[GateBlock, ...]:
    chances = {run.language: _chance(run, gate) for run in result.runs if _reads(gate, run)}
    by_language: dict[Language, list[GateRow]] = {}
    for entry in result.gates:
        if entry.gate.id == gate.id:
            marks = Marks(bar=gate.bar, chance=chances.get(entry.language))
            by_language.setdefault(entry.language, []).append(_row(entry, gate, scale, marks))
    return tuple(
        GateBlock(language=language_name(language), decision=min((row.decision for row in rows), key=_WORST_FIRST.index), rows=tuple(rows))
        for language, rows in by_language.items()
    )


def _row(entry: GateResult, gate: Gate, scale: Scale, marks: Marks) -> GateRow:
    label = group_value(gate.group, entry.name) if gate.group and entry.name else language_name(entry.language)
    figure = estimate_row(entry.estimate or _NOTHING, label, scale, marks)
    judged = _judged(entry) if entry.standing is not None else None
    return GateRow(label=label, code=entry.name or "—", figure=figure, decision=entry.decision, reason=entry.reason, judged=judged)


def describe_standings(result: AuditResult, run: RunResult) -> tuple[Bilingual, ...]:
    """For each of a run's judged metrics: who judged, and how far the judge agrees with people on such answers."""
    sentences = []
    for card in run.card.metrics:
        if not card.judged:
            continue
        found = [
            standing
            for standing in result.standings
            if standing.metric == card.name and run.language in standing.languages and (not standing.tasks or run.card.name in standing.tasks)
        ]
        words = _describe(found[-1], run.language) if found else phrase("gate.unmeasured")
        sentences.append(phrase("gate.of_metric", metric=card.title, words=words))
    return tuple(sentences)


def _judged(entry: GateResult) -> Bilingual:
    """Who judged, and how far the judge agrees with people."""
    standing = entry.standing
    assert standing is not None  # noqa: S101 - the caller checked
    return _describe(standing, entry.language)


def _describe(standing: Standing, language: str) -> Bilingual:
    found = {e.metric: e for e in standing.agreement if e.group == "language" and e.name == language}
    kappa = found.get("kappa")
    agreement = phrase("gate.no_kappa") if kappa is None else phrase("gate.kappa", figure=estimate_text(kappa, _KAPPA))
    return phrase("gate.judged", judge=standing.judge, version=standing.judge_sha256[:12], agreement=agreement, source=standing.source)


def _chance(run: RunResult, gate: Gate) -> float | None:
    """The chance level beside a metric that takes it into account."""
    card = metric_of(run, gate.metric)
    choice = run.summary.get("choice") or {}
    value = choice.get("chance") if card is not None and card.chance else None
    return float(value) if value is not None else None


def _unknown_scale(gate: Gate) -> Scale:
    """A gate whose task never ran: its metric's card is not at hand."""
    return SHARE if 0 <= gate.bar <= 1 else Scale(low=0.0, high=gate.bar, percent=False)
