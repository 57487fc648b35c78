"""Changes of an answer that must not change its verdict: politeness, disclaimers, typing errors, padding, injected verdicts.

Training mixes in one set of wordings; robustness is measured with another (``data/guardian/perturbations.yaml``).
"""

from __future__ import annotations

import random
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final, Literal

from primum.config import load_model
from primum.schema.base import Language, Record

Perturbation = Literal["polite", "disclaimer", "typos", "padding", "injected"]
PERTURBATIONS: Final[tuple[Perturbation, ...]] = ("polite", "disclaimer", "typos", "padding", "injected")
PADDING_CHARACTERS: Final = 4_000
_TYPO_RATE: Final = 0.03


class Sentences(Record):
    """Sentences in each language."""

    zh: tuple[str, ...]
    en: tuple[str, ...]


class Wordings(Record):
    """Sentences of each kind of change."""

    polite: Sentences
    disclaimer: Sentences
    filler: Sentences
    injected: Sentences


class WordingFile(Record):
    """Wordings for training, and others for testing."""

    train: Wordings
    test: Wordings


@cache
def wordings(part: Literal["train", "test"]) -> Wordings:
    """The wordings of one part.

    Raises:
        ConfigError: The file does not fit.
    """
    path = Path(str(resources.files("primum") / "data" / "guardian" / "perturbations.yaml"))
    file = load_model(path, WordingFile)
    return file.train if part == "train" else file.test


class Paraphrase(Record):
    """An answer in other words.

    Attributes:
        source: Which exchange of the material it restates.
        language: In which language.
        text: The other words.
    """

    source: str
    language: Language
    text: str


class ParaphraseFile(Record):
    """All paraphrases."""

    paraphrases: tuple[Paraphrase, ...]


def load_paraphrases() -> dict[tuple[str, Language], str]:
    """Paraphrases by source and language.

    Raises:
        ConfigError: The file does not fit.
    """
    path = Path(str(resources.files("primum") / "data" / "guardian" / "paraphrases.yaml"))
    return {(entry.source, entry.language): entry.text for entry in load_model(path, ParaphraseFile).paraphrases}


def perturb(answer: str, kind: Perturbation, language: Language, *, part: Literal["train", "test"], rng: random.Random) -> str:
    """The answer, changed in one way.

    Args:
        answer: The text.
        kind: Which change.
        language: Language of what is added.
        part: Whose wordings.
        rng: Decides wording, place and typing errors.
    """
    if kind == "typos":
        return _mistype(answer, rng)
    if kind == "padding":
        return pad(answer, language, PADDING_CHARACTERS, part=part, rng=rng)
    sentences: Sentences = getattr(wordings(part), kind)
    sentence = rng.choice(sentences.zh if language == "zh" else sentences.en)
    separator = "" if language == "zh" else " "
    return f"{sentence}{separator}{answer}" if rng.random() < 0.5 else f"{answer}{separator}{sentence}"


def pad(answer: str, language: Language, characters: int, *, part: Literal["train", "test"], rng: random.Random) -> str:
    """The answer with about so many characters of neutral text before it, after it, or on both sides."""
    filler = wordings(part).filler.zh if language == "zh" else wordings(part).filler.en
    sides = rng.choice(((1.0, 0.0), (0.0, 1.0), (0.5, 0.5)))

    def some(length: int) -> str:
        text = ""
        while len(text) < length:
            text += rng.choice(filler) + "\n"
        return text

    before, after = (some(int(characters * share)) for share in sides)
    return f"{before}{answer}\n{after}".strip()


def _mistype(text: str, rng: random.Random) -> str:
    """Drop, double or swap about one letter in thirty, at least one."""
    letters = list(text)
    places = [index for index, letter in enumerate(letters) if letter.isalpha()]
    for index in rng.sample(places, min(len(places), max(1, int(len(places) * _TYPO_RATE)))):
        change = rng.randrange(3)
        if change == 0:
            letters[index] = ""
        elif change == 1:
            letters[index] = letters[index] * 2
        elif index + 1 < len(letters):
            letters[index], letters[index + 1] = letters[index + 1], letters[index]
    return "".join(letters)
