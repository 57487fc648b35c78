"""One training by a JSON specification, for ``accelerate launch -m primum.training.launch --spec FILE`` and for clusters' job files."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import ValidationError

from primum.config import Settings, explain, parse_model
from primum.engines.local_loading import BaseModel, find_base, find_embedded
from primum.errors import ConfigError, DataFormatError, PrimumError
from primum.schema.base import NonEmpty, Record
from primum.schema.training import Demonstration, Preference, PreferenceRecipe, TrainingOutcome, TrainingRecipe
from primum.tables import read_rows
from primum.training.preference import train_preferences
from primum.training.progress import TrainingProgress
from primum.training.supervised import train_supervised

R = TypeVar("R", bound=Record)


class LaunchSpec(Record):
    """What to train. Relative paths start at the specification's folder.

    Attributes:
        kind: ``sft`` with ``recipe``, or ``preferences`` with ``preference_recipe``.
        base: ``embedded``, a folder, or a hub id.
        data: JSONL of demonstrations or preferences.
        validation: JSONL of demonstrations to look at; only for ``sft``.
        out: The training's folder.
        start: An adapter's folder to go on from.
        recipe: Of supervised fine-tuning.
        preference_recipe: Of preference optimisation.
    """

    kind: Literal["sft", "preferences"]
    base: NonEmpty
    data: Path
    validation: Path | None = None
    out: Path
    start: Path | None = None
    recipe: TrainingRecipe = TrainingRecipe()
    preference_recipe: PreferenceRecipe = PreferenceRecipe()


def launch(path: Path) -> TrainingOutcome:
    """Run the training that a specification describes.

    Raises:
        ConfigError: The specification is missing, not JSON, or does not fit.
        DataFormatError: A row of the data does not fit; names file and line.
        PrimumError: As the training itself.
    """
    spec = read_spec(path)
    base, progress = _base(spec.base), _progress()
    out, start = path.parent / spec.out, path.parent / spec.start if spec.start else None
    data = path.parent / spec.data
    if spec.kind == "preferences":
        return train_preferences(base, _rows(data, Preference), out, recipe=spec.preference_recipe, start=start, progress=progress)
    validation = _rows(path.parent / spec.validation, Demonstration) if spec.validation else []
    return train_supervised(base, _rows(data, Demonstration), out, recipe=spec.recipe, validation=validation, start=start, progress=progress)


def read_spec(path: Path) -> LaunchSpec:
    """Read a specification; raises ConfigError."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}", remedy="name a JSON file with --spec") from error
    except ValueError as error:
        raise ConfigError(f"{path}: not valid JSON", remedy="mend it, or write it with a tool") from error
    return parse_model(value, LaunchSpec, str(path))


def _base(name: str) -> BaseModel:
    settings = Settings.from_environment()
    return find_embedded(settings) if name == "embedded" else find_base(name.removeprefix("hf:"), settings)


def _rows(path: Path, model: type[R]) -> list[R]:
    found: list[R] = []
    for row in read_rows(path, required=("id", "messages")):
        try:
            found.append(model.model_validate(row.values))
        except ValidationError as error:
            raise DataFormatError(explain(error, model, f"{path}:{row.number}").message, remedy="mend this row") from error
    return found


def _progress() -> TrainingProgress:
    if int(os.environ.get("RANK", "0")):
        return TrainingProgress()

    def say(text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    return TrainingProgress(
        begin=lambda title, steps, done: say(f"{title}: {steps} steps, {done} done"),
        advance=lambda step, loss: say(f"step {step}: loss {loss:.4f}"),
        note=say,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, train, print the outcome as one JSON object; the exit code."""
    parser = argparse.ArgumentParser(prog="primum.training.launch", description=__doc__)
    parser.add_argument("--spec", type=Path, required=True, help="JSON: kind, base, data, out, and a recipe (docs/training.md)")
    try:
        outcome = launch(parser.parse_args(arguments).spec)
    except PrimumError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    if not int(os.environ.get("RANK", "0")):
        sys.stdout.write(outcome.model_dump_json(indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
