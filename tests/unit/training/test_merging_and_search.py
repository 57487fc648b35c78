from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from primum.config import Settings
from primum.engines.local_loading import BaseModel, find_base, load
from primum.engines.local_options import LocalOptions
from primum.errors import DataFormatError, IntegrityError, TrainingDivergedError, UsageError
from primum.schema.training import Demonstration, TrainingRecipe
from primum.training import search
from primum.training.merging import merge
from primum.training.presets import PREFERENCE_PRESETS, PRESETS
from tests.tiny_model import save_adapter


def test_a_merged_model_answers_as_base_and_adapter_do(base: BaseModel, home: Path) -> None:
    adapter = save_adapter(home / "adapter", base=base.name)
    settings = Settings(home=home, data=None, offline=True)
    merged = merge(base, adapter, home / "merged")
    assert merge(base, adapter, merged) == merged
    options = LocalOptions(dtype="float32", device="cpu")
    one = load(find_base(str(merged), settings), uri="hf:merged", adapter="", options=options, settings=settings)
    two = load(base, uri="hf:base", adapter=str(adapter), options=options, settings=settings)
    tokens = torch.tensor([[5, 6, 7]])
    assert torch.allclose(one.model(tokens).logits, two.model(tokens).logits, atol=1e-5)
    assert one.style == "tokenizer"
    with pytest.raises(IntegrityError, match="something else"):
        merge(base, save_adapter(home / "other", base=base.name, seed=3), home)
    with pytest.raises(UsageError, match="made for base"):
        merge(base, save_adapter(home / "wrong", base="another"), home / "never")
    assert not list(home.glob(".never*"))


def test_the_best_recipe_is_found_on_held_norms(base: BaseModel, home: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe) -> None:
    grid = [recipe.model_copy(update={"rate": rate, "epochs": 4.0}) for rate in (1e-6, 1e-2)]
    best, found = search.search_recipe(base, demonstrations, home / "search", grid=grid)
    assert best == grid[1]
    assert [tried for tried, _ in found] == grid
    assert found[1][1] < found[0][1]


def test_no_norm_is_on_both_sides(make: Callable[..., Demonstration]) -> None:
    rows = [make(number) for number in range(20)] + [make(number, norm="") for number in range(20, 24)]
    train, held = search.split(rows, seed=0)
    assert {row.norm or row.id for row in train}.isdisjoint({row.norm or row.id for row in held})
    assert len(train) + len(held) == len(rows)
    assert search.split(rows, seed=0) == (train, held)
    assert search.split(rows, seed=1) != (train, held)
    with pytest.raises(DataFormatError, match="2 norms"):
        search.split(rows[:4], seed=0)


def test_recipes_that_diverge_are_left_out(
    base: BaseModel, home: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverge(*_: object, **__: object) -> None:
        raise TrainingDivergedError("the loss of step 1 is undefined")

    monkeypatch.setattr(search, "train_supervised", diverge)
    with pytest.raises(TrainingDivergedError, match="all 1 recipes"):
        search.search_recipe(base, demonstrations, home / "search", grid=[recipe])
    with pytest.raises(UsageError, match="no recipes"):
        search.search_recipe(base, demonstrations, home / "search", grid=[])


def test_paper_c_is_as_published() -> None:
    paper = PRESETS["paper-c"]
    assert (paper.lora.rank, paper.lora.alpha, paper.lora.dropout, paper.lora.targets) == (8, 16, 0.05, ("q_proj", "v_proj"))
    assert (paper.rate, paper.epochs, paper.batch) == (3e-4, 3, 128)
    assert set(PRESETS) == set(PREFERENCE_PRESETS)
    assert PRESETS["qlora"].precision == "nf4"
