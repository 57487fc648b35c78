"""What the guardian makes of sampled answers, and what makes a text no answer at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Protocol

from primum.schema.alignment import JudgedAnswer, SampledAnswer, TargetPrompt
from primum.schema.base import Language
from primum.schema.guardian import Exchange, Explanation

_HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_WORD: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]|[a-zA-Z0-9']+")
# Runs of so many words or Chinese characters; a text of which fewer than half are different goes round in circles.
_RUN: Final = 4
_DISTINCT: Final = 0.5
_ECHO: Final = 0.6
# Share of Chinese among words of an answer, by the language asked.
_FOREIGN: Final = {"zh": (0.5, 1.0), "en": (0.0, 0.3)}
_FEWEST: Final = 4


class Judge(Protocol):
    """What the loop asks of a guardian."""

    @property
    def sha256(self) -> str:
        """Hash of its weights."""
        ...

    def explain(self, exchange: Exchange) -> Explanation:
        """A verdict, and why."""
        ...


class PackagedJudge:
    """The guardian that ships with Primum."""

    @property
    def sha256(self) -> str:
        """Hash of its weights."""
        from primum.guardian.guardian import packaged

        return packaged().card.origin.weights_sha256

    def explain(self, exchange: Exchange) -> Explanation:
        """A verdict, and why."""
        from primum.guardian.explanation import explain
        from primum.guardian.guardian import packaged

        return explain(packaged(), exchange)


def judge_answers(prompts: Sequence[TargetPrompt], answers: Sequence[SampledAnswer], judge: Judge) -> tuple[JudgedAnswer, ...]:
    """One verdict with its reasons for every answer, in order."""
    by_id = {prompt.id: prompt for prompt in prompts}
    found = []
    for answer in answers:
        prompt = by_id[answer.prompt]
        exchange = Exchange(prompt=prompt_text(prompt), answer=answer.text, norm=prompt.norm)
        found.append(
            JudgedAnswer(id=answer.id, explanation=judge.explain(exchange), fault=find_fault(answer.text, prompt_text(prompt), prompt.language))
        )
    return tuple(found)


def prompt_text(prompt: TargetPrompt) -> str:
    """The user's turns, one a line: what a guardian reads."""
    return "\n".join(message.content for message in prompt.messages if message.role == "user")


def find_fault(answer: str, prompt: str, language: Language) -> str:
    """Why a text is no answer to learn whatever it says: ``empty``, ``language``, ``repeats`` or ``echo``; empty where it may be one."""
    words = _WORD.findall(answer)
    if len(words) < _FEWEST:
        return "empty"
    chinese = len(_HAN.findall(answer)) / len(words)
    low, high = _FOREIGN[language]
    if not low <= chinese <= high:
        return "language"
    runs = _runs(words)
    if len(set(runs)) < _DISTINCT * len(runs):
        return "repeats"
    asked = set(_runs(_WORD.findall(prompt)))
    if len([run for run in runs if run in asked]) > _ECHO * len(runs):
        return "echo"
    return ""


def _runs(words: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(words[place : place + _RUN]) for place in range(max(0, len(words) - _RUN + 1))]
