"""An annotation project: a folder with what was asked of whom, what they answered, and which keys were amended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import orjson

from primum.errors import DataFormatError, DataMissingError, UsageError
from primum.hashing import derived_seed, sha256_of
from primum.runs import layout
from primum.schema.base import Language, Record
from primum.schema.item import Item

PLAN: Final = "plan.json"
LABELS: Final = "labels.jsonl"
AMENDMENTS: Final = "amendments.jsonl"
RATERS: Final = 2

Role = Literal["rater", "adjudicator"]


class Plan(Record):
    """What a project asks.

    Attributes:
        language: The language of the sheets.
        seed: Decides the drawn items and the order of each sheet.
        items: Ids of the items, in bank order.
        items_sha256: Hash of the items as they were shown.
        version: The bank's version.
    """

    language: Language
    seed: int
    items: tuple[str, ...]
    items_sha256: str
    version: str


class Label(Record):
    """One person's answer to one item.

    Attributes:
        item: The item.
        rater: A code, never a name.
        role: ``rater`` for the two blind ones, ``adjudicator`` for the third.
        letters: The letters chosen, sorted; empty where the person could not answer.
        unsure: The person was unsure.
        comment: Free words.
        when: Day of import, ISO.
    """

    item: str
    rater: str
    role: Role = "rater"
    letters: tuple[str, ...]
    unsure: bool = False
    comment: str = ""
    when: str


class KeyAmendment(Record):
    """A key changed or confirmed after adjudication; the earlier key is kept beside it.

    Attributes:
        item: The item.
        before: The key as it was.
        after: The key from now on.
        who: Code of the adjudicator.
        when: Day, ISO.
        why: The reason given.
    """

    item: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    who: str
    when: str
    why: str


class Project:
    """A project's folder.

    Args:
        folder: Where it lies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, items: Sequence[Item], *, language: Language, seed: int, version: str) -> Plan:
        """Write the plan, or check that the present one asks the same.

        Raises:
            UsageError: The project was begun with other items, another language or another bank.
        """
        plan = Plan(language=language, seed=seed, items=tuple(item.id for item in items), items_sha256=items_hash(items), version=version)
        if not (self.folder / PLAN).exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            layout.write_json(self.folder / PLAN, plan.model_dump(mode="json"))
        elif self.plan() != plan:
            raise UsageError(f"{self.folder}: the project was begun with other items or options", remedy="use the same options, or another folder")
        return plan

    def plan(self) -> Plan:
        """The plan.

        Raises:
            DataMissingError: The folder is no project.
        """
        path = self.folder / PLAN
        if not path.exists():
            raise DataMissingError(f"{self.folder}: no annotation project (no {PLAN})", remedy="begin one with primum bank annotate export")
        return Plan.model_validate(layout.read_json(path))

    def labels(self) -> list[Label]:
        """All labels in the order they were imported."""
        return [Label.model_validate(row) for row in _lines(self.folder / LABELS)]

    def amendments(self) -> list[KeyAmendment]:
        """All amendments, oldest first; the last of an item counts."""
        return [KeyAmendment.model_validate(row) for row in _lines(self.folder / AMENDMENTS)]

    def add(self, labels: Sequence[Label], amendments: Sequence[KeyAmendment] = ()) -> None:
        """Append labels and amendments, each file as a whole or not at all."""
        for name, records in ((LABELS, labels), (AMENDMENTS, amendments)):
            if records:
                path = self.folder / name
                before = path.read_bytes() if path.exists() else b""
                layout.write_bytes(path, before + b"".join(orjson.dumps(record.model_dump(mode="json")) + b"\n" for record in records))


def items_hash(items: Sequence[Item]) -> str:
    """Hash over what raters are shown."""
    return sha256_of([[item.id, item.question, list(item.options)] for item in items])


def row_code(plan: Plan, rater: str, item: str) -> str:
    """The opaque id of a row: it tells neither item, norm nor key, and differs from rater to rater."""
    return f"{derived_seed('row', plan.seed, plan.items_sha256, rater, item):016x}"[:12]


def _lines(path: Path) -> list[dict[str, object]]:
    if not path.exists():
        return []
    rows = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            rows.append(orjson.loads(line))
        except orjson.JSONDecodeError as error:
            raise DataFormatError(f"{path}: line {number} is damaged", remedy="restore the file from a copy") from error
    return rows
