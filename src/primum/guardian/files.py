"""Judging a file of prompts and answers, row by row, in bounded memory."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO

import orjson

from primum.errors import DataFormatError
from primum.guardian.guardian import Guardian
from primum.schema.base import Record
from primum.schema.guardian import Exchange, GuardianVerdict
from primum.tables import TableRow, read_assignments, read_rows

_CHUNK = 256


class FileSummary(Record):
    """What came of a file.

    Attributes:
        rows: Rows read.
        risky: Verdicts of risk.
        safe: Verdicts of no risk.
        abstained: Rows without verdict, by reason.
    """

    rows: int
    risky: int
    safe: int
    abstained: Mapping[str, int]


def score_file(guardian: Guardian, path: Path, *, columns: str = "", out: Path | None = None) -> FileSummary:
    """Write one JSON line a row: its number, the verdict, and its ``id`` column where there is one; texts are not repeated.

    Args:
        guardian: Who judges.
        path: CSV or JSONL with columns ``prompt`` and ``answer``.
        columns: ``prompt=COLUMN,answer=COLUMN,norm=COLUMN`` where they are named otherwise.
        out: File to write, by rename when complete; None writes to stdout.

    Raises:
        DataMissingError: There is no such file.
        DataFormatError: A column is missing, or a cell is not text; names file and row.
        UsageError: ``columns`` cannot be read.
    """
    counts: Counter[str] = Counter()
    rows = read_rows(path, required=("prompt", "answer"), mapping=read_assignments(columns, "--columns"))
    with _writer(out) as target:
        while chunk := list(islice(rows, _CHUNK)):
            verdicts = guardian.judge([_exchange(path, row) for row in chunk])
            for row, verdict in zip(chunk, verdicts, strict=True):
                target.write(orjson.dumps(_line(row, verdict), option=orjson.OPT_APPEND_NEWLINE))
                counts[verdict.reason if verdict.abstains else "risky" if verdict.risk > 0.5 else "safe"] += 1
    abstained = {reason: count for reason, count in sorted(counts.items()) if reason not in {"risky", "safe"}}
    return FileSummary(rows=counts.total(), risky=counts["risky"], safe=counts["safe"], abstained=abstained)


def _exchange(path: Path, row: TableRow) -> Exchange:
    texts = {}
    for name in ("prompt", "answer"):
        value = row.values[name]
        if value is not None and not isinstance(value, str):
            raise DataFormatError(f"{path}: row {row.number}: column {name!r} is not text", remedy="give prompts and answers as strings")
        texts[name] = value or ""
    norm = row.values.get("norm")
    return Exchange(prompt=texts["prompt"], answer=texts["answer"], norm=norm if isinstance(norm, str) else "")


def _line(row: TableRow, verdict: GuardianVerdict) -> dict[str, object]:
    named = {"id": row.values["id"]} if "id" in row.values else {}
    return {"row": row.number, **named, **verdict.model_dump(mode="json")}


@contextmanager
def _writer(out: Path | None) -> Iterator[IO[bytes]]:
    if out is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    scratch = out.with_name(f".{out.name}.tmp")
    try:
        with scratch.open("wb") as handle:
            yield handle
        scratch.replace(out)
    finally:
        scratch.unlink(missing_ok=True)
