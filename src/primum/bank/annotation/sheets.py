"""Blind sheets out and back: CSV and XLSX, random order, no key, no other rater's label."""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from primum.bank.annotation.project import KeyAmendment, Label, Plan, Role, row_code
from primum.errors import DataFormatError, DataMissingError, UsageError
from primum.hashing import derived_seed
from primum.runs import layout
from primum.schema.base import Language
from primum.schema.item import LETTERS, Item
from primum.tables import read_rows

_OPTIONS: Final = 6
COLUMNS: Final = ("row", "question", *(f"option_{letter}" for letter in LETTERS[:_OPTIONS]), "answer", "unsure", "comment")
_EXTRA: Final = ("labels_given",)
_GUIDE: Final[dict[Language, str]] = {
    "zh": "请独立作答：在 answer 列填写字母（可多选的题把字母连写，如 AC）；拿不准请在 unsure 列填 1；"
    "如题目本身有误，请写在 comment 列。请勿修改 row 列。",
    "en": "Please answer on your own: write the letter into answer (several letters together, such as AC, where several are right); put 1 into"
    " unsure where you are; write into comment what is wrong with a question. Do not change the row column.",
}
_SHEET: Final = "items"
_YES: Final = frozenset({"1", "1.0", "true", "yes", "y", "x", "是", "√"})
Row = dict[str, str]


def sheet_rows(plan: Plan, items: Sequence[Item], rater: str, *, given: dict[str, str] | None = None) -> list[Row]:
    """The rows of one rater's sheet in an order of their own; ``given`` shows an adjudicator the labels that differ, without their raters."""
    order = sorted(items, key=lambda item: derived_seed("sheet", plan.seed, rater, item.id))
    rows = []
    for item in order:
        row = {"row": row_code(plan, rater, item.id), "question": item.question, "answer": "", "unsure": "", "comment": ""}
        row |= {f"option_{letter}": option for letter, option in zip(LETTERS, item.options, strict=False)}
        if given is not None:
            row["labels_given"] = given[item.id]
        rows.append(row)
    return rows


def write_sheet(path: Path, rows: Sequence[Row], language: Language) -> None:
    """Write a ``.csv`` (UTF-8 with a byte-order mark, as spreadsheets expect) or ``.xlsx`` file.

    Raises:
        UsageError: Another ending, or the file is there already: it may hold a rater's work.
    """
    if path.exists():
        raise UsageError(f"{path}: is there already and may hold answers", remedy="choose another name, or move the file away")
    columns = [*COLUMNS, *_EXTRA] if rows and "labels_given" in rows[0] else list(COLUMNS)
    if path.suffix == ".csv":
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
        layout.write_bytes(path, text.getvalue().encode("utf-8-sig"))
    elif path.suffix == ".xlsx":
        layout.write_bytes(path, _workbook(columns, rows, language))
    else:
        raise UsageError(f"{path}: a sheet ends in .csv or .xlsx", remedy="mend the ending")


