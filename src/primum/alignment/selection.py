"""What to learn from, what to learn against, and what people must see first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from primum.hashing import derived_seed
from primum.schema.alignment import JudgedAnswer, PromptKind, ReviewLabel, SampledAnswer, Selected, TargetPrompt
from primum.schema.guardian import GuardianVerdict
from primum.schema.training import Demonstration, Preference

# Learnt are answers that are clearly safe; between that and one half the guardian leans, and a person decides.
_SAFE: Final = 0.25
_RISKY: Final = 0.5
_MOST_HARM: Final = 2.0
# Of Q1..Q4, the mean probability that a request's or a case's answer needs; legitimate questions need help, not a norm's name.
_QUALITY: Final[dict[PromptKind, float]] = {"request": 0.25, "case": 0.25, "benign": 0.0}


@dataclass(frozen=True)
class RoundAnswers:
    """What one round sampled.

    Attributes:
        prompts: Its prompts.
        answers: Its answers.
        judged: Their verdicts.
        selected: Their fates before people saw them.
    """

    prompts: tuple[TargetPrompt, ...]
    answers: tuple[SampledAnswer, ...]
    judged: tuple[JudgedAnswer, ...]
    selected: tuple[Selected, ...]


def select_answers(prompts: Sequence[TargetPrompt], judged: Sequence[JudgedAnswer], *, share: float, seed: int) -> tuple[Selected, ...]:
    """The fate of every answer; the uncertain and a seeded share of the others go to people.

    Args:
        prompts: The round's prompts.
        judged: Verdicts, in order.
        share: Share of the others.
        seed: Of the alignment.
    """
    kinds = {prompt.id: prompt.kind for prompt in prompts}
    found = []
    for entry in judged:
        prompt = entry.id.rpartition("~")[0]
        fate, why = _fate(entry, kinds[prompt])
        drawn = derived_seed("align-review", seed, entry.id) % 10_000 < share * 10_000
        review = "uncertain" if fate == "unsure" else "random" if drawn and entry.fault != "empty" else ""
        fields = {"id": entry.id, "prompt": prompt, "fate": fate, "why": why, "score": round(_score(entry.explanation.verdict), 6), "review": review}
        found.append(Selected.model_validate(fields))
    return tuple(found)


def _fate(entry: JudgedAnswer, kind: PromptKind) -> tuple[str, str]:
    verdict = entry.explanation.verdict
    if entry.fault:
        return "rejected", entry.fault
    if verdict.abstains:
        return "unsure", verdict.reason
    if verdict.risk > _RISKY or verdict.harmfulness > _MOST_HARM + 1:
        return "rejected", "risk"
    if kind == "benign" and verdict.over_refusal > 0.5:
        return "rejected", "over_refusal"
    if verdict.risk > _SAFE or verdict.harmfulness > _MOST_HARM:
        return "unsure", "leaning"
    if sum(verdict.quality) / len(verdict.quality) < _QUALITY[kind]:
        return "rejected", "poor"
    return "accepted", "safe"


def _score(verdict: GuardianVerdict) -> float:
    """Orders answers to one prompt: quality, less risk and over-refusal."""
    return sum(verdict.quality) / len(verdict.quality) - verdict.risk - verdict.over_refusal


def with_labels(selected: Sequence[Selected], labels: Mapping[str, ReviewLabel]) -> tuple[Selected, ...]:
    """Fates after people spoke: their word stands over the guardian's; ``unsure`` keeps an answer out."""
    fates = {"accept": ("accepted", "people"), "reject": ("rejected", "people"), "unsure": ("unsure", "people")}
    found = []
    for entry in selected:
        if entry.id in labels:
            fate, why = fates[labels[entry.id]]
            found.append(Selected.model_validate({**entry.model_dump(), "fate": fate, "why": why}))
        else:
            found.append(entry)
    return tuple(found)


def accepted_demonstrations(round_answers: RoundAnswers, selected: Sequence[Selected]) -> tuple[Demonstration, ...]:
    """The best accepted answer to each prompt as a demonstration."""
    prompts = {prompt.id: prompt for prompt in round_answers.prompts}
    texts = {answer.id: answer.text for answer in round_answers.answers}
    found = []
    for identifier, good, _ in _by_prompt(selected):
        usable = [entry for entry in good if texts[entry.id].strip()]
        if usable:
            prompt = prompts[identifier]
            found.append(
                Demonstration(
                    id=f"sampled/{usable[0].id}", messages=prompt.messages, answer=texts[usable[0].id], origin="sampled", language=prompt.language,
                    norm=prompt.norm,
                )
            )  # fmt: skip
    return tuple(found)


def pair_answers(round_answers: RoundAnswers, selected: Sequence[Selected], fallback: Callable[[TargetPrompt], str | None]) -> tuple[Preference, ...]:
    """The best good answer over the worst bad one to the same prompt; where none is good, the bank's demonstration is the better one.

    Args:
        round_answers: What was sampled.
        selected: Fates, after people spoke.
        fallback: The bank's answer to a prompt, or None where it has none.
    """
    prompts = {prompt.id: prompt for prompt in round_answers.prompts}
    texts = {answer.id: answer.text for answer in round_answers.answers}
    found = []
    for identifier, good, bad in _by_prompt(selected):
        prompt = prompts[identifier]
        worse = [entry for entry in bad if texts[entry.id].strip()]
        chosen = texts[good[0].id] if good else fallback(prompt)
        if worse and chosen and chosen.strip() and chosen != texts[worse[0].id]:
            found.append(
                Preference(
                    id=f"pair/{worse[0].id}", messages=prompt.messages, chosen=chosen, rejected=texts[worse[0].id], origin="sampled",
                    language=prompt.language, norm=prompt.norm,
                )
            )  # fmt: skip
    return tuple(found)


# What a pair should teach against first: harm, needless refusal, then texts that are no answers. What people rejected comes before all.
_TEACHES: Final = ("people", "risk", "over_refusal", "poor")


def _by_prompt(selected: Sequence[Selected]) -> list[tuple[str, list[Selected], list[Selected]]]:
    """Prompt, good answers from the best, bad answers from the one that teaches most."""
    groups: dict[str, tuple[list[Selected], list[Selected]]] = {}
    for entry in selected:
        good, bad = groups.setdefault(entry.prompt, ([], []))
        if entry.fate == "accepted":
            good.append(entry)
        elif entry.fate == "rejected":
            bad.append(entry)
    return [
        (
            prompt,
            sorted(good, key=lambda entry: (entry.why != "people", -entry.score, entry.id)),
            sorted(bad, key=lambda entry: (_TEACHES.index(entry.why) if entry.why in _TEACHES else len(_TEACHES), entry.score, entry.id)),
        )
        for prompt, (good, bad) in groups.items()
    ]
