"""Medical ability before and after: non-inferiority with a margin stated beforehand, one verdict a benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from primum.alignment.certificate_runs import RunPair
from primum.alignment.gains import ABILITY_TASKS
from primum.errors import UnknownNameError
from primum.schema.base import Bilingual
from primum.schema.certificate import Ability, AbilityVerdict, CertificateRules, Change
from primum.schema.estimate import NonInferiority
from primum.stats.noninferiority import judge_noninferiority
from primum.tasks.opening import open_task

# Those of arXiv 2403.03744: named on every certificate, measured or not.
EXPECTED: Final = ("medqa", "medmcqa", "pubmedqa", "mmlu-medical")


def judge_ability(pairs: Sequence[RunPair], changes: Sequence[Change], rules: CertificateRules) -> tuple[Ability, ...]:
    """One verdict for each benchmark and language that was run, and "not measured" for each expected one that was not.

    Args:
        pairs: All paired runs, for the level of guessing.
        changes: All overall figures.
        rules: The margin.
    """
    found = [_judge(_pair_of(pairs, change), change, rules) for change in changes if change.role == "ability"]
    measured = {ability.benchmark for ability in found}
    found.extend(_not_measured(name) for name in EXPECTED if name not in measured)
    order = {name: place for place, name in enumerate(ABILITY_TASKS)}
    return tuple(sorted(found, key=lambda ability: (order.get(ability.benchmark, len(order)), ability.language or "")))


def _pair_of(pairs: Sequence[RunPair], change: Change) -> RunPair:
    return next(pair for pair in pairs if (pair.task, pair.language) == (change.task, change.language))


def _judge(pair: RunPair, change: Change, rules: CertificateRules) -> Ability:
    given = {"benchmark": pair.base_task, "title": pair.card.title, "language": change.language, "change": change}
    if change.difference is None or change.withheld is not None:
        reason = change.withheld or Bilingual(zh="没有可比的评分。", en="Nothing was scored in both runs.")
        verdict: AbilityVerdict = "not_measured" if change.difference is None else "inconclusive"
        return Ability.model_validate({**given, "verdict": verdict, "reason": reason})
    judged = judge_noninferiority(change.difference, margin=rules.ability_margin, direction=change.metric.direction)
    verdict, reason = _decide(judged)
    chance = pair.before.chance
    guesses = chance is not None and change.before.low is not None and change.before.low <= chance
    return Ability.model_validate({**given, "judged": judged, "verdict": verdict, "reason": reason, "at_chance": guesses})


def _decide(judged: NonInferiority) -> tuple[AbilityVerdict, Bilingual]:
    low, high = judged.difference.low * 100, judged.difference.high * 100
    margin = f"{judged.margin * 100:g}"
    span = f"{low:+.1f} … {high:+.1f}"
    if judged.non_inferior:
        return "non_inferior", Bilingual(
            zh=f"差值区间 {span} 个百分点，下限高于 -{margin}：不劣于基座。",
            en=f"The interval of the difference, {span} points, lies above -{margin}: non-inferior to the base.",
        )
    if judged.difference.high < -judged.margin:
        return "inferior", Bilingual(
            zh=f"差值区间 {span} 个百分点，全部低于 -{margin}：劣于基座。",
            en=f"The whole interval of the difference, {span} points, lies below -{margin}: inferior to the base.",
        )
    return "inconclusive", Bilingual(
        zh=f"差值区间 {span} 个百分点，包含 -{margin}：尚未证明；增加题量可以缩窄区间。",
        en=f"The interval of the difference, {span} points, includes -{margin}: not shown. More items would narrow it.",
    )


def _not_measured(name: str) -> Ability:
    try:
        title = open_task(name).card.title
    except UnknownNameError:
        title = Bilingual(zh=name, en=name)
    return Ability(benchmark=name, title=title, verdict="not_measured", reason=Bilingual(zh="未测量。", en="It was not measured."))
