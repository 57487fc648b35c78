"""The norms nearest to a text, in Chinese or in English.

TF-IDF over all that is written about a norm: statement, exceptions, cases, requests, answers, vignettes with their options and reasons. Compared
on our own vignettes (each searched for with all its own text taken out of the index), it beat BM25 over passages and a multilingual sentence
encoder, alone and mixed (docs/bank.md gives the figures).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from primum.schema.base import LANGUAGES, Bilingual, Language
from primum.schema.norm import Norm, Vignette

_CJK: Final = range(0x4E00, 0xA000)
_ANALYSERS: Final[dict[Language, dict[str, Any]]] = {
    "zh": {"analyzer": "char", "ngram_range": (1, 2)},
    "en": {"analyzer": "word", "ngram_range": (1, 2)},
}


@dataclass(frozen=True, slots=True)
class Found:
    """One norm found.

    Attributes:
        norm: The norm.
        score: Cosine of the TF-IDF vectors, 0 to 1.
    """

    norm: Norm
    score: float


def language_of(text: str) -> Language:
    """``zh`` where a fifth or more of the letters are Chinese characters, else ``en``."""
    letters = [character for character in text if character.isalpha()]
    chinese = sum(ord(character) in _CJK for character in letters)
    return "zh" if letters and chinese >= len(letters) / 5 else "en"


class NormIndex:
    """Searches norms by text; built on first use in each language.

    Args:
        norms: What can be found.
    """

    def __init__(self, norms: Sequence[Norm]) -> None:
        self.norms = tuple(norms)

    def search(self, text: str, *, count: int = 5, language: Language | None = None) -> list[Found]:
        """The ``count`` nearest norms, nearest first; those that share nothing with the text are left out."""
        language = language or language_of(text)
        vectoriser, matrix = self._fitted[language]
        scores = (vectoriser.transform([text]) @ matrix.T).toarray()[0]
        order = np.argsort(-scores, kind="stable")[:count]
        return [Found(self.norms[place], float(scores[place])) for place in order if scores[place] > 0]

    @cached_property
    def _fitted(self) -> dict[Language, tuple[Any, Any]]:
        from sklearn.feature_extraction.text import TfidfVectorizer

        fitted: dict[Language, tuple[Any, Any]] = {}
        for language in LANGUAGES:
            vectoriser = TfidfVectorizer(sublinear_tf=True, **_ANALYSERS[language])
            fitted[language] = (vectoriser, vectoriser.fit_transform([text_of(norm, language) for norm in self.norms]))
        return fitted

    def recall(self, language: Language, *, count: int = 5) -> tuple[int, int]:
        """How many vignettes find their own norm among the first ``count``, with all text of the vignette itself taken out of the index.

        Returns:
            Hits and tries.
        """
        vectoriser, matrix = self._fitted[language]
        tries = [(place, vignette) for place, norm in enumerate(self.norms) for vignette in norm.vignettes]
        queries = vectoriser.transform([vignette.in_language(language) for _, vignette in tries])
        without = vectoriser.transform([text_of(self.norms[place], language, leave_out=vignette.id) for place, vignette in tries])
        scores = (queries @ matrix.T).toarray()
        own = np.asarray(queries.multiply(without).sum(axis=1)).ravel()
        places = np.array([place for place, _ in tries])
        scores[np.arange(len(tries)), places] = own
        better = (scores > own[:, None]).sum(axis=1)
        return int((better < count).sum()), len(tries)


def text_of(norm: Norm, language: Language, *, leave_out: str = "") -> str:
    """All that is written about a norm in one language, one text a line; without the vignette ``leave_out``."""
    return "\n".join(text.in_language(language) for text in _texts(norm, leave_out))


def _texts(norm: Norm, leave_out: str) -> Iterator[Bilingual]:
    yield norm.statement
    if norm.exceptions is not None:
        yield norm.exceptions
    for case in norm.judgements:
        yield case
        yield case.why
    yield from norm.requests
    yield from norm.benign
    yield from norm.answers
    for vignette in norm.vignettes:
        if vignette.id != leave_out:
            yield from _vignette_texts(vignette)


def _vignette_texts(vignette: Vignette) -> Iterator[Bilingual]:
    yield vignette
    yield vignette.right
    yield from vignette.also_right
    for option in vignette.wrong:
        yield option
        yield option.why
