from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from primum.engines.local_loading import BaseModel
from primum.errors import DataFormatError
from primum.schema.training import Demonstration, Preference, PreferenceRecipe, TrainingRecipe
from primum.training.preference import train_preferences
from primum.training.progress import TrainingProgress
from primum.training.supervised import train_supervised

RECIPE = PreferenceRecipe(batch=3, rate=5e-3, epochs=6)


def train(base: BaseModel, rows: list[Preference], out: Path, start: Path | None, recipe: PreferenceRecipe) -> tuple[Any, list[float]]:
    losses: list[float] = []
    progress = TrainingProgress(advance=lambda step, loss: losses.append(loss))
    return train_preferences(base, rows, out, recipe=recipe, start=start, progress=progress), losses


@pytest.fixture
def start(base: BaseModel, home: Path, demonstrations: list[Demonstration], recipe: TrainingRecipe) -> Path:
    train_supervised(base, demonstrations, home / "sft", recipe=recipe)
    return home / "sft" / "adapter"


@pytest.mark.parametrize(("method", "undecided"), [("dpo", 0.6931), ("kto", 0.5)])
def test_better_answers_become_likelier(
    base: BaseModel, home: Path, preferences: list[Preference], start: Path, method: Any, undecided: float
) -> None:
    recipe = RECIPE.model_copy(update={"method": method})
    outcome, losses = train(base, preferences, home / "out", start, recipe)
    # The reference is the model with the start: before the first step neither answer has moved.
    assert losses[0] == pytest.approx(undecided, abs=1e-3)
    assert losses[-1] < undecided - 0.02
    assert (outcome.kind, outcome.rows, outcome.steps) == (method, 6, 12)
    assert outcome.validation_loss is None
    files = sorted(path.name for path in (home / "out" / "adapter").iterdir())
    assert files == ["adapter_config.json", "adapter_model.safetensors"]


@pytest.mark.parametrize("method", ["dpo", "kto"])
def test_interrupted_preferences_end_with_the_same_weights(
    base: BaseModel, home: Path, preferences: list[Preference], start: Path, method: Any
) -> None:
    recipe = RECIPE.model_copy(update={"method": method, "epochs": 2.0})

    def stop(step: int, loss: float) -> None:
        if step == 3:
            raise KeyboardInterrupt

    train(base, preferences, home / "whole", start, recipe)
    with pytest.raises(KeyboardInterrupt):
        train_preferences(base, preferences, home / "out", recipe=recipe, start=start, progress=TrainingProgress(advance=stop))
    train(base, preferences, home / "out", start, recipe)
    name = "adapter/adapter_model.safetensors"
    assert (home / "out" / name).read_bytes() == (home / "whole" / name).read_bytes()


def test_without_a_start_the_base_is_the_reference(base: BaseModel, home: Path, preferences: list[Preference]) -> None:
    _, losses = train(base, preferences, home / "out", None, RECIPE)
    assert losses[0] == pytest.approx(0.6931, abs=1e-3)


def test_too_few(base: BaseModel, home: Path, preferences: list[Preference]) -> None:
    with pytest.raises(DataFormatError, match="1 preferences"):
        train_preferences(base, preferences[:1], home / "out", recipe=RECIPE, start=None)
