"""The linear member's features: fixed shape, equal texts equal rows, elisions ignored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primum.guardian.batches import Pairs, tokenise_pairs
from primum.guardian.ngrams import ANSWER_BITS, PROMPT_BITS, ngram_counts, ngram_features, ngram_logits
from tests.guardian_factory import ANY_TEXT

COLUMNS = (1 << ANSWER_BITS) + (1 << PROMPT_BITS)
ONES = np.ones(COLUMNS, np.float32)


def rows(prompts: Sequence[str], answers: Sequence[str], idf: np.ndarray = ONES) -> np.ndarray:
    features = ngram_features(tokenise_pairs(prompts, answers), idf)
    assert features.shape == (len(prompts), COLUMNS)
    return np.asarray(features.toarray())


def test_equal_texts_have_equal_rows_and_others_do_not() -> None:
    found = rows(["p", "p", "p", "q"], ["an answer", "an answer", "another", "an answer"])
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
    assert not np.array_equal(found[0], found[3])
    np.testing.assert_array_equal(found[2], rows(["p"], ["another"])[0])


def test_prompt_and_answer_do_not_share_columns() -> None:
    answers, prompts = ngram_counts(tokenise_pairs(["text", ""], ["", "text"]))
    assert answers.shape == (2, 1 << ANSWER_BITS)
    assert prompts.shape == (2, 1 << PROMPT_BITS)
    shifted = rows(["text", ""], ["", "text"])
    assert not np.array_equal(shifted[0], shifted[1])


@pytest.mark.parametrize("answer", ["not …… today", "not ... today", "not ____ today"])
def test_elisions_are_ignored(answer: str) -> None:
    found = rows(["p", "p"], ["not today", answer])
    np.testing.assert_array_equal(found[0], found[1])


def test_the_order_of_words_is_seen() -> None:
    found = rows(["p", "p"], ["ask before you sign", "sign before you ask"])
    assert not np.array_equal(found[0], found[1])


@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT), min_size=1, max_size=4))
def test_any_text_has_a_finite_row_of_unit_length_in_each_part(texts: list[tuple[str, str]]) -> None:
    features = ngram_features(tokenise_pairs([prompt for prompt, _ in texts], [answer for _, answer in texts]), ONES)
    assert np.isfinite(features.data).all()
    answers, prompts = features[:, : 1 << ANSWER_BITS], features[:, 1 << ANSWER_BITS :]
    for part in (answers, prompts):
        np.testing.assert_allclose(np.sqrt(part.multiply(part).sum(axis=1)), 1, atol=1e-4)


def test_counts_are_those_of_the_tokens_grams() -> None:
    answers, prompts = ngram_counts(Pairs(prompts=[[1, 5, 5, 2]], answers=[[1, 7, 2]], prompt_of=[0]))
    assert sorted(np.expm1(answers.data).round().astype(int)) == [1] * 6  # three single tokens, two pairs, one triple
    assert sorted(np.expm1(prompts.data).round().astype(int)) == [1, 1, 1, 1, 1, 2]  # the token 5 twice, three pairs


def test_grams_do_not_cross_from_one_text_into_the_next() -> None:
    together, _ = ngram_counts(Pairs(prompts=[[1]], answers=[[1, 7, 2], [3], [4, 5]], prompt_of=[0, 0, 0]))
    for row, answer in enumerate([[1, 7, 2], [3], [4, 5]]):
        alone, _ = ngram_counts(Pairs(prompts=[[1]], answers=[answer], prompt_of=[0]))
        assert (together[row] != alone[0]).nnz == 0


def test_columns_without_weight_vanish_and_the_logit_is_linear() -> None:
    pairs = tokenise_pairs(["p"], ["a"])
    weights = {"ngram.idf": np.zeros(COLUMNS, np.float32), "ngram.coef": ONES, "ngram.intercept": np.array([0.25], np.float32)}
    assert ngram_logits(weights, pairs).tolist() == [0.25]
    assert ngram_logits({**weights, "ngram.idf": ONES}, pairs)[0] == pytest.approx(ngram_features(pairs, ONES).sum() + 0.25, abs=1e-5)
