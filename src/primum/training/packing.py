"""How the rows of one optimiser step are spread over forward passes, and how one pass is laid out as tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from primum.engines.local_extra import import_extra
from primum.training.rows import Row

IGNORED = -100  # the label of tokens that carry no loss, as everywhere in transformers


def shared_beginning(rows: Sequence[Row]) -> int:
    """Tokens with which every prompt begins (the template's system turn, at least); 0 for a single row.

    One token less than the shortest prompt at most: the last token of a prompt foretells its own answer.
    """
    if len(rows) < 2:
        return 0
    most = min(len(row.prompt) for row in rows) - 1
    first = rows[0].prompt
    return next((place for place in range(most) if any(row.prompt[place] != first[place] for row in rows)), max(most, 0))


def packed_parts(rows: Sequence[Row], budget: int, *, sharing: bool = False) -> list[list[Row]]:
    """Rows laid end to end in parts of at most ``budget`` tokens, first-fit by falling length; a longer row stands alone.

    Args:
        rows: What one step holds.
        budget: Upper bound on tokens.
        sharing: The beginning that all prompts have in common is laid once a part.
    """
    shared = shared_beginning(rows) if sharing else 0
    parts: list[list[Row]] = []
    room: list[int] = []
    for row in sorted(rows, key=lambda row: -row.length):
        own = row.length - shared
        place = next((index for index, left in enumerate(room) if own <= left), None)
        if place is None:
            parts.append([])
            room.append(budget - shared)
            place = len(parts) - 1
        parts[place].append(row)
        room[place] -= own
    return parts


def padded_parts(rows: Sequence[Row], budget: int, sequences: int = 1) -> list[list[Row]]:
    """Rows side by side in parts whose padded size is at most ``budget`` tokens, sorted by length so that little is padded.

    Args:
        rows: What one step holds.
        budget: Upper bound on padded tokens; a longer row stands alone.
        sequences: Sequences that one row becomes (a preference: two).
    """
    parts: list[list[Row]] = []
    for row in sorted(rows, key=lambda row: -row.length):
        if parts and (len(parts[-1]) + 1) * sequences * parts[-1][0].length <= budget:
            parts[-1].append(row)
        else:
            parts.append([row])
    return parts


def lay_end_to_end(rows: Sequence[Row], *, sharing: bool = False) -> dict[str, Any]:
    """One sequence whose position ids begin again at every row, with the boundaries as flash attention names them.

    Args:
        rows: What one pass holds.
        sharing: Lay the common beginning of the prompts once, as a segment of its own before the rest of each. The keys of a rest are then longer
            than its queries, by that beginning: see :mod:`primum.training.segment_attention`.
    """
    torch = import_extra("torch")
    shared = shared_beginning(rows) if sharing else 0
    ids = [*rows[0].prompt[:shared], *(token for row in rows for token in (*row.prompt[shared:], *row.answer))]
    labels = [IGNORED] * shared + [label for row in rows for label in (*[IGNORED] * (len(row.prompt) - shared), *row.answer)]
    positions = [*range(shared), *(place for row in rows for place in range(shared, row.length))]
    lengths = [*([(shared, shared)] if shared else []), *((row.length - shared, row.length) for row in rows)]
    queries, keys = (torch.tensor([0, *accumulate(length)], dtype=torch.int32) for length in zip(*lengths, strict=True))
    return {
        "input_ids": torch.tensor([ids]),
        "labels": torch.tensor([labels]),
        "position_ids": torch.tensor([positions]),
        "cu_seq_lens_q": queries,
        "cu_seq_lens_k": keys,
        "max_length_q": max(query for query, _ in lengths),
        "max_length_k": max(key for _, key in lengths),
    }


def lay_side_by_side(rows: Sequence[Row], pad: int) -> dict[str, Any]:
    """One sequence a row, padded on the right."""
    torch = import_extra("torch")
    width = max(row.length for row in rows)
    gaps = [width - row.length for row in rows]
    return {
        "input_ids": torch.tensor([[*row.prompt, *row.answer, *[pad] * gap] for row, gap in zip(rows, gaps, strict=True)]),
        "labels": torch.tensor(
            [[*[IGNORED] * len(row.prompt), *row.answer, *[IGNORED] * gap] for row, gap in zip(rows, gaps, strict=True)],
        ),
        "attention_mask": torch.tensor([[1] * row.length + [0] * gap for row, gap in zip(rows, gaps, strict=True)]),
    }


def lay_pairs(rows: Sequence[Row], collate: Callable[[list[dict[str, Any]]], dict[str, Any]]) -> dict[str, Any]:
    """Preferences as trl's DPO collator takes them."""
    return collate([{"prompt_ids": list(row.prompt), "chosen_ids": list(row.answer), "rejected_ids": list(row.rejected)} for row in rows])


def lay_unpaired(rows: Sequence[Row], collate: Callable[[list[dict[str, Any]]], dict[str, Any]]) -> dict[str, Any]:
    """Preferences as trl's KTO collator takes them: all better answers, then all worse ones.

    Each prompt also gets the answer of the row before it, from which KTO estimates how far the model has moved (arXiv 2402.01306, section 4.1);
    in this order that answer belongs to another prompt, unless there is one preference only.
    """
    whole = [(row.prompt, row.answer, True) for row in rows] + [(row.prompt, row.rejected, False) for row in rows]
    return collate(
        [
            {
                "prompt_ids": list(prompt),
                "completion_ids": list(answer),
                "KL_completion_ids": list(whole[index - 1][1]),
                "label": good,
            }
            for index, (prompt, answer, good) in enumerate(whole)
        ]
    )
