"""People's labels of answers, from a table: one row a rater, or one column a rater.

Several raters' labels of one pair become their majority (a scale: their median). Where they are tied there is no label: the pair is left out
and counted. Single labels are kept, since agreement of people with each other is the ceiling for a judge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from primum.errors import DataFormatError, UsageError
from primum.evaluation.judge_targets import Target
from primum.evaluation.label_cells import Cell, LabelReader, cell_text
from primum.evaluation.label_tables import COLUMNS, RATER, SHOWN_NAME, ColumnNames, read_table
from primum.hashing import sha256_file, sha256_of
from primum.norms.retrieval import language_of
from primum.registry import nearest
from primum.schema.judge_calibration import Judged, Pair
from primum.tables import TableRow

LEAST_PAIRS: Final = 20
MOST_GROUP_VALUES: Final = 60
_LANGUAGES: Final = (("zh", ("zh", "chinese", "中文", "汉语")), ("en", ("en", "english", "英文", "英语")))


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelSpec:
    """Where labels stand and what they mean.

    Attributes:
        path: A CSV, TSV, JSON lines, JSON array or XLSX file (its first sheet).
        target: What was labelled.
        columns: Our names (``COLUMNS`` and ``rater_1``, ``rater_2``, ...) to the file's, where they differ.
        words: Words of the file to labels, or to ``skip``.
        column: The file's column with a judge's own labels or scores, or empty.
        groups: More columns of the file to break figures down by.
    """

    path: Path
    target: Target
    columns: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    column: str = ""
    groups: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """One pair with what people said of it.

    Attributes:
        pair: What a judge is shown.
        row: Its first row in the file.
        label: People's label; None where they are tied or nobody labelled it.
        ratings: Rater to label.
        cluster: Pairs that share it are not independent.
        groups: Breakdown to value: dimension, language, and the columns asked for.
        verdict: What the file says a judge made of it; None without such a column.
    """

    pair: Pair
    row: int
    label: int | None
    ratings: Mapping[str, int]
    cluster: str
    groups: Mapping[str, str]
    verdict: Judged | None


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A label file, read.

    Attributes:
        path: The file.
        sha256: Of its bytes.
        rows: Rows read.
        raters: Raters' names, sorted.
        pairs: Every pair, in the order of its first row.
    """

    path: Path
    sha256: str
    rows: int
    raters: tuple[str, ...]
    pairs: tuple[LabelledPair, ...]


@dataclass(slots=True)
class _Gathered:
    """One pair while its rows are read."""

    row: int
    cells: dict[str, str]
    groups: dict[str, str]
    ratings: dict[str, tuple[int, int]] = field(default_factory=dict)
    verdict: tuple[int, Judged] | None = None


def read_labels(spec: LabelSpec) -> LabelFile:
    """Read a label file.

    Raises:
        UsageError: A mapping of an unknown column, or a word mapped to no label.
        DataMissingError: The file is not there.
        DataFormatError: It cannot be read, lacks a column, holds an unknown label or a score that is no number, a rater contradicts
            himself, or fewer than 20 pairs are labelled. Names file, row and remedy.
    """
    unknown = [name for name in spec.columns if name not in COLUMNS and not RATER.fullmatch(name)]
    if unknown:
        raise UsageError(f"--columns: no such column {unknown[0]!r}", remedy=nearest(unknown[0], (*COLUMNS, "rater_1", "rater_2")))
    reader = LabelReader(spec.target, spec.words)
    rows = list(read_table(spec.path))
    names = ColumnNames(spec.path, rows, columns=spec.columns, extra=[*filter(None, [spec.column]), *spec.groups])
    verdicts = _read_verdicts(spec, names, rows, reader)
    gathered: dict[str, _Gathered] = {}
    for row, verdict in zip(rows, verdicts, strict=True):
        _gather(spec, names, row, verdict, reader, gathered)
    pairs = tuple(_finish(key, found, spec.target) for key, found in gathered.items())
    labelled = sum(pair.label is not None for pair in pairs)
    if labelled < LEAST_PAIRS:
        raise DataFormatError(
            f"{spec.path}: {labelled} labelled pairs of {len(pairs)}: too few to calibrate a judge",
            remedy=f"label {LEAST_PAIRS} pairs at least; for intervals that can clear a bar, 200 or more",
        )
    for group in spec.groups:
        values = {pair.groups[group] for pair in pairs}
        if len(values) > MOST_GROUP_VALUES:
            raise UsageError(f"--group {group}: {len(values)} different values", remedy=f"choose a column with at most {MOST_GROUP_VALUES}")
    raters = tuple(sorted({rater for pair in pairs for rater in pair.ratings}))
    return LabelFile(spec.path, sha256_file(spec.path), len(rows), raters, pairs)


