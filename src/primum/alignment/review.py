"""People's part: a blind sheet out, labels back in. The guardian's opinion is hidden; labels are kept, and later ones stand beside earlier."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from primum.alignment.records import read_records, write_records
from primum.errors import DataFormatError, DataMissingError, UsageError
from primum.hashing import derived_seed, sha256_of
from primum.registry import nearest
from primum.runs import layout
from primum.schema.alignment import ReviewedLabel, ReviewLabel, SampledAnswer, Selected, TargetPrompt
from primum.tables import read_rows

LABELS: Final = "labels.jsonl"
_COLUMNS: Final = ("id", "prompt", "answer", "label", "who", "when", "note")
_LABELS: Final[dict[str, ReviewLabel]] = {
    "accept": "accept", "reject": "reject", "unsure": "unsure", "接受": "accept", "拒绝": "reject", "不确定": "unsure",
}  # fmt: skip


def round_folders(out: Path) -> list[Path]:
    """The folders of the rounds, in order."""
    found = [path for path in out.glob("round-*") if path.name.removeprefix("round-").isdigit()]
    return sorted(found, key=lambda path: int(path.name.removeprefix("round-")))


def export_sheet(out: Path, target: Path, *, seed: int = 0) -> int:
    """Write the answers that people should see and have not labelled: a ``.csv`` (with a byte-order mark) or ``.jsonl`` sheet in seeded order.

    Neither the guardian's verdict nor why an answer is on the sheet is shown.

    Returns:
        Number of rows.

    Raises:
        DataMissingError: No round has answers yet.
        UsageError: Another ending, or the file is there already and may hold labels.
    """
    if target.exists():
        raise UsageError(f"{target}: is there already and may hold labels", remedy="choose another name, or move the file away")
    if target.suffix not in {".csv", ".jsonl"}:
        raise UsageError(f"{target}: a sheet ends in .csv or .jsonl", remedy="mend the ending")
    labelled = {label.id for label in read_labels(out)}
    rows = sorted((row for row in _rows(out) if row["id"] not in labelled), key=lambda row: derived_seed("align-sheet", seed, row["id"]))
    if target.suffix == ".csv":
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, _COLUMNS, restval="")
        writer.writeheader()
        # A cell of model text that begins like a formula must stay text in a spreadsheet.
        writer.writerows({name: _inert(value) for name, value in row.items()} for row in rows)
        layout.write_bytes(target, text.getvalue().encode("utf-8-sig"))
    else:
        layout.write_bytes(target, b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))
    return len(rows)


def _rows(out: Path) -> Iterator[dict[str, str]]:
    folders = round_folders(out)
    if not any((folder / "review.jsonl").exists() for folder in folders):
        raise DataMissingError(f"{out}: no round has answers for people yet", remedy="give the folder of primum align, once it has sampled answers")
    for folder in folders:
        prompts = {prompt.id: prompt for prompt in read_records(folder / "prompts.jsonl", TargetPrompt)}
        texts = {answer.id: answer.text for answer in read_records(folder / "samples.jsonl", SampledAnswer)}
        for entry in read_records(folder / "review.jsonl", Selected):
            turns = "\n\n".join(message.content for message in prompts[entry.prompt].messages if message.role == "user")
            yield {"id": entry.id, "prompt": turns, "answer": texts[entry.id], "label": "", "who": "", "when": "", "note": ""}


def _inert(text: str) -> str:
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def import_labels(out: Path, sheet: Path, *, who: str = "") -> tuple[int, int]:
    """Add a sheet's labels to ``labels.jsonl``; all of them, or none where a row is bad. Rows without a label are left open.

    Args:
        out: Folder of the alignment.
        sheet: ``.csv``, ``.tsv``, ``.jsonl`` or ``.json`` with ``id`` and ``label``; ``who``, ``when`` and ``note`` where they are given.
        who: The person, for rows that do not say.

    Returns:
        Labels added, and labels among them that change an earlier one by the same person.

    Raises:
        DataMissingError: No such file.
        DataFormatError: An unknown or repeated id, a label that is none, or nobody named; names file and row.
    """
    known = {entry.id: number for number, entry in _sampled(out)}
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    with layout.locked(out / ".review"):
        before = read_labels(out)
        added = list(_read_sheet(sheet, known, who=who, now=now))
        latest = latest_labels(before)
        fresh = [label for label in added if latest.get((label.id, label.who)) != label.label]
        changed = sum((label.id, label.who) in latest for label in fresh)
        if fresh:
            write_records(out / LABELS, [*before, *fresh])
    return len(fresh), changed


def _read_sheet(sheet: Path, known: dict[str, int], *, who: str, now: str) -> Iterator[ReviewedLabel]:
    seen: set[tuple[str, str]] = set()
    for number, values in read_rows(sheet, required=("id", "label")):
        identifier, word = _cell(values, "id"), _cell(values, "label").lower()
        if identifier not in known:
            raise DataFormatError(
                f"{sheet}: row {number}: the id {identifier[:80]!r} is not of a sampled answer of this alignment",
                remedy="restore the id column, or name the right folder; nothing was imported",
            )
        if not word:
            continue
        if word not in _LABELS:
            raise DataFormatError(
                f"{sheet}: row {number}: {word[:20]!r} is no label",
                remedy=f"{nearest(word[:20], ('accept', 'reject', 'unsure'))}; nothing was imported",
            )
        person = _cell(values, "who") or who
        if not person:
            raise DataFormatError(f"{sheet}: row {number}: nobody is named", remedy="fill in the who column, or give --who; nothing was imported")
        if (identifier, person) in seen:
            raise DataFormatError(
                f"{sheet}: row {number}: {person[:40]!r} labels this id twice", remedy="keep one of the two rows; nothing was imported"
            )
        seen.add((identifier, person))
        yield ReviewedLabel(
            id=identifier, round=known[identifier], label=_LABELS[word], who=person, when=_cell(values, "when") or now, note=_cell(values, "note")
        )


def _cell(values: dict[str, Any], name: str) -> str:
    value = values.get(name)
    return "" if value is None else str(value).strip()


def _sampled(out: Path) -> Iterator[tuple[int, SampledAnswer]]:
    for folder in round_folders(out):
        for answer in read_records(folder / "samples.jsonl", SampledAnswer):
            yield int(folder.name.removeprefix("round-")), answer


def read_labels(out: Path) -> tuple[ReviewedLabel, ...]:
    """Every label ever imported, in order."""
    return read_records(out / LABELS, ReviewedLabel)


def labels_digest(out: Path) -> str:
    """Hash of all labels; empty where there are none."""
    labels = read_labels(out)
    return sha256_of([label.model_dump() for label in labels]) if labels else ""


def latest_labels(labels: Sequence[ReviewedLabel]) -> dict[tuple[str, str], ReviewLabel]:
    """The last label of each person on each answer."""
    return {(label.id, label.who): label.label for label in labels}


def labels_in_effect(labels: Sequence[ReviewedLabel]) -> dict[str, ReviewLabel]:
    """One label an answer: rejected where anybody rejects, accepted where somebody accepts, else unsure."""
    words: dict[str, set[ReviewLabel]] = {}
    for (identifier, _), label in latest_labels(labels).items():
        words.setdefault(identifier, set()).add(label)
    order: tuple[ReviewLabel, ...] = ("reject", "accept", "unsure")
    return {identifier: next(word for word in order if word in said) for identifier, said in words.items()}
