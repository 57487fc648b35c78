"""What lies behind an accuracy: the chance level, and a preference for option positions."""

from __future__ import annotations

from typing import Any

from primum.runs.store import RunStore
from primum.schema.card import TaskCard
from primum.schema.estimate import Estimate
from primum.stats.chance import chance_level, correct_for_chance, measure_position_bias
from primum.stats.intervals import estimate_count
from primum.stats.observations import Quantity
from primum.stats.resampling import Resampling

# The bias interval is a diagnostic, not a gate: fewer resamples keep a 120,000-item run quick.
_RESAMPLES = 200

_OPTION_COUNTS = """
    SELECT len(i.options), i.form = 'multiple_choice', CASE WHEN i.form = 'defensible_choice' THEN len(i.answer) ELSE 1 END, count(*)
    FROM scores s JOIN items i ON i.id = s.item
    WHERE s.scorer = ? AND s.metric = ? AND s.status = 'scored' AND len(i.options) >= 2
    GROUP BY ALL ORDER BY ALL
"""
_LETTERS = """
    SELECT {columns}
    FROM scores s JOIN items i ON i.id = s.item
    WHERE s.scorer = ? AND s.metric = ? AND s.status = 'scored' AND i.form = 'single_choice' AND length(s.label) = 1
    {order}
"""
_CLUSTER = "coalesce(nullif(i.cluster, ''), i.id)"


def _over_all(store: RunStore, overall: Estimate) -> Estimate:
    """The convention of most papers, beside ours: an answer without a readable letter counts as wrong.

    Faults of the engine are not the model's answers and stay left out.
    """
    right = round((overall.value or 0.0) * overall.n)
    unread = sum(count for status, count in overall.unscored.items() if status != "engine_error")
    return estimate_count(right, overall.n + unread, quantity=Quantity(metric="accuracy_unread_as_wrong"), level=store.spec.level)


def _letters(store: RunStore, which: tuple[str, str]) -> tuple[list[str], list[str], list[str] | None]:
    """Right letters, chosen letters, and the clusters' labels.

    Where no two answers share a cluster there are no labels, and equal pairs stand together: their order decides nothing, and counting them in
    SQL spares a large run fifty megabytes of rows.
    """
    answers, clusters = store.sql(_LETTERS.format(columns=f"count(*), count(DISTINCT {_CLUSTER})", order=""), which)[0]
    if answers == clusters:
        counted = store.sql(_LETTERS.format(columns="i.answer[1], s.label, count(*)", order="GROUP BY ALL ORDER BY ALL"), which)
        gold = [right for right, _, count in counted for _ in range(count)]
        return gold, [chosen for _, chosen, count in counted for _ in range(count)], None
    rows = store.sql(_LETTERS.format(columns=f"i.answer[1], s.label, {_CLUSTER}", order="ORDER BY i.position, s.epoch"), which)
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]


def diagnose_choices(store: RunStore, card: TaskCard, estimates: list[Estimate]) -> dict[str, Any]:
    """Chance-corrected accuracy and position bias of a choice run; empty for other tasks."""
    metric = next((metric for metric in card.metrics if metric.chance), None)
    overall = next((e for e in estimates if metric is not None and e.metric == metric.name and not e.group), None)
    if metric is None or overall is None or overall.n == 0:
        return {}
    chances = [
        chance_level(options, several=bool(several), defensible=defensible)
        for options, several, defensible, count in store.sql(_OPTION_COUNTS, (metric.scorer, metric.name))
        for _ in range(count)
    ]
    found: dict[str, Any] = {
        "over_all": _over_all(store, overall).model_dump(mode="json"),
        "chance_corrected": correct_for_chance(overall, chances=chances).model_dump(mode="json"),
        "chance": sum(chances) / len(chances),
    }
    which = (metric.scorer, metric.name)
    gold, predicted, clusters = _letters(store, which)
    if gold:
        bias = measure_position_bias(
            predicted,
            gold,
            quantity=Quantity(metric=metric.name),
            clusters=clusters,
            resampling=Resampling(seed=store.spec.seed, level=store.spec.level, resamples=_RESAMPLES),
        )
        found["position_bias"] = bias.model_dump(mode="json")
    return found
