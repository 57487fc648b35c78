"""One run as tables, for the dossier and for a run's own page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from primum.report.estimate_rows import EstimateRow, Marks, breakdowns, estimate_row, estimate_text, group_rows, level_text
from primum.report.position_bias import BiasView, describe_bias
from primum.report.run_facts import JudgingFacts, SummaryFacts
from primum.report.scales import SHARE, Scale
from primum.report.visible_text import make_single_line
from primum.report.wording import group_title, language_name, phrase, same_in_both
from primum.schema.base import Bilingual
from primum.schema.estimate import Estimate

_AGREEMENT: Final = Scale(low=-1.0, high=1.0, percent=False)
_URI_LIMIT: Final = 160
_HASH_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class GroupTable:
    """One metric broken down by one group."""

    title: Bilingual
    metric: Bilingual
    rows: tuple[EstimateRow, ...]


@dataclass(frozen=True, slots=True)
class MetricNames:
    """How a run's metrics are titled and scaled.

    Attributes:
        titles: Metric to title.
        scales: Metric to scale.
        bars: Metric and group to the bar that a gate sets there, where there is one.
    """

    titles: Mapping[str, Bilingual]
    scales: Mapping[str, Scale]
    bars: Mapping[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class UsageView:
    """What a run cost."""

    prompt_tokens: int
    completion_tokens: int
    cost: str | None
    cached: int
    faults: int


@dataclass(frozen=True, slots=True)
class JudgingView:
    """Which judge stands behind which figures, and how far it is to be believed.

    Attributes:
        metrics: Titles of the metrics whose figures come from it.
        judges: URIs of the judges.
        rubric: The rubric's name.
        version: The rubric's version.
        prompt: The first twelve digits of the hash of the rubric's words.
        agreement: One sentence for each agreement that was measured.
    """

    metrics: tuple[Bilingual, ...]
    judges: tuple[Bilingual, ...]
    rubric: str
    version: str
    prompt: str
    agreement: tuple[Bilingual, ...]


@dataclass(frozen=True, slots=True)
class RunView:
    """Everything the run section shows.

    Attributes:
        anchor: Its id in the page.
        title: The task's title.
        task: The task's registered name.
        language: The language asked.
        level: Confidence level of all intervals, as text.
        items: Number of questions.
        samples: Number of answers.
        overall: One row for each metric; the chance-corrected accuracy follows where there is one.
        chance: The chance level as text, or None.
        bias: Position bias, or None for tasks without single-choice questions.
        groups: Breakdowns.
        heuristic: Titles of metrics by rules of thumb.
        pending: Titles of metrics that wait for a judge or people.
        judged: The judges behind judged figures.
        standing: What is known of the guardian behind its figures, one sentence a metric.
        usage: Tokens and faults.
        prompts_sha256: Hash of all prompts.
    """

    anchor: str
    title: Bilingual
    task: str
    language: Bilingual
    level: str
    items: int
    samples: int
    overall: tuple[EstimateRow, ...]
    chance: str | None
    bias: BiasView | None
    groups: tuple[GroupTable, ...]
    heuristic: tuple[Bilingual, ...]
    pending: tuple[Bilingual, ...]
    judged: tuple[JudgingView, ...]
    standing: tuple[Bilingual, ...]
    usage: UsageView
    prompts_sha256: str


def view_run(facts: SummaryFacts, names: MetricNames, *, anchor: str, title: Bilingual, level: float, standing: Sequence[Bilingual] = ()) -> RunView:
    """Arrange a run's figures."""
    return RunView(
        anchor=anchor,
        title=title,
        task=facts.task,
        language=language_name(facts.language),
        level=level_text(level),
        items=facts.items,
        samples=facts.samples,
        overall=_overall(facts, names),
        chance=None if facts.choice.chance is None else SHARE.text(facts.choice.chance),
        bias=None if facts.choice.position_bias is None else describe_bias(facts.choice.position_bias, level=level),
        groups=_groups(facts, names),
        heuristic=tuple(_title(names, metric) for metric in facts.heuristic),
        pending=tuple(_title(names, metric) for metric in facts.pending),
        judged=tuple(_judging(judging, names) for judging in facts.judges if judging.metrics),
        standing=tuple(standing),
        usage=_usage(facts),
        prompts_sha256=facts.prompts_sha256,
    )


def _overall(facts: SummaryFacts, names: MetricNames) -> tuple[EstimateRow, ...]:
    rows: list[EstimateRow] = []
    corrected = facts.choice.chance_corrected
    for estimate in facts.estimates:
        if estimate.group:
            continue
        with_chance = corrected is not None and corrected.metric.startswith(f"{estimate.metric}_")
        marks = Marks(bar=names.bars.get((estimate.metric, "")), chance=facts.choice.chance if with_chance else None)
        rows.append(estimate_row(estimate, _title(names, estimate.metric), names.scales[estimate.metric], marks))
        if corrected is not None and with_chance:
            rows.append(_without_bar(corrected, phrase("run.corrected", title=_title(names, estimate.metric))))
    return tuple(rows)


def _without_bar(estimate: Estimate, label: Bilingual) -> EstimateRow:
    """Chance-corrected values may be negative, so they do not fit the bar of a share."""
    row = estimate_row(estimate, label, SHARE)
    return EstimateRow(row.label, row.value, row.interval, row.n, row.clusters, row.unscored, bar=None)


def _groups(facts: SummaryFacts, names: MetricNames) -> tuple[GroupTable, ...]:
    tables: list[GroupTable] = []
    for metric in metrics_of(facts.estimates):
        found = [estimate for estimate in facts.estimates if estimate.metric == metric]
        for group in breakdowns(found, metric):
            marks = Marks(bar=names.bars.get((metric, group)))
            rows = group_rows(found, group, names.scales[metric], marks)
            tables.append(GroupTable(title=group_title(group), metric=_title(names, metric), rows=rows))
    return tuple(tables)


def metrics_of(estimates: Sequence[Estimate]) -> tuple[str, ...]:
    """Metric names in order of appearance."""
    return tuple(dict.fromkeys(estimate.metric for estimate in estimates))


def _title(names: MetricNames, metric: str) -> Bilingual:
    return names.titles.get(metric) or same_in_both(metric)


def _judging(judging: JudgingFacts, names: MetricNames) -> JudgingView:
    measured = (("run.judges_agree", judging.agreement), ("run.judge_and_people", judging.people))
    sentences = [
        phrase(key, metric=_title(names, metric), figure=estimate_text(found.alpha, _AGREEMENT))
        for key, group in measured
        for metric, found in group.items()
        if metric in judging.metrics or group is judging.people
    ]
    if not judging.people:
        sentences.append(phrase("run.judge_unmeasured"))
    return JudgingView(
        metrics=tuple(_title(names, metric) for metric in judging.metrics),
        judges=tuple(same_in_both(make_single_line(uri, limit=_URI_LIMIT)) for uri in judging.judges),
        rubric=judging.rubric,
        version=judging.version,
        prompt=judging.prompt_sha256[:_HASH_DIGITS],
        agreement=tuple(sentences),
    )


def _usage(facts: SummaryFacts) -> UsageView:
    usage = facts.usage
    cost = None if usage.cost_usd is None else f"${usage.cost_usd:.4f}"
    return UsageView(usage.prompt_tokens, usage.completion_tokens, cost, usage.cached, usage.faults)
