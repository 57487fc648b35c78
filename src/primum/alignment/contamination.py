"""No training text may nearly repeat a held-out one: our test and lent texts, validation norms, and the prompts of the suite's own tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from primum.bank.contamination import SHORTEST, Cell, find_overlaps
from primum.bank.similarity import Text, bank_texts
from primum.bank.splits import TRAIN
from primum.errors import DataMissingError
from primum.schema.item import Message
from primum.schema.spec import ProtocolTask
from primum.schema.training import Demonstration, Preference
from primum.tasks.opening import open_task
from primum.tasks.primum_bank.parts import packaged_context, validation_norms


def held_out_texts(tasks: Iterable[ProtocolTask], data: Path | None) -> tuple[Text, ...]:
    """Every text that training must not hold: the bank's test, lent and validation texts, and the questions of outside tasks at hand."""
    context = packaged_context()
    kept = validation_norms()
    ours = [text for text in bank_texts(context.norms, dict(context.splits)) if text.split != TRAIN or text.owner in kept]
    return (*ours, *(text for entry in tasks for text in _outside(entry, data)))


def _outside(entry: ProtocolTask, data: Path | None) -> Iterator[Text]:
    if entry.task.startswith("primum-"):
        return
    task = open_task(entry.task)
    for language in entry.languages:
        try:
            for item in task.items(data, language):
                if len(item.question) >= SHORTEST[language]:
                    yield Text(name=f"{entry.task}/{item.id}", owner="", split="test", language=language, text=item.question)
        except DataMissingError:
            continue


def find_held_out(rows: Sequence[Demonstration | Preference], texts: Sequence[Text]) -> dict[str, str]:
    """Ids of rows that nearly repeat a held-out text, each with the name of that text."""
    cells = [
        Cell(row=place, column=column, language=row.language, text=text)
        for place, row in enumerate(rows)
        for column, text in _texts(row)
        if len(text) >= SHORTEST[row.language]
    ]
    found: dict[str, str] = {}
    for hit in find_overlaps(cells, texts):
        found.setdefault(rows[hit.row].id, hit.text)
    return found


def _texts(row: Demonstration | Preference) -> Iterator[tuple[str, str]]:
    for message in row.messages:
        if message.role == "user":
            # A choice item's options recur within a norm on purpose; what must not recur is the situation, which stands first.
            yield "prompt", message.content.partition("\n\nA. ")[0] if _is_choice(row, message) else message.content
    answers = (row.answer,) if isinstance(row, Demonstration) else (row.chosen, row.rejected)
    yield from (("answer", answer) for answer in answers)


def _is_choice(row: Demonstration | Preference, message: Message) -> bool:
    return row.origin == "choice" and "\n\nA. " in message.content
