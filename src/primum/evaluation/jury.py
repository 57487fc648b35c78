"""Several judges on one answer: a quorum, one figure from their verdicts, and how far they agree. A failed judge never counts as 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from primum.errors import UsageError
from primum.evaluation.judge_asking import Reply
from primum.evaluation.judge_cases import Case
from primum.evaluation.panel_agreement import describe_agreement
from primum.schema.card import MetricCard
from primum.schema.score import Score
from primum.scorers.judging.rubric import JudgeRubric
from primum.stats.intervals import estimate_mean, estimate_proportion
from primum.stats.observations import Quantity
from primum.stats.resampling import Resampling

_DETAIL_LIMIT = 500
_LABEL_LIMIT = 200
Replies = Mapping[str, Reply]


def least_valid(judges: int, quorum: int | None) -> int:
    """How many valid verdicts an answer needs: more than half, unless said otherwise.

    Raises:
        UsageError: The quorum is more than there are judges, or less than one.
    """
    if quorum is None:
        return judges // 2 + 1
    if not 1 <= quorum <= judges:
        raise UsageError(f"a quorum of {quorum} does not fit {judges} judge{'s' if judges > 1 else ''}", remedy=f"give --quorum from 1 to {judges}")
    return quorum


def settle(rubric: JudgeRubric, case: Case, replies: Sequence[Reply], *, quorum: int) -> list[Score]:
    """The scores of one answer from all judges' replies."""
    valid = [(number, reply.verdict) for number, reply in enumerate(replies, start=1) if reply.verdict is not None]
    if len(valid) < quorum:
        why = "; ".join(dict.fromkeys(reply.why for reply in replies if reply.verdict is None))
        short = why if len(replies) == 1 else f"quorum: {len(valid)} of {len(replies)} verdicts are valid, {quorum} are needed; {why}"
        return [_error(rubric, case, card, short) for card in rubric.metrics]
    told = [rubric.describe(verdict, case.exchange) for _, verdict in valid]
    if len(replies) == 1:
        label, detail = told[0], f"{told[0]}: {valid[0][1].reason}"
    else:
        label = " | ".join(told)
        detail = " | ".join(f"judge {number}: {said}: {verdict.reason}" for (number, verdict), said in zip(valid, told, strict=True))
    found = rubric.combine([verdict for _, verdict in valid], case.exchange)
    scores: list[Score] = []
    for card in rubric.metrics:
        if card.name not in found:
            continue
        value = found[card.name]
        if value is None:
            scores.append(_error(rubric, case, card, f"tie | {detail}"))
        else:
            fields = {"key": case.key, "scorer": rubric.name, "metric": card.name, "status": "scored", "value": value}
            scores.append(Score.model_validate({**fields, "label": label[:_LABEL_LIMIT], "detail": detail[:_DETAIL_LIMIT]}))
    return scores


def _error(rubric: JudgeRubric, case: Case, card: MetricCard, why: str) -> Score:
    return Score(key=case.key, scorer=rubric.name, metric=card.name, status="judge_error", detail=why[:_DETAIL_LIMIT])


def tabulate_judge(rubric: JudgeRubric, cases: Sequence[Case], replies: Replies, *, resampling: Resampling) -> dict[str, Any]:
    """One judge's own figures: how many cases it judged, how many of its replies were none, and each metric by it alone."""
    statuses = [replies[case.key].status for case in cases]
    by_metric: dict[str, tuple[list[float], list[str]]] = {card.name: ([], []) for card in rubric.metrics}
    for case in cases:
        for name, value in _measured(rubric, case, replies).items():
            by_metric[name][0].append(value)
            by_metric[name][1].append(case.cluster)
    estimates = {}
    for card in rubric.metrics:
        values, clusters = by_metric[card.name]
        quantity = Quantity(metric=card.name, bounds=card.bounds)
        if card.kind == "proportion":
            estimates[card.name] = estimate_proportion(values, quantity=quantity, clusters=clusters, level=resampling.level)
        else:
            estimates[card.name] = estimate_mean(values, quantity=quantity, clusters=clusters, resampling=resampling)
    return {
        "cases": len(cases),
        "valid": statuses.count("valid"),
        "malformed": statuses.count("malformed"),
        "refused": statuses.count("refused"),
        "faults": statuses.count("fault"),
        "asked_again": sum(replies[case.key].attempts > 1 for case in cases),
        "estimates": {name: estimate.model_dump(mode="json") for name, estimate in estimates.items()},
    }


def measure_agreement(rubric: JudgeRubric, cases: Sequence[Case], panel: Sequence[Replies], *, resampling: Resampling) -> dict[str, Any]:
    """How far the judges agree on each metric; empty for one judge.

    Krippendorff's alpha for any number of judges. Two judges also get Cohen's kappa, with quadratic weights where a metric has whole levels.
    """
    if len(panel) < 2:
        return {}
    found: dict[str, Any] = {}
    for card in rubric.metrics:
        rows = [[_measured(rubric, case, replies).get(card.name) for case in cases] for replies in panel]
        found[card.name] = describe_agreement(card, rows, clusters=[case.cluster for case in cases], resampling=resampling)
    return found


def _measured(rubric: JudgeRubric, case: Case, replies: Replies) -> Mapping[str, float]:
    verdict = replies[case.key].verdict
    return {} if verdict is None else rubric.measure(verdict, case.exchange)
