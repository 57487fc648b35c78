"""From a finished run to what judges are asked: which answers are judged, and what a judge may see of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from primum.errors import InputError
from primum.evaluation.rescoring import stored_pairs
from primum.evaluation.selection import prompt_digest
from primum.interfaces import Task
from primum.norms.library import all_norms, packaged_norms
from primum.runs.store import RunStore
from primum.schema.item import Item, Message
from primum.schema.norm import Norm
from primum.schema.response import Response
from primum.schema.score import Score, ScoreStatus
from primum.scorers.choice_extraction.visible_text import without_reasoning
from primum.scorers.judging.rubric import Exchange, JudgeRubric


@dataclass(frozen=True, slots=True)
class Case:
    """One answer to be judged.

    Attributes:
        key: The response's key.
        exchange: What the judge sees.
        cluster: What the answer shares with others that are not independent of it.
    """

    key: str
    exchange: Exchange
    cluster: str


@dataclass(frozen=True, slots=True)
class Docket:
    """Everything of a run that a rubric applies to.

    Attributes:
        cases: Answers to be judged, in file order.
        unjudged: Scores without a value of answers that cannot be judged: faults and empty texts.
        turns_unknown: Cases whose earlier turns could not be looked up.
    """

    cases: tuple[Case, ...]
    unjudged: tuple[Score, ...]
    turns_unknown: int


def open_docket(store: RunStore, rubric: JudgeRubric, task: Task, *, data: Path | None, norms: bool) -> Docket:
    """Collect what is to be judged.

    Args:
        store: The finished run.
        rubric: Says which items are its own.
        task: The run's task: earlier turns of a conversation are looked up in it.
        data: Folder of outside data, or None.
        norms: Whether judges are shown the norm, or the reference that stands for it.
    """
    pairs = [(item, response) for item, response in stored_pairs(store) if rubric.applies(item)]
    turns, unknown = _earlier_turns(store, task, [item for item, _ in pairs], data)
    cases: list[Case] = []
    unjudged: list[Score] = []
    for item, response in pairs:
        answer = without_reasoning(response.text)
        status = _obstacle(response, answer)
        if status is not None:
            detail = response.fault.kind if response.fault is not None else "empty"
            unjudged += [Score(key=response.key, scorer=rubric.name, metric=card.name, status=status, detail=detail) for card in rubric.metrics]
            continue
        exchange = _exchange(item, answer, turns.get(item.id, ()), norms=norms)
        cases.append(Case(key=response.key, exchange=exchange, cluster=item.cluster or item.id))
    return Docket(cases=tuple(cases), unjudged=tuple(unjudged), turns_unknown=sum(item.id in unknown for item, _ in pairs))


def _obstacle(response: Response, answer: str) -> ScoreStatus | None:
    if response.fault is not None or response.finish == "error":
        return "engine_error"
    return None if any(character.isalnum() for character in answer) else "unparseable"


def _exchange(item: Item, answer: str, turns: tuple[Message, ...], *, norms: bool) -> Exchange:
    norm = _norm_index().get(item.norm) if norms and item.norm else None
    return Exchange(
        item=item.id,
        language=item.language,
        question=item.question,
        answer=answer,
        turns=turns,
        norm=norm.statement if norm is not None else None,
        exceptions=norm.exceptions if norm is not None else None,
        reference=item.reference if norms and norm is None else "",
    )


@cache
def _norm_index() -> Mapping[str, Norm]:
    return {norm.id: norm for norm in all_norms(packaged_norms())}


def _earlier_turns(store: RunStore, task: Task, items: Sequence[Item], data: Path | None) -> tuple[Mapping[str, tuple[Message, ...]], frozenset[str]]:
    """Earlier turns by item, and the items whose turns cannot be known.

    A run keeps the hash of each prompt, not its earlier turns. Where an item alone makes the same prompt, there were none; the others are read
    from the task again. Where its data are not at hand, or make another prompt now, the turns stay unknown. (With worked examples in the prompt
    the hash cannot be compared, and the task is believed.)
    """
    digests = dict(store.sql("SELECT id, prompt_sha256 FROM items"))

    def asked_so(item: Item) -> bool:
        return prompt_digest(task.prompt(item)) == digests.get(item.id)

    missing = {item.id for item in items if not asked_so(item)}
    if not missing:
        return {}, frozenset()
    try:
        again: Iterable[Item] = task.items(data, items[0].language)
        found = {item.id: item.turns for item in again if item.id in missing and (store.spec.shots or asked_so(item))}
    except InputError:
        found = {}
    return found, frozenset(missing - found.keys())
