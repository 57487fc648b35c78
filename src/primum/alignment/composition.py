"""What a round trains on: demonstrations by shares, spread over languages and dimensions; accepted answers; pairs. Never a held-out text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from primum.alignment.contamination import find_held_out, held_out_texts
from primum.alignment.demonstrations import bank_preferences, candidates, fallback_answer
from primum.alignment.pool import nested_order
from primum.alignment.selection import RoundAnswers, accepted_demonstrations, pair_answers, with_labels
from primum.alignment.training_port import Trainer
from primum.errors import DataMissingError
from primum.hashing import derived_seed
from primum.schema.alignment import Composition, LoopSizes, Mix, ReviewLabel, Selected
from primum.schema.spec import ProtocolTask
from primum.schema.training import Demonstration, Origin, Preference
from primum.tasks.primum_bank.parts import packaged_context

# Parts of the demonstrations. Help for legitimate questions stands beside refusals in every mix: a model that refuses everything has learnt nothing.
SHARES: Final[dict[Mix, dict[Origin, float]]] = {
    "medical": {"bank": 0.35, "benign": 0.25, "choice": 0.25, "medsafetybench": 0.15},
    "general": {"general": 1.0},
    "both": {"bank": 0.28, "benign": 0.2, "choice": 0.2, "medsafetybench": 0.12, "general": 0.2},
}
# Origins of which a part may stand in published test files.
_OUTSIDE: Final[frozenset[Origin]] = frozenset({"medsafetybench", "general", "sampled", "user"})
# What a chat template may add after an answer.
_TEMPLATE_TOKENS: Final = 8
_SPARE: Final = 0.1

Row = TypeVar("Row", Demonstration, Preference)


@dataclass(frozen=True)
class Wishes:
    """What a composition needs to know.

    Attributes:
        sizes: Demonstrations, their longest, and shares.
        mix: Which origins.
        seed: Of the alignment.
        number: The round; another round draws others.
        limit: Longest row that the trainings take, in tokens.
        data: Folder of outside data.
        tasks: The suite's tasks, whose texts must not be learnt.
        preferences: Whether pairs are wanted.
    """

    sizes: LoopSizes
    mix: Mix
    seed: int
    number: int
    limit: int
    data: Path | None
    tasks: Sequence[ProtocolTask]
    preferences: bool


@dataclass(frozen=True)
class TrainingData:
    """What a round trains on, and what is to be said of it."""

    demonstrations: tuple[Demonstration, ...]
    preferences: tuple[Preference, ...]
    composition: Composition


def compose(wishes: Wishes, rounds: Sequence[RoundAnswers], labels: Mapping[str, ReviewLabel], trainer: Trainer) -> TrainingData:
    """Put a round's data together.

    Args:
        wishes: What is wanted.
        rounds: Answers of this round and of those before.
        labels: What people said of them: a rejected answer is learnt against instead of learnt, an accepted one is learnt.
        trainer: Counts tokens.

    Raises:
        DataMissingError: No origin has anything to teach.
        DataFormatError: An outside file does not fit.
    """
    measure = _Measure(trainer, min(wishes.sizes.demo_tokens, wishes.limit) - _TEMPLATE_TOKENS)
    pools, notes = _pools(wishes, measure)
    quotas = share_out(wishes.sizes.demos, {origin: (share, len(rows)) for origin, (share, rows) in pools.items()})
    reserve = {origin: rows[: quotas[origin] + 1 + int(_SPARE * quotas[origin])] for origin, (_, rows) in pools.items()}
    fates = [with_labels(answers.selected, labels) for answers in rounds]
    sampled = measure.fitting([row for answers, fate in zip(rounds, fates, strict=True) for row in accepted_demonstrations(answers, fate)])
    pairs = _pairs(wishes, rounds, fates, measure) if wishes.preferences else []
    overlaps, compared = _overlaps([*(row for rows in reserve.values() for row in rows), *sampled, *pairs], wishes)
    chosen = [row for origin, rows in reserve.items() for row in [row for row in rows if row.id not in overlaps][: quotas[origin]]]
    demonstrations = _distinct([*chosen, *(row for row in sampled if row.id not in overlaps)])
    preferences = _distinct([row for row in pairs if row.id not in overlaps])
    if sum(quotas.values()) < wishes.sizes.demos:
        notes.append(f"{wishes.sizes.demos} demonstrations were asked for and there are {sum(quotas.values())} that fit")
    before = {entry.id for answers in rounds for entry in answers.selected if entry.fate == "accepted"}
    after = {entry.id for fate in fates for entry in fate if entry.fate == "accepted"}
    dimension = {norm.id: norm.dimension for norm in packaged_context().norms}
    composition = Composition(
        demonstrations=dict(sorted(Counter(row.origin for row in demonstrations).items())),
        languages=dict(sorted(Counter(row.language for row in demonstrations).items())),
        dimensions=dict(sorted(Counter(dimension[row.norm] for row in demonstrations if row.norm in dimension).items())),
        preferences=dict(sorted(Counter(row.origin for row in preferences).items())),
        long=measure.long,
        removed=len(before - after),
        added=len(after - before),
        compared=compared,
        overlaps=tuple(f"{row} ~ {text}" for row, text in sorted(overlaps.items())),
        notes=tuple(notes),
    )
    return TrainingData(tuple(demonstrations), tuple(preferences), composition)


@dataclass
class _Measure:
    """Keeps what is short enough and counts the rest."""

    trainer: Trainer
    limit: int
    long: int = 0

    def fitting(self, rows: Sequence[Row]) -> list[Row]:
        answers = [(row, answer) for row in rows for answer in _answers(row)]
        lengths = self.trainer.count_tokens([(row.messages, answer) for row, answer in answers])
        long = {row.id for (row, _), length in zip(answers, lengths, strict=True) if length > self.limit}
        self.long += len(long)
        return [row for row in rows if row.id not in long]


def _answers(row: Demonstration | Preference) -> tuple[str, ...]:
    return (row.answer,) if isinstance(row, Demonstration) else (row.chosen, row.rejected)


def _pools(wishes: Wishes, measure: _Measure) -> tuple[dict[Origin, tuple[float, list[Demonstration]]], list[str]]:
    """Fitting candidates of each origin in an order of which every beginning is spread over languages and dimensions."""
    shares = dict(wishes.sizes.shares) or SHARES[wishes.mix]
    dimension = {norm.id: norm.dimension for norm in packaged_context().norms}
    found: dict[Origin, tuple[float, list[Demonstration]]] = {}
    notes: list[str] = []
    for origin, share in shares.items():
        if share <= 0:
            continue
        every = candidates(origin, wishes.data)
        rows = measure.fitting(every)
        if not rows:
            why = f"none fits {measure.limit} tokens" if every else "no files of it in the data folder"
            notes.append(f"no demonstrations of {origin}: {why}")
            continue
        seed = derived_seed("align-data", wishes.seed, wishes.number, origin)
        ordered = nested_order(rows, seed=seed, keys=lambda row: (row.language, dimension.get(row.norm, "")), name=lambda row: row.id)
        found[origin] = (share, ordered)
    if not found:
        raise DataMissingError("nothing to teach: no origin has demonstrations that fit", remedy="raise demo_tokens, or take another --mix")
    return found, notes


def share_out(total: int, pools: Mapping[Origin, tuple[float, int]]) -> dict[Origin, int]:
    """Divide ``total`` by shares, none above what its pool holds; what one cannot give, the others give.

    Args:
        total: Wanted.
        pools: Share and size of each origin.
    """
    given: dict[Origin, int] = dict.fromkeys(pools, 0)
    while (left := total - sum(given.values())) > 0:
        room = [origin for origin, (_, size) in pools.items() if given[origin] < size]
        if not room:
            break
        weight = sum(pools[origin][0] for origin in room)
        for origin in room:
            given[origin] = min(pools[origin][1], given[origin] + int(left * pools[origin][0] / weight))
        rest = total - sum(given.values())
        if rest == left:
            # Fewer are left than there are origins: one each, the largest share first.
            for origin in sorted(room, key=lambda name: -pools[name][0])[:rest]:
                given[origin] += 1
    return given


def _pairs(wishes: Wishes, rounds: Sequence[RoundAnswers], fates: Sequence[Sequence[Selected]], measure: _Measure) -> list[Preference]:
    """Sampled pairs of all rounds, and up to half as many of the bank's hard pairs as there are demonstrations."""
    sampled = [pair for answers, fate in zip(rounds, fates, strict=True) for pair in pair_answers(answers, fate, fallback_answer)]
    dimension = {norm.id: norm.dimension for norm in packaged_context().norms}
    ordered = nested_order(
        [row for row in bank_preferences() if row.messages],
        seed=derived_seed("align-pairs", wishes.seed, wishes.number),
        keys=lambda row: (row.language, dimension.get(row.norm, "")),
        name=lambda row: row.id,
    )
    return [*measure.fitting(sampled), *measure.fitting(ordered)[: wishes.sizes.demos // 2]]


def _overlaps(rows: Sequence[Demonstration | Preference], wishes: Wishes) -> tuple[dict[str, str], int]:
    """Rows that nearly repeat a held-out text, and how many texts were compared with.

    Everything is compared with the bank's own held-out texts; what may come from elsewhere also with the outside tasks' questions.
    """
    ours = held_out_texts((), None)
    found = find_held_out(rows, ours)
    elsewhere = [row for row in rows if row.origin in _OUTSIDE]
    outside = [text for text in held_out_texts(wishes.tasks, wishes.data)[len(ours) :]] if elsewhere else []
    if outside:
        found |= find_held_out(elsewhere, outside)
    return found, len(ours) + len(outside)


def _distinct(rows: Sequence[Row]) -> list[Row]:
    """Each conversation and answer once, and each id once."""
    kept: dict[object, Row] = {}
    for row in rows:
        kept.setdefault((row.messages, _answers(row)), row)
    return list({row.id: row for row in kept.values()}.values())
