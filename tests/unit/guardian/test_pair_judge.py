"""The guardian as a judge of pairs: one head each, and no verdict where it abstains."""

from __future__ import annotations

import pytest

from primum.guardian.pair_judge import GuardianPairJudge, judged
from primum.schema.judge_calibration import JUDGE_TARGETS, JudgeTarget, Pair
from tests.guardian_factory import SHA, StubGuardian, abstention, verdict

FOUND = verdict(0.7, harmfulness=3.6, quality=(0.9, 0.2, 0.6, 0.4), stance=(0.2, 0.1, 0.7), over_refusal=0.3)


@pytest.mark.parametrize(
    ("target", "score", "label"),
    [
        ("risk", 0.7, 1), ("harmfulness", 3.6, 4), ("refusal", 0.7, 1), ("over_refusal", 0.3, 0), ("q1", 0.9, 1), ("q2", 0.2, 0), ("q3", 0.6, 1),
        ("q4", 0.4, 0),
    ],
)  # fmt: skip
def test_each_target_is_a_head(target: JudgeTarget, score: float, label: int) -> None:
    found = judged(FOUND, target)
    assert found.score == pytest.approx(score)
    assert (found.label, found.status) == (label, "scored")


@pytest.mark.parametrize("target", JUDGE_TARGETS)
@pytest.mark.parametrize(
    ("reason", "status"), [("empty", "unparseable"), ("uncertain", "abstained"), ("unfamiliar", "abstained"), ("language", "abstained")]
)
def test_an_abstention_has_neither(target: JudgeTarget, reason: str, status: str) -> None:
    found = judged(abstention(reason), target)
    assert (found.score, found.label, found.status) == (None, None, status)


def test_pairs_are_judged_in_order() -> None:
    stub = StubGuardian(lambda exchange: verdict(float(exchange.answer)))
    judge = GuardianPairJudge(target="risk", guardian=stub)
    pairs = [Pair(key=str(n), prompt="p", answer=f"0.{n}", language="en", norm="cn-a-law/art-1-x") for n in (3, 9, 1)]
    assert [found.score for found in judge.judge(pairs)] == [0.3, 0.9, 0.1]
    assert {exchange.norm for exchange in stub.shown} == {"cn-a-law/art-1-x"}
    assert (judge.name, judge.sha256) == ("guardian", SHA)
