from __future__ import annotations

from typing import Any

import torch
from hypothesis import given
from hypothesis import strategies as st

from primum.training.packing import IGNORED, lay_end_to_end, lay_side_by_side, lay_unpaired, packed_parts, padded_parts, shared_beginning
from primum.training.rows import Row

ROWS = st.lists(st.builds(lambda p, a: Row(tuple(range(5, 5 + p)), tuple(range(50, 50 + a))), st.integers(1, 30), st.integers(1, 30)), min_size=1)


@given(ROWS, st.integers(1, 100))
def test_parts_hold_every_row_once_and_keep_to_the_budget(rows: list[Row], budget: int) -> None:
    for parts, size in (
        (packed_parts(rows, budget), lambda part: sum(row.length for row in part)),
        (padded_parts(rows, budget), lambda part: len(part) * max(row.length for row in part)),
        (padded_parts(rows, budget, sequences=2), lambda part: 2 * len(part) * max(row.length for row in part)),
    ):
        assert sorted((row for part in parts for row in part), key=repr) == sorted(rows, key=repr)
        assert all(len(part) == 1 or size(part) <= budget for part in parts)


def test_end_to_end_positions_begin_again_and_only_answers_carry_loss() -> None:
    laid = lay_end_to_end([Row((5, 6), (7,)), Row((8,), (9, 10))])
    assert laid["input_ids"].tolist() == [[5, 6, 7, 8, 9, 10]]
    assert laid["labels"].tolist() == [[IGNORED, IGNORED, 7, IGNORED, 9, 10]]
    assert laid["position_ids"].tolist() == [[0, 1, 2, 0, 1, 2]]
    assert laid["cu_seq_lens_q"].tolist() == [0, 3, 6]
    assert laid["max_length_q"] == 3


SHARED = st.lists(
    st.builds(lambda p, a: Row((1, 2, 3, *range(5, 5 + p)), tuple(range(50, 50 + a))), st.integers(1, 30), st.integers(1, 30)), min_size=2
)


@given(SHARED, st.integers(8, 100))
def test_parts_with_a_shared_beginning_keep_to_the_budget_as_laid(rows: list[Row], budget: int) -> None:
    parts = packed_parts(rows, budget, sharing=True)
    assert sorted((row for part in parts for row in part), key=repr) == sorted(rows, key=repr)
    for part in parts:
        assert len(part) == 1 or lay_end_to_end(part, sharing=True)["input_ids"].numel() <= budget


@given(SHARED)
def test_a_shared_beginning_stands_once_and_loses_nothing(rows: list[Row]) -> None:
    shared, laid = shared_beginning(rows), lay_end_to_end(rows, sharing=True)
    assert shared >= 3
    ids, labels, positions = (laid[name][0].tolist() for name in ("input_ids", "labels", "position_ids"))
    queries, keys = laid["cu_seq_lens_q"].tolist(), laid["cu_seq_lens_k"].tolist()
    assert queries[1] == keys[1] == shared
    for index, row in enumerate(rows, start=1):
        own = slice(queries[index], queries[index + 1])
        assert (*ids[:shared], *ids[own]) == (*row.prompt, *row.answer)
        assert tuple(label for label in labels[own] if label != IGNORED) == row.answer
        assert positions[own] == list(range(shared, row.length))
        assert keys[index + 1] - keys[index] == row.length
    assert set(labels[:shared]) == {IGNORED}


def test_a_prompt_that_is_the_beginning_of_another_keeps_its_last_token() -> None:
    rows = [Row((1, 2, 3), (7,)), Row((1, 2, 3, 4), (8,))]
    assert shared_beginning(rows) == 2
    assert lay_end_to_end(rows, sharing=True)["input_ids"].tolist() == [[1, 2, 3, 7, 3, 4, 8]]
    assert shared_beginning(rows[:1]) == 0


def test_side_by_side_pads_on_the_right() -> None:
    laid = lay_side_by_side([Row((5, 6), (7,)), Row((8,), (9,))], pad=0)
    assert laid["input_ids"].tolist() == [[5, 6, 7], [8, 9, 0]]
    assert laid["labels"].tolist() == [[IGNORED, IGNORED, 7], [IGNORED, 9, IGNORED]]
    assert torch.equal(laid["attention_mask"], torch.tensor([[1, 1, 1], [1, 1, 0]]))


def test_kto_estimates_with_answers_of_other_prompts() -> None:
    seen: list[dict[str, Any]] = []

    def collate(rows: list[dict[str, Any]]) -> dict[str, Any]:
        seen.extend(rows)
        return {}

    lay_unpaired([Row((1,), (11,), (12,)), Row((2,), (21,), (22,))], collate)
    assert [(row["prompt_ids"], row["completion_ids"], row["label"]) for row in seen] == [
        ([1], [11], True),
        ([2], [21], True),
        ([1], [12], False),
        ([2], [22], False),
    ]
    assert all(row["prompt_ids"][0] != row["KL_completion_ids"][0] // 10 for row in seen)
