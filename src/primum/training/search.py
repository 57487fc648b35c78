"""Choosing a recipe on a validation split of the training demonstrations; nothing here ever sees a test item."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from primum.engines.local_loading import BaseModel
from primum.errors import DataFormatError, TrainingDivergedError, UsageError
from primum.hashing import derived_seed
from primum.schema.training import Demonstration, TrainingRecipe
from primum.training.progress import TrainingProgress
from primum.training.supervised import train_supervised

_SHARE: Final = 0.2


def search_recipe(
    base: BaseModel,
    demonstrations: Sequence[Demonstration],
    out: Path,
    *,
    grid: Sequence[TrainingRecipe],
    progress: TrainingProgress | None = None,
) -> tuple[TrainingRecipe, list[tuple[TrainingRecipe, float]]]:
    """Train with every recipe of ``grid`` on one part of the demonstrations and compare their loss on the rest; the best, and all of them.

    Args:
        base: From ``find_base`` or ``find_embedded``.
        demonstrations: Training demonstrations only.
        out: Gets ``recipe-0``, ``recipe-1``, ...: each a training's folder, so that a killed search goes on.
        grid: What to compare; the first of equals wins. A recipe that diverges is left out, and said.
        progress: Where news goes.

    Raises:
        UsageError: The grid is empty.
        DataFormatError: Too few norms to split by.
        TrainingDivergedError: Every recipe diverged.
    """
    if not grid:
        raise UsageError("no recipes to search", remedy="give at least one")
    progress = progress or TrainingProgress()
    train, validation = split(demonstrations, seed=grid[0].seed)
    found: list[tuple[TrainingRecipe, float]] = []
    for number, recipe in enumerate(grid):
        try:
            outcome = train_supervised(base, train, out / f"recipe-{number}", recipe=recipe, validation=validation, progress=progress)
        except TrainingDivergedError as error:
            progress.note(f"recipe {number} left out: {error.message}")
            continue
        if outcome.validation_loss is not None:
            found.append((recipe, outcome.validation_loss))
    if not found:
        raise TrainingDivergedError(f"all {len(grid)} recipes diverged", remedy="search lower rates")
    return min(found, key=lambda pair: pair[1])[0], found


def split(demonstrations: Sequence[Demonstration], *, seed: int) -> tuple[list[Demonstration], list[Demonstration]]:
    """A fifth of the norms to look at, the others to learn from; rows without a norm count one by one. Both keep their order.

    Raises:
        DataFormatError: Fewer than three norms.
    """
    clusters = {row.norm or row.id for row in demonstrations}
    if len(clusters) < 3:
        raise DataFormatError(f"{len(clusters)} norms in the demonstrations; a search splits by norm and needs 3", remedy="add demonstrations")
    drawn = sorted(clusters, key=lambda cluster: (derived_seed("recipe-search", seed, cluster), cluster))
    held = frozenset(drawn[: max(1, round(_SHARE * len(drawn)))])
    return [row for row in demonstrations if (row.norm or row.id) not in held], [row for row in demonstrations if (row.norm or row.id) in held]
