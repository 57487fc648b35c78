"""Outward signs: length of the right option, position of the right letter, length and reading level, forbidden wording."""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from primum.bank.forms.conduct_choice import asks_for_conduct
from primum.bank.quality.limits import Limits
from primum.bank.quality.report import SHOWN_EXAMPLES, Check
from primum.bank.wording import visible_length
from primum.config import load_model
from primum.schema.base import LANGUAGES, Bilingual, Language, Record
from primum.schema.item import LETTERS, Item
from primum.schema.norm import Norm
from primum.stats.chance import chi_square_tail

_VOWELS: Final = re.compile(r"[aeiouy]+")
_SENTENCES: Final = {"zh": re.compile(r"[。！？；]"), "en": re.compile(r"[.!?;](?:\s|$)")}


class ForbiddenWording(Record):
    """Regular expressions that no text, and that no option, may match."""

    anywhere: dict[Language, tuple[str, ...]]
    options: dict[Language, tuple[str, ...]]


def check_surface(norms: Sequence[Norm], items: Mapping[Language, Sequence[Item]], limits: Limits) -> Iterator[Check]:
    """All outward signs, language by language."""
    for language in LANGUAGES:
        five = [item for item in items[language] if asks_for_conduct(item)]
        yield _longest(five, language, limits)
        yield from _letters(items[language], language, limits)
        yield from _lengths(norms, language, limits)
    yield _forbidden(norms, limits)


def _longest(items: Sequence[Item], language: Language, limits: Limits) -> Check:
    found = 0
    for item in items:
        lengths = [visible_length(option, language) for option in item.options]
        right = lengths[LETTERS.index(item.answer[0])]
        found += right == max(lengths)
    return Check(
        name=f"right option is the longest of five ({language})",
        value=found / max(1, len(items)),
        low=limits.longest_low,
        high=limits.longest_high,
        n=len(items),
        note="ties count",
    )


def _letters(items: Sequence[Item], language: Language, limits: Limits) -> Iterator[Check]:
    for options in sorted({len(item.options) for item in items if item.form in ("single_choice", "judgement")}):
        keyed = [item.answer[0] for item in items if item.form in ("single_choice", "judgement") and len(item.options) == options]
        counts = Counter(keyed)
        expected = len(keyed) / options
        statistic = math.fsum((counts[letter] - expected) ** 2 / expected for letter in LETTERS[:options])
        shares = ", ".join(f"{letter} {counts[letter]}" for letter in LETTERS[:options])
        yield Check(
            name=f"letters uniform, p of chi-square, {options} options ({language})",
            value=chi_square_tail(statistic, degrees=options - 1),
            low=limits.letters_p,
            n=len(keyed),
            note=shares,
        )


def _lengths(norms: Sequence[Norm], language: Language, limits: Limits) -> Iterator[Check]:
    texts = [vignette.in_language(language) for norm in norms for vignette in norm.vignettes]
    lengths = sorted(visible_length(text, language) for text in texts)
    low, high = limits.vignette_zh if language == "zh" else limits.vignette_en
    unit = "characters" if language == "zh" else "words"
    for name, share, least, most in (("2nd", 0.02, low, None), ("98th", 0.98, None, high)):
        place = min(len(lengths) - 1, int(share * len(lengths)))
        yield Check(name=f"vignette length, {name} percentile, {unit} ({language})", value=lengths[place], low=least, high=most, n=len(lengths))
    if language == "zh":
        mean = statistics.fmean(visible_length(text, "zh") / max(1, len(_SENTENCES["zh"].findall(text))) for text in texts)
        yield Check(name="characters a sentence, mean (zh)", value=round(mean, 1), high=limits.sentence_zh, n=len(texts))
    else:
        yield Check(
            name="Flesch-Kincaid grade, median (en)", value=round(statistics.median(map(reading_grade, texts)), 1), high=limits.grade_en, n=len(texts)
        )


def reading_grade(text: str) -> float:
    """Flesch-Kincaid grade (Kincaid et al. 1975): ``0.39 words/sentences + 11.8 syllables/words - 15.59``; syllables by groups of vowels."""
    words = re.findall(r"[A-Za-z']+", text)
    sentences = max(1, len(_SENTENCES["en"].findall(text)))
    syllables = sum(max(1, len(_VOWELS.findall(word.lower().removesuffix("e")))) for word in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / max(1, len(words)) - 15.59


def _forbidden(norms: Sequence[Norm], limits: Limits) -> Check:
    rules = load_model(Path(str(resources.files("primum") / "data" / "bank" / "forbidden_wording.yaml")), ForbiddenWording)
    anywhere = {language: re.compile("|".join(rules.anywhere[language])) for language in LANGUAGES}
    options = {language: re.compile("|".join(rules.options[language])) for language in LANGUAGES}
    found: list[str] = []
    n = 0
    for norm in norms:
        for text, pattern in [*((text, anywhere) for text in _all_texts(norm)), *((text, options) for text in _options(norm))]:
            n += 1
            for language in LANGUAGES:
                match = pattern[language].search(text.in_language(language))
                if match:
                    found.append(f"{norm.id}: {match.group(0)!r} in {text.in_language(language)[:60]}")
    return Check(name="forbidden wording", value=len(found), high=limits.forbidden, n=n, examples=tuple(found[:SHOWN_EXAMPLES]))


def _all_texts(norm: Norm) -> Iterator[Bilingual]:
    yield from (norm.statement, *norm.judgements, *norm.requests, *norm.benign, *norm.answers)
    yield from norm.vignettes


def _options(norm: Norm) -> Iterator[Bilingual]:
    for vignette in norm.vignettes:
        yield from (vignette.right, *vignette.also_right, *vignette.wrong)
