"""Search of norms, and its recall without the vignette that is searched for."""

from __future__ import annotations

import pytest

from primum.norms.library import all_norms, packaged_norms
from primum.norms.retrieval import NormIndex, language_of, text_of
from primum.schema.base import Language

INDEX = NormIndex(list(all_norms(packaged_norms())))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_recall_at_five_on_our_own_vignettes(language: Language) -> None:
    hits, tries = INDEX.recall(language)
    assert tries > 800 and hits / tries >= 0.85


def test_a_statement_finds_its_own_norm_first() -> None:
    for norm in INDEX.norms[::20]:
        assert INDEX.search(norm.statement.en)[0].norm.id == norm.id
        assert INDEX.search(norm.statement.zh)[0].norm.id == norm.id


def test_results_are_ordered_and_counted() -> None:
    found = INDEX.search("病人已经签字同意手术，家属却反对", count=7)
    assert len(found) == 7 and [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
    assert INDEX.search("zzzz qqqq xxxx") == []


def test_languages_are_told_apart() -> None:
    assert language_of("患者的MRI结果") == "zh" and language_of("the MRI of the 患者 is fine today") == "en" and language_of("123") == "en"


def test_leaving_a_vignette_out_leaves_out_all_its_text() -> None:
    norm = INDEX.norms[0]
    gone = norm.vignettes[0]
    text = text_of(norm, "en", leave_out=gone.id)
    assert gone.en not in text and norm.statement.en in text and norm.vignettes[1].en in text
