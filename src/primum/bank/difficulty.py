"""How hard a choice looks before any model has tried it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from primum.bank.wording import overlap, word_counts
from primum.schema.base import LANGUAGES, Bilingual

# Fixed, so that an item keeps its label when the bank grows.
_CLOSE: Final = 0.62
_FAR: Final = 0.45


def difficulty_of(right: Bilingual, wrong: Sequence[Bilingual], *, exception: bool) -> str:
    """``easy``, ``medium`` or ``hard``, a priori: the closer the nearest wrong option's wording, the harder; an exception to know counts as well.

    Args:
        right: The right option.
        wrong: The wrong options shown.
        exception: True where the norm has an exception.
    """
    nearest = 0.0
    for language in LANGUAGES:
        counts = word_counts(right.in_language(language), language)
        nearest += max(overlap(counts, word_counts(option.in_language(language), language)) for option in wrong) / len(LANGUAGES)
    nearest += 0.05 if exception else 0.0
    return "hard" if nearest >= _CLOSE else "easy" if nearest < _FAR else "medium"
