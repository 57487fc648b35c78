"""Wording compared without meaning: counts of words (English) and of character pairs (Chinese)."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from typing import Final

from primum.schema.base import Language

_WORD: Final = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_NOT_WORD: Final = re.compile(r"\W+")


@lru_cache(maxsize=1 << 15)
def word_counts(text: str, language: Language) -> Counter[str]:
    """How often each word (en) or pair of characters (zh) occurs."""
    if language == "en":
        return Counter(_WORD.findall(text.lower()))
    letters = _NOT_WORD.sub("", text)
    return Counter(letters[at : at + 2] for at in range(len(letters) - 1)) or Counter([letters])


def overlap(one: Counter[str], other: Counter[str]) -> float:
    """Shared counts over the geometric mean of both sizes, 0 to 1."""
    small, large = (one, other) if len(one) <= len(other) else (other, one)
    shared = 0
    for word, count in small.items():
        if word in large:
            shared += min(count, large[word])
    size = math.sqrt(one.total() * other.total())
    return shared / size if size else 0.0


def overlaps(counts: Sequence[Counter[str]]) -> list[list[float]]:
    """:func:`overlap` of every text with every other; 0 on the diagonal."""
    table = [[0.0] * len(counts) for _ in counts]
    for one, other in combinations(range(len(counts)), 2):
        table[one][other] = table[other][one] = overlap(counts[one], counts[other])
    return table


def visible_length(text: str, language: Language) -> int:
    """Length as a reader sees it: characters in Chinese, words in English."""
    return len(_NOT_WORD.sub("", text)) if language == "zh" else len(_WORD.findall(text.lower()))