def _read_verdicts(spec: LabelSpec, names: ColumnNames, rows: Sequence[TableRow], reader: LabelReader) -> list[Judged | None]:
    def cells(theirs: str) -> list[Cell]:
        return [Cell(f"{spec.path}: row {row.number}", cell_text(row.values.get(theirs))) for row in rows]

    scored = cells(names.theirs["score"]) if "score" in spec.columns or ("score" in names.theirs and not spec.column) else []
    if not spec.column:
        return list(_only_scores(scored, reader)) if scored else [None] * len(rows)
    found: list[Judged | None] = list(reader.verdicts(cells(spec.column)))
    for place, cell in enumerate(scored):
        verdict = found[place]
        if cell.text and verdict is not None and verdict.status == "scored":
            found[place] = Judged(score=reader.score(cell), label=verdict.label)
    return found


def _only_scores(cells: Iterable[Cell], reader: LabelReader) -> Iterator[Judged]:
    for cell in cells:
        if not cell.text or cell.text.lower() in ("abstained", "judge_error"):
            yield Judged(status="abstained" if cell.text.lower() == "abstained" else "judge_error")
        else:
            yield Judged(score=reader.score(cell))


def _gather(spec: LabelSpec, names: ColumnNames, row: TableRow, verdict: Judged | None, reader: LabelReader, gathered: dict[str, _Gathered]) -> None:
    cells = {ours: names.text(row, ours) for ours in COLUMNS}
    where = f"{spec.path}: row {row.number}"
    if not cells["prompt"]:
        raise DataFormatError(f"{where}: no prompt", remedy="fill it in or remove the row: an answer cannot be judged without its question")
    key = cells["id"] or sha256_of([cells["prompt"], cells["answer"]])
    groups = {group: cell_text(row.values.get(group)) for group in spec.groups}
    found = gathered.setdefault(key, _Gathered(row.number, cells, groups))
    if (found.cells["prompt"], found.cells["answer"]) != (cells["prompt"], cells["answer"]):
        raise DataFormatError(f"{spec.path}: rows {found.row} and {row.number} share an id but not their texts", remedy="give each pair its own id")
    columns = names.wide or {cells["rater"]: names.theirs["label"]}
    for rater, theirs in columns.items():
        label = reader.require(Cell(f"{where}, column {theirs!r}" if len(theirs) <= SHOWN_NAME else where, cell_text(row.values.get(theirs))))
        if label is None:
            continue
        earlier, number = found.ratings.setdefault(rater, (label, row.number))
        if earlier != label:
            raise DataFormatError(
                f"{spec.path}: rows {number} and {row.number}: the same rater labels the same prompt and answer differently",
                remedy="keep one of them; name raters in a column 'rater', and tell equal texts apart by a column 'id'",
            )
    if verdict is not None:
        first = found.verdict or (row.number, verdict)
        if first[1] != verdict:
            raise DataFormatError(
                f"{spec.path}: rows {first[0]} and {row.number}: the judge's column differs on the same prompt and answer",
                remedy="repeat its verdict on every row of a pair, or tell equal texts apart by a column 'id'",
            )
        found.verdict = first


def _finish(key: str, found: _Gathered, target: Target) -> LabelledPair:
    cells = found.cells
    language = _language(cells["language"]) or language_of(f"{cells['prompt']} {cells['answer']}")
    ratings = {rater: label for rater, (label, _) in sorted(found.ratings.items())}
    return LabelledPair(
        pair=Pair(key=key, prompt=cells["prompt"], answer=cells["answer"], language=language, norm=cells["norm"]),
        row=found.row,
        label=merge(list(ratings.values()), ordinal=target.ordinal),
        ratings=ratings,
        cluster=cells["cluster"] or cells["prompt"],
        groups={"dimension": cells["dimension"], "language": language, **found.groups},
        verdict=None if found.verdict is None else found.verdict[1],
    )


def merge(labels: Sequence[int], *, ordinal: bool) -> int | None:
    """Several raters' label: their majority, or the median of a scale; None without one (a tie, a median between two steps)."""
    if not labels:
        return None
    if ordinal:
        middle = median(labels)
        return int(middle) if float(middle).is_integer() else None
    (best, count), *others = Counter(labels).most_common()
    return None if others and others[0][1] == count else best


def _language(text: str) -> str:
    lowered = text.lower()
    return next((language for language, starts in _LANGUAGES if lowered.startswith(starts)), lowered)


__all__ = ["LabelFile", "LabelSpec", "LabelledPair", "merge", "read_labels"]