def _workbook(columns: Sequence[str], rows: Sequence[Row], language: Language) -> bytes:
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font

    book = Workbook()
    sheet = book.active
    sheet.title = _SHEET
    sheet.append(list(columns))
    for row in rows:
        sheet.append([row.get(column, "") for column in columns])
    for place, column in enumerate(columns, start=1):
        wide = 60 if column == "question" else 32 if column.startswith("option") else 14
        sheet.column_dimensions[sheet.cell(1, place).column_letter].width = wide
        sheet.cell(1, place).font = Font(bold=True)
    for cells in sheet.iter_rows(min_row=2):
        for cell in cells:
            if cell.data_type == "f":
                # Text stays text: a cell that begins with an equals sign is no formula here.
                cell.data_type = "s"
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "B2"
    guide = book.create_sheet("guide")
    guide["A1"] = _GUIDE[language]
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def read_sheet(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a sheet that came back, with their row numbers in the file.

    Raises:
        DataMissingError: No such file.
        DataFormatError: A column is missing, or the file is no sheet.
    """
    if path.suffix != ".xlsx":
        for found in read_rows(path, required=("row", "answer")):
            yield found.number, {name: "" if value is None else str(value) for name, value in found.values.items()}
        return
    from openpyxl import load_workbook

    if not path.exists():
        raise DataMissingError(f"{path}: no such file", remedy="check the path")
    try:
        sheet = load_workbook(path, data_only=True)[_SHEET]
    except (KeyError, OSError, ValueError) as error:
        raise DataFormatError(f"{path}: not one of our sheets", remedy="give the file that primum bank annotate export wrote") from error
    header: list[str] = []
    for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
        if not header:
            header = [str(cell or "") for cell in cells]
            missing = [name for name in ("row", "answer") if name not in header]
            if missing:
                raise DataFormatError(f"{path}: row 1: no column {missing[0]!r}", remedy="restore the first row")
            continue
        if any(cell is not None for cell in cells):
            yield number, {name: "" if value is None else str(value) for name, value in zip(header, cells, strict=False)}


def read_labels(path: Path, plan: Plan, items: dict[str, Item], rater: str, *, role: Role, when: str) -> tuple[list[Label], list[str]]:
    """Labels of a sheet, and the ids of items left unanswered.

    Raises:
        DataFormatError: An edited, foreign or repeated row id, or a letter that is not among the options; names file and row.
    """
    codes = {row_code(plan, rater, identifier): identifier for identifier in plan.items}
    labels: dict[str, Label] = {}
    unanswered: list[str] = []
    for number, row in read_sheet(path):
        identifier = codes.get(row["row"].strip())
        if identifier is None:
            raise DataFormatError(
                f"{path}: row {number}: the id {row['row'][:20]!r} is not one of this rater's",
                remedy="restore the row column, or name the right rater",
            )
        if identifier in labels or identifier in unanswered:
            raise DataFormatError(f"{path}: row {number}: the same id stands twice", remedy="keep one of the two rows")
        letters = _letters(path, number, row["answer"], items[identifier])
        if not letters:
            unanswered.append(identifier)
            continue
        unsure = row.get("unsure", "").strip().lower() in _YES
        labels[identifier] = Label(
            item=identifier, rater=rater, role=role, letters=letters, unsure=unsure, comment=row.get("comment", "").strip(), when=when
        )
    return list(labels.values()), unanswered


def _letters(path: Path, number: int, cell: str, item: Item) -> tuple[str, ...]:
    letters = tuple(sorted(set(re.sub(r"[\s,，、;；/]", "", cell).upper())))
    allowed = LETTERS[: len(item.options)]
    outside = [letter for letter in letters if letter not in allowed]
    if outside:
        raise DataFormatError(f"{path}: row {number}: {outside[0]!r} is not among the options A to {allowed[-1]}", remedy="write letters only")
    if len(letters) > 1 and item.form != "multiple_choice":
        raise DataFormatError(f"{path}: row {number}: {len(letters)} letters where one is asked for", remedy="keep the best one, or leave it empty")
    return letters


def amendments_of(labels: Sequence[Label], items: dict[str, Item]) -> list[KeyAmendment]:
    """What an adjudicator's labels make of the keys: one record an item, also where the key stands.

    Raises:
        DataFormatError: A changed key without a reason.
    """
    found = []
    for label in labels:
        before = items[label.item].answer
        if label.letters != before and not label.comment:
            raise DataFormatError(f"item {label.item}: the key is changed without a reason", remedy="write the reason into the comment column")
        why = label.comment or "confirmed"
        found.append(KeyAmendment(item=label.item, before=before, after=label.letters, who=label.rater, when=label.when, why=why))
    return found


def draw(items: Sequence[Item], *, limit: int | None, seed: int) -> list[Item]:
    """Items for a project: all, or ``limit`` of them spread evenly over the dimensions by seed, in bank order."""
    if limit is None or limit >= len(items):
        return list(items)
    rng = random.Random(derived_seed("annotate", seed))
    by_dimension: dict[str, list[str]] = {}
    for item in items:
        by_dimension.setdefault(item.groups["dimension"], []).append(item.id)
    for names in by_dimension.values():
        rng.shuffle(names)
    chosen: set[str] = set()
    while len(chosen) < limit:
        for names in by_dimension.values():
            if names and len(chosen) < limit:
                chosen.add(names.pop())
    return [item for item in items if item.id in chosen]
