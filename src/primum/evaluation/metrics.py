"""Scores to estimates: every metric, overall and by group, each with its interval, its n and its unscored counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from primum.evaluation.judged import judged_cards
from primum.runs.store import RunStore
from primum.schema.card import MetricCard, TaskCard
from primum.schema.estimate import Estimate
from primum.stats.intervals import estimate_count, estimate_mean, estimate_proportion
from primum.stats.observations import Quantity
from primum.stats.resampling import Resampling

# One row a scored-or-not sample of a metric, in file order, so that seeded resampling sees the same order on every machine.
_SAMPLES = """
    SELECT i.id, i.cluster, {group} AS name, s.status, s.value
    FROM scores s JOIN items i ON i.id = s.item
    WHERE s.scorer = ? AND s.metric = ?
    ORDER BY i.position, s.epoch
"""
_COUNTS = """
    SELECT {group} AS name, s.status, count(*) AS n, coalesce(sum(s.value), 0) AS total,
           count(DISTINCT coalesce(nullif(i.cluster, ''), i.id)) AS clusters
    FROM scores s JOIN items i ON i.id = s.item
    WHERE s.scorer = ? AND s.metric = ?
    GROUP BY ALL ORDER BY ALL
"""


@dataclass(slots=True)
class _Cell:
    """What one estimate is made of."""

    successes: float = 0.0
    scored: int = 0
    clusters: int = 0
    unscored: dict[str, int] = field(default_factory=dict)


def estimate_run(store: RunStore, card: TaskCard) -> list[Estimate]:
    """All estimates of a run: each metric overall, then by each of the task's groups."""
    return [estimate for metric in scored_metrics(store, card) for group in ("", *card.groups) for estimate in _estimate_group(store, metric, group)]


def scored_metrics(store: RunStore, card: TaskCard) -> list[MetricCard]:
    """The metrics that have scores: the task's own, then those that only a judge's rubric knows.

    People's scores come first on any metric. Where the task's own scorer (a heuristic, the guardian) and a judge gave the same metric, the later
    scoring counts, since somebody asked for it; a judge also fills a pending metric of its name. What is not shown is kept on disk.
    """
    scorings = {(scorer, metric): number for scorer, metric, number in store.sql("SELECT scorer, metric, max(scoring) FROM scores GROUP BY ALL")}
    judged = judged_cards(store.directory)
    found: list[MetricCard] = []
    for metric in known_metrics(store, card).values():
        if ("precomputed", metric.name) in scorings:
            found.append(metric.model_copy(update={"scorer": "precomputed", "heuristic": False, "judged": False}))
            continue
        candidates = [metric, judged[metric.name]] if metric.name in judged else [metric]
        scored = [candidate for candidate in candidates if (candidate.scorer, candidate.name) in scorings]
        if scored:
            found.append(max(scored, key=lambda candidate: scorings[candidate.scorer, candidate.name]))
    return found


def known_metrics(store: RunStore, card: TaskCard) -> dict[str, MetricCard]:
    """The metrics that a run can have scores of, by name: the task's, and those of the rubrics it was judged by."""
    declared = {metric.name: metric for metric in (*card.metrics, *card.pending)}
    return declared | {name: metric for name, metric in judged_cards(store.directory).items() if name not in declared}


def _estimate_group(store: RunStore, metric: MetricCard, group: str) -> Iterator[Estimate]:
    """One estimate for each value of ``group`` (the overall one for the empty group)."""
    cells = _cells(store, metric, group)
    independent = metric.kind == "proportion" and all(cell.clusters == cell.scored for cell in cells.values())
    samples = {} if independent else _samples(store, metric, group)
    for name in sorted(cells, key=_natural):
        cell = cells[name]
        quantity = Quantity(metric=metric.name, group=group, name=name, unscored=cell.unscored, bounds=metric.bounds)
        level = store.spec.level
        values, clusters = samples.get(name, ([], []))
        if independent:
            yield estimate_count(round(cell.successes), cell.scored, quantity=quantity, level=level)
        elif metric.kind == "proportion":
            yield estimate_proportion(values, quantity=quantity, clusters=clusters, level=level)
        else:
            yield estimate_mean(values, quantity=quantity, clusters=clusters, resampling=Resampling(seed=store.spec.seed, level=level))


def _cells(store: RunStore, metric: MetricCard, group: str) -> dict[str, _Cell]:
    cells: dict[str, _Cell] = defaultdict(_Cell)
    for name, status, count, total, clusters in store.sql(_COUNTS.format(group=_column(group)), (metric.scorer, metric.name)):
        if name is None:
            continue
        cell = cells[name]
        if status == "scored":
            cell.successes, cell.scored, cell.clusters = total, count, clusters
        else:
            cell.unscored[status] = count
    return dict(cells)


def _samples(store: RunStore, metric: MetricCard, group: str) -> dict[str, tuple[list[float], list[str]]]:
    samples: dict[str, tuple[list[float], list[str]]] = defaultdict(lambda: ([], []))
    for identifier, cluster, name, status, value in store.sql(_SAMPLES.format(group=_column(group)), (metric.scorer, metric.name)):
        if name is not None and status == "scored":
            values, clusters = samples[name]
            values.append(value)
            clusters.append(cluster or identifier)
    return samples


def _column(group: str) -> str:
    """The SQL expression of a group; group names come from task cards and YAML mappings, so they are quoted."""
    return "i.groups['" + group.replace("'", "''") + "']" if group else "''"


def _natural(name: str) -> tuple[str, int, str]:
    """Sort E2 before E10."""
    head = name.rstrip("0123456789")
    tail = name[len(head) :]
    return (head, int(tail) if tail else -1, name)


def find_estimate(estimates: Sequence[Estimate], metric: str, *, group: str = "", name: str = "") -> Estimate | None:
    """The estimate of a metric in a group, or None."""
    return next((e for e in estimates if (e.metric, e.group, e.name) == (metric, group, name)), None)
