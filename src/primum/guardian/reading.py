"""What kind of text an answer is, before anything is judged: empty, unreadable, Chinese, English or another language.

The guardian was measured on Chinese and English alone. What is neither, or no text at all, gets no verdict: it abstains.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final, NamedTuple

from primum.config import load_yaml
from primum.schema.base import Language
from primum.schema.guardian import AbstentionReason

# Longer answers are read at both ends: what lies between stands out of reach, and is said to.
_SAMPLE: Final = 4_000
_UNREADABLE_SHARE: Final = 0.05
_LATIN_WORD: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_FOREIGN_SHARE: Final = 0.12


class Reading(NamedTuple):
    """What was found.

    Attributes:
        language: ``zh`` or ``en``; where it is neither, the nearer script.
        obstacle: Why there can be no verdict: ``empty``, ``unreadable``, ``language``, or nothing.
    """

    language: Language
    obstacle: AbstentionReason


def read_text(text: str) -> Reading:
    """Classify one answer. Never raises, whatever the text.

    Only the first 2,000 and last 2,000 characters are looked at.
    """
    sample = text if len(text) <= _SAMPLE else text[: _SAMPLE // 2] + text[-_SAMPLE // 2 :]
    letters = han = kana_hangul = latin = unreadable = 0
    for character in sample:
        code = ord(character)
        if character in "\n\r\t":
            continue
        if code < 32 or code == 0xFFFD or unicodedata.category(character) in {"Cc", "Cn", "Co", "Cs"}:
            unreadable += 1
        elif character.isalpha():
            letters += 1
            if 0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF:
                han += 1
            elif 0x3040 <= code <= 0x30FF or 0xAC00 <= code <= 0xD7AF:
                kana_hangul += 1
            elif code < 0x250:
                latin += 1
    if unreadable > _UNREADABLE_SHARE * max(len(sample), 1):
        return Reading("en", "unreadable")
    if letters == 0:
        return Reading("en", "empty")
    if han >= letters / 5:
        return Reading("zh", "language" if kana_hangul > letters / 20 else "")
    if latin < letters / 2:
        return Reading("en", "language")
    return Reading("en", "" if _is_english(sample) else "language")


@cache
def _function_words() -> tuple[frozenset[str], frozenset[str]]:
    """English ones, and other languages'."""
    lists = load_yaml(Path(str(resources.files("primum") / "data" / "guardian" / "function_words.yaml")))
    return frozenset(lists["english"].split()), frozenset(lists["foreign"].split())


def _is_english(text: str) -> bool:
    """False where another Latin-script language's function words outnumber the English ones."""
    english, foreign = _function_words()
    words = _LATIN_WORD.findall(text.lower().replace("\u2019", "'"))
    strange = sum(word in foreign for word in words)
    return strange < max(1, _FOREIGN_SHARE * len(words)) or strange <= sum(word in english for word in words)
