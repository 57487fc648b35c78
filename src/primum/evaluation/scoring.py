"""The scorers of a task, loaded once, and what they make of a response."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from primum.interfaces import Scorer
from primum.registry import Registry
from primum.schema.card import TaskCard
from primum.schema.item import Item
from primum.schema.response import Response
from primum.schema.score import Score

SCORERS: Final[Registry[type[Scorer]]] = Registry("primum.scorers", "scorer")


def load_scorers(card: TaskCard) -> tuple[Scorer, ...]:
    """One scorer for each name among the task's metrics, in order of first use."""
    names = dict.fromkeys(metric.scorer for metric in card.metrics)
    return tuple(SCORERS.get(name)() for name in names)


def scorer_fingerprints(scorers: Sequence[Scorer]) -> dict[str, str]:
    """What identifies the scorers that are more than their code, such as the weights of the guardian, by name."""
    found = {scorer.name: str(getattr(scorer, "fingerprint", "")) for scorer in scorers}
    return {name: fingerprint for name, fingerprint in found.items() if fingerprint}


def score_response(item: Item, response: Response, scorers: Sequence[Scorer]) -> list[Score]:
    """All scores of one response. Each scorer says which items are its own; what it makes of a fault is an ``engine_error``, whatever it says."""
    scores = [score for scorer in scorers for score in scorer.score(item, response)]
    if response.fault is None:
        return scores
    failed = {"status": "engine_error", "value": None, "label": "", "detail": response.fault.kind}
    return [score.model_copy(update=failed) for score in scores]
