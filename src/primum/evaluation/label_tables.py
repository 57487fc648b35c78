"""Tables of people's labels: every format that `primum.tables` reads and workbooks, and which of their columns serve."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from primum.errors import DataFormatError, DataMissingError
from primum.evaluation.label_cells import cell_text
from primum.registry import nearest
from primum.tables import TableRow, read_rows

COLUMNS: Final = ("prompt", "answer", "label", "rater", "id", "dimension", "language", "cluster", "score", "norm")
RATER: Final = re.compile(r"rater_[0-9]{1,3}")
SHOWN_NAME: Final = 40


def read_table(path: Path) -> Iterator[TableRow]:
    """Rows of a table; of a workbook, those of its first sheet.

    Raises:
        DataMissingError: The file is not there.
        DataFormatError: It cannot be read, or is empty.
    """
    if path.suffix.lower() != ".xlsx":
        yield from read_rows(path)
        return
    from zipfile import BadZipFile

    from openpyxl import load_workbook

    if not path.is_file():
        raise DataMissingError(f"{path}: no such file", remedy="check the path")
    try:
        with warnings.catch_warnings():
            # Styles and validations that the library does not know are no concern of ours.
            warnings.simplefilter("ignore")
            cells = list(load_workbook(path, data_only=True).worksheets[0].iter_rows(values_only=True))
    except (BadZipFile, KeyError, IndexError, OSError, ValueError) as error:
        raise DataFormatError(f"{path}: not a workbook that can be read", remedy="save it again as .xlsx, or as 'CSV UTF-8'") from error
    header: list[str] = []
    rows = 0
    for number, values in enumerate(cells, start=1):
        if all(value is None for value in values):
            continue
        if not header:
            header = [cell_text(value) or f"column_{place}" for place, value in enumerate(values, start=1)]
            continue
        rows += 1
        yield TableRow(number, dict(zip(header, values, strict=True)))
    if not rows:
        raise DataFormatError(f"{path}: its first sheet has no rows below the header", remedy="put the labels on the first sheet")


class ColumnNames:
    """Which of the file's columns serve.

    Args:
        path: The file, for messages.
        rows: Its rows, at least one.
        columns: Our names to the file's, where they differ.
        extra: More columns of the file that must be there.

    Attributes:
        theirs: Our names to the file's, for the columns that are there.
        wide: For files with one column a rater: rater to column; empty otherwise.

    Raises:
        DataFormatError: A column is missing; names the nearest.
    """

    def __init__(self, path: Path, rows: Sequence[TableRow], *, columns: Mapping[str, str], extra: Sequence[str]) -> None:
        self._path = path
        self._first = rows[0].number
        self.present = dict.fromkeys(name for row in rows for name in row.values)
        for ours in ("prompt", "answer", *columns):
            self._require(ours, columns.get(ours, ours))
        for theirs in extra:
            self._require("", theirs)
        self.theirs = {ours: columns.get(ours, ours) for ours in COLUMNS if columns.get(ours, ours) in self.present}
        wide = {name: columns[name] for name in sorted(columns) if RATER.fullmatch(name)}
        self.wide = wide or {name: name for name in self.present if RATER.fullmatch(name)}
        if "label" in self.theirs and (wide or "label" in columns):
            self.wide = wide
        if not self.wide:
            self._require("label", columns.get("label", "label"))

    def _require(self, ours: str, theirs: str) -> None:
        if theirs in self.present:
            return
        shown = [name for name in self.present if len(name) <= SHOWN_NAME]
        hint = nearest(theirs, shown) if shown else "the row has no columns"
        way = f" Map it: --columns {ours}=NAME" if ours else ""
        if ours == "label":
            way += " (or rater_1=NAME,rater_2=NAME for one column a rater)"
        raise DataFormatError(f"{self._path}: row {self._first} has no column {theirs!r}", remedy=hint + way)

    def text(self, row: TableRow, ours: str) -> str:
        """The cell under our name; empty where the file has no such column."""
        return cell_text(row.values.get(self.theirs[ours])) if ours in self.theirs else ""
