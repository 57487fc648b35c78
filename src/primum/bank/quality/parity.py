"""Parity: both languages have the same numbers, the same names in Latin letters, and negate alike."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from primum.bank.quality.limits import Limits
from primum.bank.quality.report import SHOWN_EXAMPLES, Check
from primum.schema.base import Bilingual
from primum.schema.norm import Norm

_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")
_SCALED: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(万|亿|million|billion|thousand)")
_SCALE: Final = {"万": 10**4, "亿": 10**8, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_WORDS: Final = {
    "zero": 0, "one": 1, "once": 1, "first": 1, "a": 1, "an": 1, "single": 1, "two": 2, "twice": 2, "second": 2, "pair": 2, "half": 0.5, "three": 3,
    "third": 3, "four": 4, "fourth": 4, "five": 5, "fifth": 5, "six": 6, "sixth": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
    "twelve": 12, "dozen": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "hundred": 100,
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12, "fortnight": 14,
    "noon": 12, "midnight": 0,
}  # fmt: skip
_NAME: Final = re.compile(r"(?<![A-Za-z])[A-Z][A-Za-z]*[A-Z0-9][A-Za-z0-9-]*")
_NEGATED_ZH: Final = re.compile(r"[不没未无别勿免拒停撤弃]|除外|以外|暂缓|推迟|取消|中止|终止|空着|省去|略去")
_NEGATED_EN: Final = re.compile(
    r"\b(?:not?|never|none|nothing|nobody|neither|nor|without|unless|until|cannot|refus\w*|declin\w*|withh\w*|stop\w*|suspend\w*|cancel\w*|drop\w*"
    r"|leav\w*|left|skip\w*|omit\w*|avoid\w*|only|except|rather than|instead|put off|postpon\w*|hold\w*|end\w*|forgo\w*|remov\w*|delet\w*|withdraw\w*"
    r"|keep\w*|free|un\w+|in(?:valid|complete|capable)\w*|deny|denied|lack\w*|waiv\w*|discontinu\w*|delay\w*|defer\w*|less|other than|rule\w* out|out"
    r"|away|fail\w*|no)\b|n't",
    re.IGNORECASE,
)


def check_parity(norms: Sequence[Norm], limits: Limits) -> Iterator[Check]:
    """Shares of text pairs that differ; heuristics, so each has a small allowance and lists what to look at."""
    texts = [(norm.id, text) for norm in norms for text in _texts(norm)]
    options = [(norm.id, text) for norm in norms for vignette in norm.vignettes for text in (vignette.right, *vignette.also_right, *vignette.wrong)]
    yield _share("texts whose numbers differ between the languages", texts, limits.numbers_differ, _numbers_differ)
    yield _share("texts whose Latin names differ between the languages", texts, limits.names_differ, _names_differ)
    yield _share("options of which only the Chinese negates", options, limits.negations_differ, _negations_differ)


def _texts(norm: Norm) -> Iterator[Bilingual]:
    yield norm.statement
    yield from norm.judgements
    yield from norm.requests
    yield from norm.benign
    for vignette in norm.vignettes:
        yield vignette
        yield vignette.right
        yield from vignette.also_right
        yield from vignette.wrong


def _share(name: str, texts: list[tuple[str, Bilingual]], high: float, differs: object) -> Check:
    assert callable(differs)  # noqa: S101 - one of the three below
    found = [f"{identifier}: {text.zh[:40]} | {text.en[:60]}" for identifier, text in texts if differs(text)]
    return Check(name=name, value=len(found) / max(1, len(texts)), high=high, n=len(texts), examples=tuple(found[:SHOWN_EXAMPLES]))


def _numbers_differ(text: Bilingual) -> bool:
    chinese, english = _numbers(text.zh), _numbers(text.en)
    words = Counter(float(_WORDS[word]) for word in re.findall(r"[a-z]+", text.en.lower().replace("-", " ")) if word in _WORDS)
    # A number may be a word in English (two hours) or a numeral in Chinese (两小时): only digits that one side lacks altogether count.
    lost = chinese - english - words
    added = english - chinese
    return bool(lost) or any(not _in_numerals(number, text.zh) for number in added)


def _numbers(text: str) -> Counter[float]:
    found: Counter[float] = Counter()
    rest = text
    for match in _SCALED.finditer(text):
        found[float(match[1]) * _SCALE[match[2]]] += 1
        rest = rest.replace(match[0], " ", 1)
    for match in _NUMBER.finditer(rest):
        plain = match[0].replace(",", "")
        found[float(plain) if plain.count(".") <= 1 else float(plain.replace(".", ""))] += 1
    return Counter(dict.fromkeys(found, 1))


def _in_numerals(number: float, chinese: str) -> bool:
    if number != int(number):
        return "半" in chinese
    return any(numeral in chinese for numeral in _numerals(int(number)))


def _numerals(number: int) -> tuple[str, ...]:
    digits = "零一二三四五六七八九"
    if number < 10:
        return (digits[number], *(("两", "双") if number == 2 else ()))
    if number < 100:
        tens, ones = divmod(number, 10)
        return (("" if tens == 1 else digits[tens]) + "十" + (digits[ones] if ones else ""), "周" if number % 7 == 0 else "十")
    if number < 10000:
        return (digits[number // 100 % 10] + "百", digits[number // 1000] + "千", "百", "千")
    return ("万", "亿")


def _names_differ(text: Bilingual) -> bool:
    there = {name.upper().replace("-", "").rstrip("S") for name in _NAME.findall(text.en)}
    flat = text.en.upper().replace("-", "").replace(" ", "")
    return any(
        name.upper().replace("-", "").rstrip("S") not in there and name.upper().replace("-", "") not in flat for name in _NAME.findall(text.zh)
    )


def _negations_differ(text: Bilingual) -> bool:
    return bool(_NEGATED_ZH.search(text.zh)) and not _NEGATED_EN.search(text.en)
