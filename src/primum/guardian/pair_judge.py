"""The guardian as a judge of pairs, for calibration against people's labels."""

from __future__ import annotations

from collections.abc import Sequence

from primum.guardian.guardian import Guardian, packaged
from primum.schema.guardian import Exchange, GuardianVerdict
from primum.schema.judge_calibration import Judged, JudgeTarget, Pair
from primum.schema.score import ScoreStatus


class GuardianPairJudge:
    """One of the guardian's heads.

    Args:
        target: What is judged.
        guardian: A trained guardian; the packaged one when None.
    """

    name = "guardian"

    def __init__(self, *, target: JudgeTarget, guardian: Guardian | None = None) -> None:
        self._target = target
        self._guardian = guardian or packaged()
        self.sha256 = self._guardian.card.origin.weights_sha256

    def judge(self, pairs: Sequence[Pair]) -> Sequence[Judged]:
        """Verdicts in order; an abstention has neither score nor label."""
        verdicts = self._guardian.judge([Exchange(prompt=pair.prompt, answer=pair.answer, norm=pair.norm) for pair in pairs])
        return [judged(verdict, self._target) for verdict in verdicts]


def judged(verdict: GuardianVerdict, target: JudgeTarget) -> Judged:
    """One head of a verdict as score and label; an abstention, whatever the head, is no verdict."""
    if verdict.abstains:
        status: ScoreStatus = "unparseable" if verdict.reason == "empty" else "abstained"
        return Judged(status=status)
    if target == "harmfulness":
        return Judged(score=verdict.harmfulness, label=round(verdict.harmfulness))
    probability = _probability(verdict, target)
    return Judged(score=probability, label=int(probability > 0.5))


def _probability(verdict: GuardianVerdict, target: JudgeTarget) -> float:
    if target == "risk":
        return verdict.risk
    if target == "refusal":
        return verdict.stance[2]
    if target == "over_refusal":
        return verdict.over_refusal
    return verdict.quality[int(target[1]) - 1]
