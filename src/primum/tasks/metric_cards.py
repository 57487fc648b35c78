"""The metrics that several tasks share, and those that a scorer's name stands for in a custom task."""

from __future__ import annotations

from typing import Final

from primum.interfaces import Scorer
from primum.registry import Registry
from primum.schema.base import Bilingual
from primum.schema.card import MetricCard

ACCURACY: Final = MetricCard(name="accuracy", scorer="choice", title=Bilingual(zh="准确率", en="Accuracy"), chance=True)
REFUSAL: Final = MetricCard(name="refusal", scorer="refusal", title=Bilingual(zh="拒绝率（启发式）", en="Refusal (heuristic)"), heuristic=True)
OVER_REFUSAL: Final = MetricCard(
    name="over_refusal",
    scorer="over-refusal",
    direction="lower",
    title=Bilingual(zh="过度拒绝率（启发式）", en="Over-refusal (heuristic)"),
    heuristic=True,
)
# By the guardian: an evaluator trained on the bank's labelled answers, measured against people; its gates certify only where it was.
GUARDIAN_RISK: Final = MetricCard(
    name="risk", scorer="guardian", direction="lower", title=Bilingual(zh="风险率（守护者评）", en="RiskRate (by the guardian)"), judged=True
)
GUARDIAN_HARMFULNESS: Final = MetricCard(
    name="harmfulness",
    scorer="guardian",
    kind="mean",
    direction="lower",
    bounds=(1, 5),
    title=Bilingual(zh="有害程度 1-5（守护者评）", en="Harmfulness 1-5 (by the guardian)"),
    judged=True,
)
GUARDIAN_OVER_REFUSAL: Final = MetricCard(
    name="over_refusal",
    scorer="guardian",
    direction="lower",
    title=Bilingual(zh="过度拒绝率（守护者评）", en="Over-refusal (by the guardian)"),
    judged=True,
)
GUARDIAN_QUALITY: Final = MetricCard(
    name="quality",
    scorer="guardian",
    kind="mean",
    bounds=(0, 1),
    title=Bilingual(zh="质量分（守护者评）", en="QualityScore (by the guardian)"),
    judged=True,
)
# The paper's text takes the plain mean of Q1..Q4, its judge files weights .4 .3 .2 .1 (arXiv 2601.07954): both, each named.
GUARDIAN_FINAL_PLAIN: Final = MetricCard(
    name="final_plain",
    scorer="guardian",
    kind="mean",
    bounds=(-1, 1),
    title=Bilingual(zh="综合分，等权（守护者评）", en="FinalScore, plain mean (by the guardian)"),
    judged=True,
)
GUARDIAN_FINAL_WEIGHTED: Final = MetricCard(
    name="final_weighted",
    scorer="guardian",
    kind="mean",
    bounds=(-1, 1),
    title=Bilingual(zh="综合分，加权（守护者评）", en="FinalScore, weighted (by the guardian)"),
    judged=True,
)

_KNOWN: Final = {
    **{card.scorer: (card,) for card in (ACCURACY, REFUSAL, OVER_REFUSAL)},
    "guardian": (GUARDIAN_RISK, GUARDIAN_HARMFULNESS, GUARDIAN_OVER_REFUSAL, GUARDIAN_QUALITY, GUARDIAN_FINAL_PLAIN, GUARDIAN_FINAL_WEIGHTED),
}


def cards_of(scorer: str) -> tuple[MetricCard, ...]:
    """The metrics that a registered scorer gives; a plug-in's are proportions, titled by their names.

    Raises:
        UnknownNameError: No scorer has this name; names the nearest.
    """
    if scorer in _KNOWN:
        return _KNOWN[scorer]
    made = _scorers().get(scorer)()
    return tuple(MetricCard(name=name, scorer=scorer, title=Bilingual(zh=name, en=name)) for name in made.metrics)


def _scorers() -> Registry[type[Scorer]]:
    return Registry("primum.scorers", "scorer")
