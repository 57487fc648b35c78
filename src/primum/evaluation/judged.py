"""What judges left in a run: ``judges/NNN-judge-....json``, one for each scoring by a rubric."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from primum.evaluation.panel_agreement import describe_agreement
from primum.runs import layout
from primum.runs.store import RunStore
from primum.schema.card import MetricCard
from primum.stats.resampling import Resampling

FOLDER: Final = "judges"
_BOTH = """
    SELECT j.value, p.value, coalesce(nullif(i.cluster, ''), i.id)
    FROM scores j JOIN scores p ON p.key = j.key AND p.metric = j.metric AND p.scorer = 'precomputed' AND p.status = 'scored'
    JOIN items i ON i.id = j.item
    WHERE j.scorer = ? AND j.metric = ? AND j.status = 'scored' ORDER BY i.position, j.epoch
"""


def judge_documents(directory: Path) -> list[dict[str, Any]]:
    """The newest scoring of each rubric, oldest first. A document without its scores is what an interruption left, and is passed over."""
    newest: dict[str, dict[str, Any]] = {}
    for path in sorted((directory / FOLDER).glob("*.json")):
        if (directory / layout.SCORES / f"{path.stem}.parquet").exists():
            document: dict[str, Any] = layout.read_json(path)
            newest.pop(document["rubric"], None)
            newest[document["rubric"]] = document
    return list(newest.values())


def judged_cards(directory: Path) -> dict[str, MetricCard]:
    """The metrics that judges gave, by name; where two rubrics give one, the later scoring's."""
    cards = (MetricCard.model_validate(card) for document in judge_documents(directory) for card in document["metrics"])
    return {card.name: card for card in cards}


def describe_judging(store: RunStore, shown: list[MetricCard]) -> list[dict[str, Any]]:
    """For the summary: which judge stands behind which of the figures shown, and how far it agrees with people where both scored the same.

    Args:
        store: The run.
        shown: The metrics with estimates; a metric that people scored is shown from their scores, and the judge's then only compared with them.
    """
    resampling = Resampling(seed=store.spec.seed, level=store.spec.level)
    found: list[dict[str, Any]] = []
    for document in judge_documents(store.directory):
        cards = [MetricCard.model_validate(card) for card in document["metrics"]]
        people = {card.name: agreement for card in cards if (agreement := _against_people(store, card, resampling)) is not None}
        scorers = {card.name: card.scorer for card in shown}
        found.append(
            {
                "scoring": document["scoring"],
                "rubric": document["rubric"],
                "version": document["version"],
                "prompt_sha256": document["prompt_sha256"],
                "judges": [judge["uri"] for judge in document["judges"]],
                "quorum": document["quorum"],
                "metrics": [card.name for card in cards if scorers.get(card.name) == card.scorer],
                "agreement": document["agreement"],
                "people": people,
            }
        )
    return found


def _against_people(store: RunStore, card: MetricCard, resampling: Resampling) -> dict[str, Any] | None:
    rows = store.sql(_BOTH, (card.scorer, card.name))
    if not rows:
        return None
    # Rated by several, a proportion is no longer 0 or 1.
    whole = all(people in {0.0, 1.0} for _, people, _ in rows)
    measured = card if whole or card.kind == "mean" else card.model_copy(update={"kind": "mean"})
    columns = [[row[0] for row in rows], [row[1] for row in rows]]
    return describe_agreement(measured, columns, clusters=[row[2] for row in rows], resampling=resampling)
