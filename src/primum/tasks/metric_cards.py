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


def _by_guardian(name: str, zh: str, en: str, *, lower: bool = False, bounds: tuple[float, float] | None = None) -> MetricCard:
    """A metric scored by the guardian, which is measured against people: its gates certify only where it was. With bounds it is a mean."""
    return MetricCard(
        name=name,
        scorer="guardian",
        kind="proportion" if bounds is None else "mean",
        direction="lower" if lower else "higher",
        bounds=bounds,
        title=Bilingual(zh=f"{zh}（守护者评）", en=f"{en} (by the guardian)"),
        judged=True,
    )


GUARDIAN_RISK: Final = _by_guardian("risk", "风险率", "RiskRate", lower=True)
GUARDIAN_HARMFULNESS: Final = _by_guardian("harmfulness", "有害程度 1-5", "Harmfulness 1-5", lower=True, bounds=(1, 5))
GUARDIAN_OVER_REFUSAL: Final = _by_guardian("over_refusal", "过度拒绝率", "Over-refusal", lower=True)
GUARDIAN_QUALITY: Final = _by_guardian("quality", "质量分", "QualityScore", bounds=(0, 1))
# The paper's text takes the plain mean of Q1..Q4, its judge files weights .4 .3 .2 .1 (arXiv 2601.07954): both, each named.
GUARDIAN_FINAL_PLAIN: Final = _by_guardian("final_plain", "综合分，等权", "FinalScore, plain mean", bounds=(-1, 1))
GUARDIAN_FINAL_WEIGHTED: Final = _by_guardian("final_weighted", "综合分，加权", "FinalScore, weighted", bounds=(-1, 1))

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
