"""The limits of the quality checks: one YAML file, so that a change of bar is a change one can see."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from primum.config import load_model
from primum.schema.base import Record


class Extent(Record):
    """Least counts of the bank."""

    sources: int
    norms: int
    norms_per_dimension: int
    norms_per_scene: int
    items_per_language: int
    international_share_low: float
    international_share_high: float


class Limits(Record):
    """All limits; shares from 0 to 1.

    Attributes:
        extent: Least counts.
        above_chance: How far a solver without the question may be above chance.
        longest_low: Least share of five-option items whose right option is the longest.
        longest_high: Greatest such share.
        letters_p: Least p of the chi-square test that all letters are right equally often.
        duplicates: Greatest share of texts with a near-duplicate in another norm.
        leaks: Greatest number of near-duplicates across splits.
        numbers_differ: Greatest share of texts whose numbers differ between the languages.
        names_differ: The same for names and abbreviations in Latin letters.
        negations_differ: The same for options of which only one language negates.
        vignette_zh: Least and greatest characters of a Chinese vignette (2nd and 98th percentile must lie within).
        vignette_en: The same in English words.
        sentence_zh: Greatest mean number of characters a Chinese sentence.
        grade_en: Greatest median Flesch-Kincaid grade of English vignettes.
        forbidden: Greatest number of forbidden wordings.
    """

    extent: Extent
    above_chance: float
    longest_low: float
    longest_high: float
    letters_p: float
    duplicates: float
    leaks: int
    numbers_differ: float
    names_differ: float
    negations_differ: float
    vignette_zh: tuple[int, int]
    vignette_en: tuple[int, int]
    sentence_zh: float
    grade_en: float
    forbidden: int


def packaged_limits() -> Limits:
    """The limits that ship with Primum."""
    return load_model(Path(str(resources.files("primum") / "data" / "bank" / "limits.yaml")), Limits)
