"""Scoring a finished run again, and correcting single scores. Earlier scores are kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from primum.config import parse_model
from primum.errors import UsageError
from primum.evaluation.metrics import known_metrics
from primum.evaluation.scoring import SCORERS, score_response
from primum.evaluation.summary import summarise
from primum.interfaces import Scorer
from primum.registry import nearest
from primum.runs import layout
from primum.runs.store import RunStore, add_scoring, append_amendment
from primum.schema.card import MetricCard
from primum.schema.item import Item
from primum.schema.response import Response
from primum.schema.score import Amendment, Score
from primum.scorers.precomputed import PrecomputedScorer, PrecomputedSpec
from primum.tables import read_assignments
from primum.tasks.opening import open_task

_ROWS = """
    SELECT i.id, i.task, i.language, i.form, i.question, i.options, i.answer, i.reference, i.norm, i.groups, i.cluster,
           r.key, r.text, r.finish, r.choice_logprobs, r.fault_kind, r.fault_message
    FROM responses r JOIN items i ON i.id = r.item ORDER BY i.position, r.epoch
"""


@dataclass(frozen=True, slots=True)
class RescoreOrder:
    """What to score again.

    Attributes:
        run: Run folder.
        scorer: Registered scorer.
        scores: File of people's scores, for ``precomputed``.
        metric: What the file's scores measure.
        columns: ``item=COLUMN,value=COLUMN,rater=COLUMN``.
        labels: ``LABEL=VALUE,LABEL=VALUE`` for files with words instead of numbers.
        aggregate: ``mean`` or ``majority`` of several raters.
    """

    run: Path
    scorer: str
    scores: Path | None = None
    metric: str = ""
    columns: str = ""
    labels: str = ""
    aggregate: str = "mean"


def rescore(order: RescoreOrder) -> None:
    """Score a run's stored responses and make its summary anew.

    Raises:
        UnknownNameError: No such scorer.
        UsageError: The scorer needs a file, or the metric is not the task's.
        DataFormatError: The file's rows do not fit the run.
    """
    with layout.locked(order.run):
        with RunStore(order.run) as store:
            card = open_task(store.spec.task).card
            pairs = list(stored_pairs(store))
            declared = known_metrics(store, card)
        scorer = _load_scorer(order, [item.id for item, _ in pairs], declared)
        if not declared.keys() & set(scorer.metrics):
            raise UsageError(
                f"scorer {order.scorer!r} gives {', '.join(scorer.metrics)}; task {card.name} has {', '.join(sorted(declared))}",
                remedy="choose another scorer, or name one of the task's metrics with --metric",
            )
        scores: list[Score] = [score for item, response in pairs for score in score_response(item, response, (scorer,))]
        add_scoring(order.run, order.scorer, scores)
        layout.write_json(order.run / layout.SUMMARY, summarise(order.run, card))


def amend(run: Path, *, key: str, scorer: str, metric: str, value: float | None, status: str, who: str, why: str) -> None:
    """Correct one score; who, when and why are kept.

    Raises:
        InputError: There is no such score.
        ConfigError: The status is not known.
    """
    fields: dict[str, Any] = {
        "key": key, "scorer": scorer, "metric": metric, "value": value, "status": "scored" if value is not None else status,
        "who": who, "why": why, "when": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    }  # fmt: skip
    amendment = parse_model(fields, Amendment, "amendment")
    with layout.locked(run):
        append_amendment(run, amendment)
        with RunStore(run) as store:
            card = open_task(store.spec.task).card
        layout.write_json(run / layout.SUMMARY, summarise(run, card))
        (run / layout.REPORT).unlink(missing_ok=True)


def _load_scorer(order: RescoreOrder, item_ids: list[str], metrics: Mapping[str, MetricCard]) -> Scorer:
    kind: Any = SCORERS.get(order.scorer)
    if order.scorer != "precomputed":
        return cast(Scorer, kind())
    if order.scores is None or not order.metric:
        raise UsageError("people's scores need a file and a metric", remedy="give --scores FILE --metric NAME")
    return PrecomputedScorer(_precomputed_spec(order, metrics), item_ids=item_ids)


def _precomputed_spec(order: RescoreOrder, metrics: Mapping[str, MetricCard]) -> PrecomputedSpec:
    """The file's description; the scale is the metric's own."""
    if order.metric not in metrics:
        raise UsageError(f"the task has no metric {order.metric!r}", remedy=nearest(order.metric, metrics))
    low, high = metrics[order.metric].bounds or (0.0, 1.0)
    fields: dict[str, Any] = {
        "path": order.scores, "metric": order.metric, "columns": read_assignments(order.columns, "--columns"), "low": low, "high": high,
        "labels": read_assignments(order.labels, "--labels"), "aggregate": order.aggregate,
    }  # fmt: skip
    return parse_model(fields, PrecomputedSpec, "command line")


def stored_pairs(store: RunStore) -> Iterator[tuple[Item, Response]]:
    """The run's items with their answers, in file order. Earlier turns of a conversation are not among what a run keeps."""
    for row in store.sql(_ROWS):
        item = Item.model_validate(_item_fields(row[:11]))
        key, text, finish, logprobs, fault_kind, fault_message = row[11:]
        fault = {"kind": fault_kind, "message": fault_message or ""} if fault_kind else None
        yield item, Response.model_validate({"key": key, "text": text, "finish": finish, "choice_logprobs": logprobs or (), "fault": fault})


def _item_fields(row: tuple[Any, ...]) -> dict[str, Any]:
    names = ("id", "task", "language", "form", "question", "options", "answer", "reference", "norm", "groups", "cluster")
    return dict(zip(names, row, strict=True))
