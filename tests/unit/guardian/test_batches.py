"""Texts to tokens: elisions are not seen, long texts lose their middle, batches cover every row once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primum.guardian.batches import PROMPT_TOKENS, Pairs, text_tokens, tokenise_pairs, visible_wording

BEGIN, END = 1, 2


@pytest.mark.parametrize("elision", ["…", "……", "...", "..", "____", "××", "…………"])
def test_elisions_are_not_seen(elision: str) -> None:
    assert visible_wording(f"I name {elision} here").split() == ["I", "name", "here"]
    assert text_tokens(f"I name {elision} here", 50) == text_tokens("I name here", 50)


@pytest.mark.parametrize("text", ["One. Two.", "snake_case", "3 × 4", "a-b"])
def test_single_marks_stay(text: str) -> None:
    assert visible_wording(text) == text


@pytest.mark.parametrize("text", ["", "a \ud800 half", "\x00", "\udfff", "🙂"])
def test_any_text_has_tokens_between_its_marks(text: str) -> None:
    ids = text_tokens(text, 50)
    assert (ids[0], ids[-1]) == (BEGIN, END)


@pytest.mark.parametrize("limit", [3, 10, 50, 384])
def test_clipping_keeps_head_and_tail_and_the_limit(limit: int) -> None:
    text = " ".join(f"word{number}" for number in range(400))
    whole, clipped = text_tokens(text, 10**6), text_tokens(text, limit)
    head = limit * 2 // 3
    assert len(clipped) == limit
    assert clipped == whole[:head] + whole[-(limit - head) :]


def test_a_text_that_fits_is_whole() -> None:
    assert text_tokens("short", len(text_tokens("short", 100))) == text_tokens("short", 100)


def test_equal_prompts_are_kept_once() -> None:
    pairs = tokenise_pairs(["p", "q", "p", "p"], ["1", "2", "3", "4"])
    assert len(pairs.prompts) == 2
    assert pairs.prompt_of == [0, 1, 0, 0]
    assert len(pairs) == 4


def test_limits_of_prompts_and_answers() -> None:
    pairs = tokenise_pairs(["word " * 2000], ["word " * 2000], answer_tokens=40)
    assert (len(pairs.prompts[0]), len(pairs.answers[0])) == (PROMPT_TOKENS, 40)


def test_nothing_makes_no_batches() -> None:
    assert list(tokenise_pairs([], []).batches()) == []


def pairs_of(sizes: list[tuple[int, int]]) -> Pairs:
    """Answers of so many tokens, each under the prompt of a number."""
    prompts = [[BEGIN] * (prompt + 1) for prompt in range(5)]
    return Pairs(prompts, [[BEGIN, *range(3, size + 3)] for size, _ in sizes], [prompt for _, prompt in sizes])


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 4)), max_size=60), st.integers(1, 2000))
def test_batches_cover_each_row_once_and_respect_the_budget(sizes: list[tuple[int, int]], budget: int) -> None:
    pairs = pairs_of(sizes)
    batches = list(pairs.batches(budget))
    assert sorted(row for batch in batches for row in batch) == list(range(len(sizes)))
    for batch in batches:
        tokens = sum(len(pairs.answers[row]) + len(pairs.prompts[pairs.prompt_of[row]]) for row in batch)
        assert batch and (tokens <= budget or len(batch) == 1)
    order = [pairs.prompt_of[row] for batch in batches for row in batch]
    assert order == sorted(order)


def test_lay_out_takes_the_named_rows() -> None:
    pairs = pairs_of([(3, 2), (5, 0), (2, 2), (4, 1)])
    prompts, answers, prompt_of = pairs.lay_out([2, 1, 0])
    assert answers.lengths.tolist() == [3, 6, 4]
    assert answers.starts.tolist() == [0, 3, 9]
    assert prompts.lengths.tolist() == [3, 1]
    assert prompt_of.tolist() == [0, 1, 0]
    for place, row in enumerate([2, 1, 0]):
        ids = answers.ids[answers.starts[place] : answers.starts[place] + answers.lengths[place]]
        assert ids.tolist() == pairs.answers[row]
    assert answers.ids.dtype == np.int64
