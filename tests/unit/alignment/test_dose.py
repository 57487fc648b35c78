"""Doses: nested draws, one training a dose and seed, pairs with the base, and refusals."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primum.alignment.dose import parse_doses, run_dose
from primum.alignment.pool import nested_order
from primum.errors import UsageError
from tests.unit.alignment.arms_factory import FakeTrainer, make_bench

Rows = list[tuple[int, str, str]]
_ROWS = st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from("abc"), st.sampled_from("xy")), max_size=60, unique_by=lambda row: row[0])


def order(rows: Rows, seed: int) -> Rows:
    return nested_order(rows, seed=seed, keys=lambda row: (row[1], row[2]), name=lambda row: str(row[0]))


@given(_ROWS, st.integers(0, 9))
def test_every_order_holds_every_row_once_whatever_order_they_came_in(rows: Rows, seed: int) -> None:
    ordered = order(rows, seed)
    assert sorted(ordered) == sorted(rows)
    assert order(rows[::-1], seed) == ordered


@given(_ROWS, st.integers(0, 9), st.integers(0, 60))
def test_every_beginning_is_balanced_while_groups_last(rows: Rows, seed: int, dose: int) -> None:
    taken, sizes = Counter(row[1] for row in order(rows, seed)[:dose]), Counter(row[1] for row in rows)
    # A group may fall behind only once it is used up.
    open_groups = [taken[group] for group in sizes if taken[group] < sizes[group]]
    assert not open_groups or max(taken.values(), default=0) - min(open_groups) <= 1


def test_material_is_nested_and_follows_its_shares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = make_bench(tmp_path, monkeypatch)
    assert bench.teacher is not None
    take = bench.teacher.material.take
    assert take(50, seed=3) == take(100, seed=3)[:50]
    assert take(50, seed=3) != take(50, seed=4)
    assert Counter(row.origin for row in take(50, seed=3)) == {"bank": 30, "benign": 20}


def test_a_curve_over_doses_and_seeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = FakeTrainer()
    result = asyncio.run(run_dose(make_bench(tmp_path, monkeypatch, trainer=trainer), parse_doses("0,20,100"), seeds=2))
    assert sorted(trainer.trained) == ["sft-100-seed-1", "sft-100-seed-2", "sft-20-seed-1", "sft-20-seed-2"]
    assert (result.doses, result.seeds) == ((0, 20, 100), (1, 2))
    refused = [point for point in result.points if (point.task, point.language, point.card.name) == ("toy-requests", "en", "refusal")]
    assert [point.dose for point in refused] == [0, 20, 100]
    assert [len(point.seeds) for point in refused] == [1, 2, 2]
    assert refused[0].difference is None
    assert refused[2].difference is not None
    assert refused[2].difference.p_holm is not None
    assert refused[2].estimate.value == 1.0
    assert refused[2].estimate.n == 2 * refused[0].estimate.n
    again = FakeTrainer()
    assert asyncio.run(run_dose(make_bench(tmp_path, monkeypatch, trainer=again), (0, 20, 100), seeds=2)) == result
    assert again.trained == []


def test_a_dose_beyond_the_pool_is_known_before_anything_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = FakeTrainer()
    with pytest.raises(UsageError, match="900 demonstrations were asked for; bank, benign hold 120"):
        asyncio.run(run_dose(make_bench(tmp_path, monkeypatch, trainer=trainer), (0, 50, 900), seeds=1))
    assert trainer.trained == []
    assert not (tmp_path / "runs-of").exists()


@pytest.mark.parametrize("text", ["", "0", "-5,10", "a,b", "10;20"])
def test_doses_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="--dose"):
        parse_doses(text)


def test_doses_are_sorted_and_begin_at_the_base() -> None:
    assert parse_doses("200, 50,50") == (0, 50, 200)
