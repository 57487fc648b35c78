"""Recipes by name. What is not set here is the recipe's own default: arXiv 2403.03744."""

from __future__ import annotations

from typing import Final

from primum.schema.training import LoraShape, PreferenceRecipe, TrainingRecipe

_ALL_LINEAR: Final = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")

PRESETS: Final[dict[str, TrainingRecipe]] = {
    # Rank 8, alpha 16, dropout 0.05, query and value projections, 3e-4, 3 epochs, batches of 128.
    "paper-c": TrainingRecipe(),
    # Hundreds of demonstrations on two cores: every linear layer of the upper half, where a step costs three quarters of one through all blocks and
    # teaches more (docs/training.md); small steps at a higher rate, and no demonstration long enough to fill the memory.
    "cpu": TrainingRecipe(lora=LoraShape(rank=16, alpha=32, dropout=0, targets=_ALL_LINEAR, upper=0.5), rate=1e-3, epochs=2, batch=8, max_tokens=512),
    # A model that fits one GPU only in four bits (arXiv 2305.14314, table 9: every linear layer, dropout 0.1, 2e-4, batches of 16).
    "qlora": TrainingRecipe(
        lora=LoraShape(rank=64, alpha=16, dropout=0.1, targets=_ALL_LINEAR), rate=2e-4, batch=16, max_tokens=2048, precision="nf4"
    ),
}

PREFERENCE_PRESETS: Final[dict[str, PreferenceRecipe]] = {
    "paper-c": PreferenceRecipe(),
    "cpu": PreferenceRecipe(rate=2e-4, batch=8, max_tokens=512),
    "qlora": PreferenceRecipe(max_tokens=2048, precision="nf4"),
}
