"""Rows in an order of which every beginning is a fair sample, so that small doses are part of large ones.

Rows take turns by their groups, the coarsest first; within the finest group, a seed decides. The first 100 therefore contain the first 50, and both
hold the groups in nearly equal numbers for as long as there are any.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from primum.hashing import derived_seed

T = TypeVar("T")


def nested_order(rows: Sequence[T], *, seed: int, keys: Callable[[T], tuple[str, ...]], name: Callable[[T], str]) -> list[T]:
    """All rows, so ordered that each beginning is balanced over every level of ``keys``.

    Args:
        rows: In any order; the result does not depend on it.
        seed: Decides within the finest groups, and which group takes the first turn.
        keys: Groups of a row, the coarsest first; the same number for every row.
        name: Unique name of a row.
    """
    ranked = sorted(rows, key=lambda row: (derived_seed("pool", seed, name(row)), name(row)))
    return _take_turns(ranked, 0, seed, keys)


def _take_turns(rows: Sequence[T], depth: int, seed: int, keys: Callable[[T], tuple[str, ...]]) -> list[T]:
    if not rows or depth == len(keys(rows[0])):
        return list(rows)
    groups: dict[str, list[T]] = {}
    for row in rows:
        groups.setdefault(keys(row)[depth], []).append(row)
    queues = [
        _take_turns(groups[group], depth + 1, seed, keys) for group in sorted(groups, key=lambda group: (derived_seed("turn", seed, group), group))
    ]
    longest = max(len(queue) for queue in queues)
    return [queue[place] for place in range(longest) for queue in queues if place < len(queue)]
