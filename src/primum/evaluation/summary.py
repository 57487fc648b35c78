"""``summary.json``: what a run found, in one object."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from primum.evaluation.choice_diagnostics import diagnose_choices
from primum.evaluation.judged import describe_judging
from primum.evaluation.metrics import estimate_run, scored_metrics
from primum.evaluation.rater_agreement import measure_agreement
from primum.runs.store import RunStore
from primum.schema.card import TaskCard


def summarise(directory: Path, card: TaskCard) -> dict[str, Any]:
    """Estimates, counts and usage of a compacted run. Equal runs give equal summaries: no clock, no order of arrival."""
    with RunStore(directory) as store:
        estimates = estimate_run(store, card)
        items, samples = store.sql("SELECT (SELECT count(*) FROM items), (SELECT count(*) FROM responses)")[0]
        scored = scored_metrics(store, card)
        return {
            "task": card.name,
            "language": store.document["language"],
            "model": store.document["engine"]["uri"],
            "items": items,
            "samples": samples,
            "estimates": [estimate.model_dump(mode="json") for estimate in estimates],
            "choice": diagnose_choices(store, card, estimates),
            "agreement": measure_agreement(store),
            "judges": describe_judging(store, scored),
            "pending": [metric.name for metric in card.pending if metric.name not in {found.name for found in scored}],
            "heuristic": [metric.name for metric in scored if metric.heuristic],
            "usage": _usage(store),
            "prompts_sha256": _prompts_digest(store),
        }


def _usage(store: RunStore) -> dict[str, Any]:
    prompt, completion, cost, cached, faults = store.sql(
        "SELECT sum(prompt_tokens), sum(completion_tokens), sum(cost_usd), count(*) FILTER (cached),"
        " count(*) FILTER (fault_kind IS NOT NULL) FROM responses"
    )[0]
    return {
        "prompt_tokens": int(prompt or 0),
        "completion_tokens": int(completion or 0),
        "cost_usd": cost,
        "cached": cached,
        "faults": faults,
    }


def _prompts_digest(store: RunStore) -> str:
    digest = hashlib.sha256()
    for (prompt,) in store.sql("SELECT prompt_sha256 FROM items ORDER BY position"):
        digest.update(prompt.encode())
    return digest.hexdigest()
