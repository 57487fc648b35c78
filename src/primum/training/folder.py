"""What a training's folder holds, and which training it is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from primum.config import parse_model
from primum.errors import IntegrityError
from primum.hashing import sha256_file, sha256_of
from primum.runs.layout import read_json, write_json
from primum.schema.base import Record
from primum.schema.training import PreferenceRecipe, TrainingKind, TrainingOutcome, TrainingRecipe

ADAPTER: Final = "adapter"
CHECKPOINTS: Final = "checkpoints"
WEIGHTS: Final = "adapter_model.safetensors"
_IDENTITY: Final = "identity.json"
_OUTCOME: Final = "outcome.json"
_RECIPE: Final = "recipe.json"
_CONFIG: Final = "adapter_config.json"


class Identity(Record):
    """What decides the weights that a training ends with.

    Attributes:
        kind: Which loss.
        base_sha256: The base's weights.
        start_sha256: The adapter it goes on from; empty for none.
        data_sha256: The rows, in order.
        validation_sha256: The rows that are only looked at, in order.
        recipe_sha256: The recipe but for ``micro_tokens``, which decides speed and memory and not what is learnt.
    """

    kind: TrainingKind
    base_sha256: str
    start_sha256: str
    data_sha256: str
    validation_sha256: str
    recipe_sha256: str


def rows_digest(rows: Sequence[Record]) -> str:
    """SHA-256 of rows, in order."""
    return sha256_of([row.model_dump(mode="json") for row in rows])


def recipe_digest(recipe: TrainingRecipe | PreferenceRecipe) -> str:
    """SHA-256 of what a recipe says about learning."""
    return sha256_of(recipe.model_dump(mode="json", exclude={"micro_tokens"}))


def adapter_digest(folder: Path | None) -> str:
    """SHA-256 of an adapter's weights; empty for none."""
    weights = folder / WEIGHTS if folder else None
    return sha256_file(weights) if weights and weights.is_file() else ""


def claim(out: Path, identity: Identity, recipe: TrainingRecipe | PreferenceRecipe) -> TrainingOutcome | None:
    """Take a folder for a training; its outcome where it is finished already.

    Raises:
        IntegrityError: Another training is in the folder, or a finished adapter was changed.
    """
    mine = identity.model_dump(mode="json")
    kept = out / _IDENTITY
    if kept.exists():
        theirs = read_json(kept)
        if theirs != mine:
            differs = sorted(name for name in mine if not isinstance(theirs, dict) or theirs.get(name) != mine[name])
            raise IntegrityError(f"{out}: holds another training ({', '.join(differs)} differ)", remedy="give another folder, or remove this one")
    else:
        write_json(out / _RECIPE, recipe.model_dump(mode="json"))
        write_json(kept, mine)
    if not (out / _OUTCOME).exists():
        return None
    outcome = parse_model(read_json(out / _OUTCOME), TrainingOutcome, str(out / _OUTCOME))
    if adapter_digest(out / ADAPTER) != outcome.adapter_sha256:
        raise IntegrityError(f"{out / ADAPTER}: not the adapter that this training wrote", remedy="remove the folder and train again")
    return outcome


def finish(out: Path, outcome: TrainingOutcome) -> None:
    """Write the outcome; checkpoints are no longer needed."""
    write_json(out / _OUTCOME, outcome.model_dump(mode="json"))
    shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)


def place_adapter(out: Path, written: Path, *, base_name: str) -> str:
    """Put a saved adapter in its place, whole or not at all; the SHA-256 of its weights.

    Args:
        out: The training's folder.
        written: A folder with an adapter's two files; it may hold others, which stay behind.
        base_name: What the adapter shall say it was made for.
    """
    scratch = out / f".{ADAPTER}.{os.getpid()}.tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    shutil.copyfile(written / WEIGHTS, scratch / WEIGHTS)
    config: dict[str, Any] = orjson.loads((written / _CONFIG).read_bytes())
    config["base_model_name_or_path"] = base_name
    config["inference_mode"] = True
    # peft writes a set, in an order that changes from process to process.
    config = {name: sorted(value) if name == "target_modules" and isinstance(value, list) else value for name, value in config.items()}
    write_json(scratch / _CONFIG, config)
    shutil.rmtree(out / ADAPTER, ignore_errors=True)
    scratch.rename(out / ADAPTER)
    return adapter_digest(out / ADAPTER)
