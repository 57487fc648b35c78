"""What a certificate says of the training: read from the folder of an alignment, or from files that a user names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson

from primum.alignment.records import read_records
from primum.config import parse_model
from primum.errors import DataFormatError, DataMissingError
from primum.norms.library import all_norms, packaged_norms
from primum.runs import layout
from primum.schema.alignment import AlignmentResult, RoundDecision
from primum.schema.base import Record
from primum.schema.certificate import DataRow, TrainedRound, TrainingFacts
from primum.schema.training import Demonstration, Preference, TrainingOutcome, TrainingRecipe

R = TypeVar("R", bound=Record)
Row = Demonstration | Preference
RESULT: Final = "result.json"
_DATA: Final = "data.jsonl"
_PAIRS: Final = "pairs.jsonl"
_DECISION: Final = "decision.json"
_OUTCOME: Final = "outcome.json"
_ROUND: Final = re.compile(r"round-(\d+)")


@dataclass(frozen=True, slots=True)
class Training:
    """The facts, and the rows behind them.

    Attributes:
        facts: For the page.
        rows: Everything trained on, for the check of contamination; each text once.
    """

    facts: TrainingFacts = field(default_factory=TrainingFacts)
    rows: tuple[Row, ...] = ()


def read_alignment(out: Path) -> tuple[AlignmentResult, Training]:
    """Read the folder of ``primum align``.

    Raises:
        DataMissingError: The alignment is not finished.
        IntegrityError: A file is damaged.
        ConfigError: A file does not fit.
    """
    if not (out / RESULT).is_file():
        raise DataMissingError(f"{out}: no finished alignment here (no {RESULT})", remedy="run the same primum align command again: it resumes")
    result = parse_model(layout.read_json(out / RESULT), AlignmentResult, str(out / RESULT))
    folders = sorted((int(match[1]), path) for path in out.iterdir() if (match := _ROUND.fullmatch(path.name)))
    rounds = tuple(_read_round(number, path) for number, path in folders)
    # The best adapter grew out of every round up to it; later ones were not kept, but a text seen once and dropped is named all the same.
    rows = [row for number, path in folders if number <= max(result.best, 1) for row in _rows_of(path)]
    facts = describe(rows, rounds=rounds).model_copy(
        update={
            "method": result.spec.method,
            "recipe": _recipe(out, result),
            "preference": None if result.spec.method == "sft" else result.spec.preference,
            "best": result.best,
            "adapter_sha256": result.adapter_sha256,
            "seconds": result.seconds,
            "notes": result.notes,
        }
    )
    return result, Training(facts=facts, rows=unique(rows))


def _recipe(out: Path, result: AlignmentResult) -> TrainingRecipe:
    """The recipe of the certified round: a search may have chosen another rate than was asked for."""
    path = out / f"round-{max(result.best, 1)}" / "sft" / "recipe.json"
    return parse_model(_read_json(path), TrainingRecipe, str(path)) if path.is_file() else result.spec.recipe


def read_training(data: Sequence[Path], outcomes: Sequence[Path]) -> Training:
    """Facts from files that a user names: demonstrations or preferences (JSON lines), and ``outcome.json`` of trainings.

    Raises:
        DataMissingError: There is no such file.
        DataFormatError: A line is neither a demonstration nor a preference, or an outcome is not JSON.
        ConfigError: An outcome does not fit.
    """
    rows = [row for path in data for row in _read_rows(path)]
    read = tuple(parse_model(_read_json(path), TrainingOutcome, str(path)) for path in outcomes)
    rounds = (TrainedRound(round=1, rows=_count(rows, Demonstration), preferences=_count(rows, Preference), outcomes=read),) if read or rows else ()
    facts = describe(rows, rounds=rounds)
    adapter = read[-1].adapter_sha256 if read else ""
    kinds = "+".join(dict.fromkeys(outcome.kind for outcome in read))
    return Training(facts=facts.model_copy(update={"method": kinds, "best": len(rounds), "adapter_sha256": adapter}), rows=unique(rows))


def describe(rows: Sequence[Row], *, rounds: tuple[TrainedRound, ...] = ()) -> TrainingFacts:
    """Count rows by origin, language and dimension; a row that several rounds share counts once."""
    dimensions = {norm.id: norm.dimension for norm in all_norms(packaged_norms())} if rows else {}
    kept = unique(rows)
    cells = sorted({(row.origin, row.language) for row in kept})
    by_dimension = Counter(dimensions[row.norm] for row in kept if row.norm in dimensions)
    return TrainingFacts(
        data=tuple(
            DataRow(
                origin=origin,
                language=language,
                demonstrations=_count([row for row in kept if (row.origin, row.language) == (origin, language)], Demonstration),
                preferences=_count([row for row in kept if (row.origin, row.language) == (origin, language)], Preference),
                norms=len({row.norm for row in kept if (row.origin, row.language) == (origin, language) and row.norm}),
            )
            for origin, language in cells
        ),
        norms=len({row.norm for row in kept if row.norm}),
        dimensions=dict(sorted(by_dimension.items())),
        rounds=rounds,
    )


def unique(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Rows without repeated ones: rounds train on much the same demonstrations."""
    found: dict[tuple[str, ...], Row] = {}
    for row in rows:
        answers = (row.answer,) if isinstance(row, Demonstration) else (row.chosen, row.rejected)
        found.setdefault((type(row).__name__, *(message.content for message in row.messages), *answers), row)
    return tuple(found.values())


def _count(rows: Iterable[Row], kind: type[Row]) -> int:
    return sum(isinstance(row, kind) for row in rows)


def _rows_of(folder: Path) -> list[Row]:
    return [*read_records(folder / _DATA, Demonstration), *read_records(folder / _PAIRS, Preference)]


def _read_round(number: int, folder: Path) -> TrainedRound:
    decision = folder / _DECISION
    outcomes = sorted(folder.glob(f"*/{_OUTCOME}"), key=lambda path: (path.parent.name != "sft", path.parent.name))
    rows = _rows_of(folder)
    return TrainedRound(
        round=number,
        rows=_count(rows, Demonstration),
        preferences=_count(rows, Preference),
        decision=parse_model(layout.read_json(decision), RoundDecision, str(decision)) if decision.is_file() else None,
        outcomes=tuple(parse_model(_read_json(path), TrainingOutcome, str(path)) for path in outcomes),
    )


def _read_rows(path: Path) -> list[Row]:
    if not path.is_file():
        raise DataMissingError(f"{path}: no such file", remedy="give the JSON lines that the model was trained on")
    found: list[Row] = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if line.strip():
            found.append(_read_row(path, number, line))
    return found


def _read_row(path: Path, number: int, line: bytes) -> Row:
    try:
        value = orjson.loads(line)
        return Preference.model_validate(value) if "chosen" in value else Demonstration.model_validate(value)
    except (ValueError, TypeError) as error:
        # The error's own text would quote the row.
        raise DataFormatError(
            f"{path}: line {number} is neither a demonstration nor a preference ({type(error).__name__})",
            remedy="give id, messages, answer (or chosen and rejected), origin and language on each line",
        ) from None


def _read_json(path: Path) -> Any:
    try:
        return orjson.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise DataMissingError(f"{path}: no such file", remedy="give the outcome.json beside the adapter") from error
    except orjson.JSONDecodeError as error:
        raise DataFormatError(f"{path}: not JSON", remedy="give the outcome.json beside the adapter") from error
