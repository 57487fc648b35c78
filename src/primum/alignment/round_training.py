"""What a round works with, and its trainings: each in a folder of its own, and gone on with where it was interrupted."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from primum.alignment.judging import Judge
from primum.alignment.measuring import Engines, Tuned
from primum.alignment.records import Ledger, read_records
from primum.alignment.suite import Suite
from primum.alignment.training_port import ADAPTER, Trainer
from primum.errors import UsageError
from primum.evaluation.pipeline import Progress
from primum.hashing import sha256_file, sha256_of
from primum.runs import layout
from primum.schema.alignment import AlignmentSpec
from primum.schema.training import Demonstration, Preference, TrainingOutcome, TrainingRecipe

WEIGHTS: Final = "adapter_model.safetensors"


@dataclass(frozen=True)
class Round:
    """What one round works with.

    Attributes:
        number: From 1.
        folder: Its files.
        out: The alignment's folder.
        spec: What is asked.
        suite: Whose texts must not be learnt.
        data: Folder of outside data.
        trainer: Trains.
        judge: The guardian.
        engines: Models that answer.
        progress: Where news goes.
    """

    number: int
    folder: Path
    out: Path
    spec: AlignmentSpec
    suite: Suite
    data: Path | None
    trainer: Trainer
    judge: Judge
    engines: Engines
    progress: Progress

    @property
    def ledger(self) -> Ledger:
        """Its finished steps."""
        return Ledger(self.folder, note=self.progress.note)

    def path(self, name: str) -> Path:
        """A file of the round."""
        return self.folder / name


def choose_recipe(round_: Round) -> TrainingRecipe:
    """The spec's recipe, or the one that a search on validation demonstrations chose in the first round."""
    spec = round_.spec
    if not spec.search:
        return spec.recipe
    chosen = round_.out / "round-1" / "search" / "chosen.json"
    if round_.number == 1:
        rows = read_records(round_.path("data.jsonl"), Demonstration)
        grid = [spec.recipe.model_copy(update={"rate": spec.recipe.rate * factor}) for factor in (1.0, 0.33, 3.0)]

        def make() -> None:
            best = round_.trainer.search(rows, chosen.parent, grid=grid)
            chosen.parent.mkdir(parents=True, exist_ok=True)
            layout.write_json(chosen, best.model_dump(mode="json"))

        inputs = {"data": round_.ledger.digest("data"), "grid": [entry.model_dump(mode="json") for entry in grid]}
        round_.ledger.run("search", inputs=inputs, files=["search/chosen.json"], make=make, provenance={"seed": str(spec.recipe.seed)})
    return TrainingRecipe.model_validate(layout.read_json(chosen))


def supervise(round_: Round, start: Tuned, recipe: TrainingRecipe) -> tuple[Path, tuple[TrainingOutcome, ...]]:
    """Supervised fine-tuning on the round's data from the best model so far; the adapter's folder, and the outcome."""
    rows = read_records(round_.path("data.jsonl"), Demonstration)
    inputs = {
        "data": round_.ledger.digest("data"),
        "recipe": recipe.model_dump(mode="json"),
        "start": start.sha256,
        "base": round_.trainer.fingerprint,
    }

    def make(out: Path) -> TrainingOutcome:
        return round_.trainer.supervise(rows, out, recipe=recipe, validation=(), start=start.adapter)

    outcome = _training(round_, "sft", inputs, make, {"recipe": sha256_of(recipe), "start": start.sha256})
    return round_.path("sft") / ADAPTER, (outcome,)


def prefer(round_: Round, adapter: Path, outcomes: Sequence[TrainingOutcome]) -> tuple[Path, tuple[TrainingOutcome, ...]]:
    """Preference optimisation from the adapter that supervised fine-tuning left.

    Raises:
        UsageError: There are too few pairs.
    """
    rows = read_records(round_.path("pairs.jsonl"), Preference)
    if len(rows) < 2:
        raise UsageError("there are no pairs to optimise preferences on", remedy="sample more answers, or use --method sft")
    recipe = round_.spec.preference
    inputs = {"data": round_.ledger.digest("data"), "recipe": recipe.model_dump(mode="json"), "start": sha256_file(adapter / WEIGHTS)}

    def make(out: Path) -> TrainingOutcome:
        return round_.trainer.prefer(rows, out, recipe=recipe, start=adapter)

    outcome = _training(round_, recipe.method, inputs, make, {"recipe": sha256_of(recipe), "start": str(inputs["start"])})
    return round_.path(recipe.method) / ADAPTER, (*outcomes, outcome)


def _training(
    round_: Round, step: str, inputs: Mapping[str, Any], make: Callable[[Path], TrainingOutcome], provenance: Mapping[str, str]
) -> TrainingOutcome:
    """One training in its own folder; the trainer itself goes on where it was interrupted."""
    out = round_.path(step)
    marker = out / "inputs.sha256"
    digest = sha256_of(inputs)
    if out.exists() and marker.exists() and marker.read_text() != digest:
        # What it was made from changed, so nothing of it can be gone on with.
        round_.progress.note(f"{step}: its data or recipe changed; trained anew")
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    layout.write_bytes(marker, digest.encode())
    if not round_.ledger.is_done(step, inputs):
        begun = time.monotonic()
        make(out)
        files = sorted(path.relative_to(round_.folder).as_posix() for path in (out / ADAPTER).iterdir() if path.is_file())
        seconds = time.monotonic() - begun
        round_.ledger.finish(step, inputs=inputs, files=[f"{step}/outcome.json", *files], provenance=provenance, seconds=seconds)
    return TrainingOutcome.model_validate(layout.read_json(out / "outcome.json"))
