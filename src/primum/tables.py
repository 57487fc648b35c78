"""Tables from other people's programs: CSV, TSV, JSON lines or one JSON array, row by row.

One reader for recorded answers, benchmark files and raters' scores, so that every one of them survives byte-order marks, Chinese Windows
encodings and renamed columns alike, and every fault names the file, the row and the remedy. Cells never enter a message: they may hold
model text or patient data.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final, Literal, NamedTuple

import orjson

from primum.errors import DataFormatError, DataMissingError, UsageError
from primum.registry import nearest

Encoding = Literal["utf-8", "utf-8-sig", "utf-16", "gb18030"]

_CHUNK: Final = 1 << 20
_FIELD_LIMIT: Final = (1 << 31) - 1  # the largest value the csv module takes on every platform
_DELIMITERS: Final = {".csv": ",", ".tsv": "\t"}
_JSON_SUFFIXES: Final = frozenset({".jsonl", ".ndjson", ".json"})
_SAVE_AS_UTF8: Final = "save the file as UTF-8 (in a spreadsheet: 'CSV UTF-8') and try again"
# A column "name" longer than this is most likely a cell of a file without a header, so it is not shown.
_SHOWN_NAME: Final = 40
# Bytes of a Chinese Windows file almost never form UTF-8; a damaged UTF-8 file almost always does. Anything between is refused.
_DAMAGED_SHARE: Final = 0.1
# Real Chinese text lies in GB2312; Western bytes that happen to decode as GB18030 do not.
_CHINESE_SHARE: Final = 0.9


class TableRow(NamedTuple):
    """One record of a table.

    Attributes:
        number: 1-based number of the record in its file. A CSV header is record 1; in JSON lines this is the line number.
        values: Column name to value: text for CSV, any JSON value for JSON.
    """

    number: int
    values: dict[str, Any]


def read_assignments(text: str, option: str) -> dict[str, str]:
    """``NAME=VALUE,NAME=VALUE`` from the command line as a dictionary; empty text is an empty one.

    Args:
        text: What the user gave.
        option: The option's name, for the message.

    Raises:
        UsageError: A part lacks its name, sign or value, or a name stands twice.
    """
    parts = [part.partition("=") for part in text.split(",") if part.strip()]
    names = [name.strip() for name, _, _ in parts]
    if any(not (sign and name.strip() and value.strip()) for name, sign, value in parts):
        raise UsageError(f"{option} {text!r} is not NAME=VALUE,NAME=VALUE", remedy="separate pairs by commas, and leave none empty")
    if len(set(names)) < len(names):
        raise UsageError(f"{option} {text!r} names one thing twice", remedy="give each name once")
    return {name.strip(): value.strip() for name, _, value in parts}


def read_rows(
    path: Path,
    *,
    required: Sequence[str] = (),
    mapping: Mapping[str, str] | None = None,
    header: Sequence[str] | None = None,
) -> Iterator[TableRow]:
    """Read a table lazily; only a JSON array is held in memory as a whole.

    Args:
        path: A ``.csv``, ``.tsv``, ``.jsonl``, ``.ndjson`` or ``.json`` file, in UTF-8 (with or without BOM), UTF-16 with BOM or GB18030.
        required: Columns that must be there, by our names.
        mapping: Our names to the file's column names, where they differ. Mapped columns appear under our name only.
        header: Column names of a CSV without a header line.

    Returns:
        The rows in file order; blank lines are skipped and counted.

    Raises:
        DataMissingError: The file is not there or cannot be opened (raised at the call).
        DataFormatError: The file is empty, wrongly encoded, holds NUL bytes (raised at the call), lacks a column, or has a row that
            cannot be read (raised when that row is reached).
    """
    suffix = path.suffix.lower()
    if suffix not in _DELIMITERS and suffix not in _JSON_SUFFIXES:
        raise DataFormatError(
            f"{path}: cannot tell the format from the ending {suffix!r}",
            remedy="give a .csv, .tsv, .jsonl or .json file; save a spreadsheet as 'CSV UTF-8'",
        )
    encoding = detect_encoding(path)
    columns = _Columns(path, required=tuple(required), mapping=dict(mapping or {}))
    if suffix in _DELIMITERS:
        return _read_delimited(path, encoding, _DELIMITERS[suffix], columns, header)
    return _read_json(path, encoding, columns)


def detect_encoding(path: Path) -> Encoding:
    """Which encoding the whole file is in, by decoding it once without keeping it.

    Returns:
        ``utf-8``, ``utf-8-sig`` (with a byte-order mark), ``utf-16`` (with one) or ``gb18030`` (Chinese Windows, a superset of GBK).

    Raises:
        DataMissingError: The file is not there or cannot be opened.
        DataFormatError: The file is empty, holds NUL bytes, or is in none of these encodings.
    """
    with _open(path) as handle:
        start = handle.read(4)
    if not start:
        raise _empty(path)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    _refuse_nul(path)
    marked = start.startswith(codecs.BOM_UTF8)
    if _decodes(path, "utf-8"):
        return "utf-8-sig" if marked else "utf-8"
    if marked or _share_not_utf8(path) < _DAMAGED_SHARE:
        raise DataFormatError(f"{path}: row {_first_bad_line(path)} holds bytes that are not UTF-8", remedy="repair that row; " + _SAVE_AS_UTF8)
    if _share_chinese(path) >= _CHINESE_SHARE:
        return "gb18030"
    raise DataFormatError(f"{path}: neither UTF-8 nor GB18030, from row {_first_bad_line(path)} on", remedy=_SAVE_AS_UTF8)


class _Columns:
    """Checks and renames columns."""

    def __init__(self, path: Path, *, required: tuple[str, ...], mapping: dict[str, str]) -> None:
        self.path = path
        self.required = required
        self.mapping = mapping
        self._theirs = frozenset(mapping.values())

    def check(self, present: Sequence[str], row: int, *, expected: Sequence[str]) -> None:
        """Raise where a column of ours in ``expected`` is not among the file's ``present`` ones."""
        known = set(present)
        for ours in expected:
            theirs = self.mapping.get(ours, ours)
            if theirs in known:
                continue
            shown = [name if len(name) <= _SHOWN_NAME else f"<{len(name)} characters>" for name in present]
            wanted = repr(ours) if theirs == ours else f"{theirs!r} (mapped from {ours!r})"
            hint = nearest(theirs, [name for name in shown if name]) if any(shown) else "the row has no columns"
            if len(present) == 1 and any(mark in present[0] for mark in ";\t|"):
                hint += "; the file seems to be separated by something else than its ending says"
            raise DataFormatError(f"{self.path}: row {row} has no column {wanted}", remedy=f"{hint} Map {ours!r} to the file's own column name")

    def rename(self, raw: dict[str, Any]) -> dict[str, Any]:
        """The row under our names."""
        if not self.mapping:
            return raw
        renamed = {name: value for name, value in raw.items() if name not in self._theirs}
        renamed.update({ours: raw[theirs] for ours, theirs in self.mapping.items() if theirs in raw})
        return renamed


def _read_delimited(path: Path, encoding: Encoding, delimiter: str, columns: _Columns, header: Sequence[str] | None) -> Iterator[TableRow]:
    csv.field_size_limit(_FIELD_LIMIT)
    names = list(header) if header is not None else None
    if names is not None:
        columns.check(names, 1, expected=[*columns.required, *columns.mapping])
    number = 0
    rows = 0
    with path.open(encoding=encoding, newline="") as handle:
        # strict: an open quotation mark must not swallow the rest of the file in silence.
        reader = csv.reader(handle, delimiter=delimiter, strict=True)
        while True:
            number += 1
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                raise DataFormatError(
                    f"{path}: row {number} is not valid CSV ({error})", remedy='close the quotation marks and double those inside a cell ("")'
                ) from None
            if not any(cells) and len(cells) <= 1:
                continue
            if names is None:
                names = _header(path, cells, number)
                columns.check(names, number, expected=[*columns.required, *columns.mapping])
                continue
            rows += 1
            yield TableRow(number, columns.rename(_named(path, names, cells, number)))
    if rows == 0:
        raise _empty(path)


def _header(path: Path, cells: list[str], number: int) -> list[str]:
    """Column names; an unnamed column (an index column, a trailing comma) becomes ``column_N``."""
    names = [cell.strip() or f"column_{index}" for index, cell in enumerate(cells, start=1)]
    for index, name in enumerate(names):
        if name in names[:index]:
            where = f"columns {names.index(name) + 1} and {index + 1}"
            raise DataFormatError(f"{path}: row {number}: {where} have the same name", remedy="rename one of them")
    return names


def _named(path: Path, names: list[str], cells: list[str], number: int) -> dict[str, Any]:
    if len(cells) > len(names) and not any(cells[len(names) :]):
        cells = cells[: len(names)]
    if len(cells) != len(names):
        raise DataFormatError(
            f"{path}: row {number} has {len(cells)} cells where the header has {len(names)}",
            remedy="put quotation marks round cells that hold the separator or a line break",
        )
    return dict(zip(names, cells, strict=True))


def _read_json(path: Path, encoding: Encoding, columns: _Columns) -> Iterator[TableRow]:
    records = _json_array(path, encoding) if _starts_array(path, encoding) else _json_lines(path, encoding)
    missing = set(columns.mapping.values())
    rows = 0
    for number, record in records:
        if not isinstance(record, dict):
            raise DataFormatError(f"{path}: row {number} is not a JSON object", remedy="give one object of named columns a row")
        if columns.required:
            columns.check(list(record), number, expected=columns.required)
        if missing:
            missing.difference_update(record)
        rows += 1
        yield TableRow(number, columns.rename(record))
    if rows == 0:
        raise _empty(path)
    if missing:
        raise DataFormatError(f"{path}: no row has the mapped column {min(missing)!r}", remedy="correct the column's name in the mapping")


def _starts_array(path: Path, encoding: Encoding) -> bool:
    with path.open(encoding=encoding) as handle:
        while piece := handle.read(4096):
            if stripped := piece.lstrip():
                return stripped[0] == "["
    return False


def _json_array(path: Path, encoding: Encoding) -> Iterator[tuple[int, Any]]:
    text = path.read_text(encoding=encoding)
    try:
        records = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise DataFormatError(
            f"{path}: not a valid JSON array (line {error.lineno})", remedy="give one array of objects, or one object a line in a .jsonl file"
        ) from None
    yield from enumerate(records, start=1)


def _json_lines(path: Path, encoding: Encoding) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(_lines(path, encoding), start=1):
        if not line or line.isspace():
            continue
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise DataFormatError(
                f"{path}: row {number} is not valid JSON (column {error.colno})",
                remedy="put one whole JSON object on each line, or one array of objects in the file",
            ) from None
        yield number, record


def _lines(path: Path, encoding: Encoding) -> Iterator[bytes]:
    """Lines as UTF-8 bytes: that is what the parser reads, so a UTF-8 file is never decoded here."""
    if encoding in ("utf-8", "utf-8-sig"):
        with path.open("rb") as handle:
            yield handle.readline().removeprefix(codecs.BOM_UTF8)
            yield from handle
    else:
        with path.open(encoding=encoding) as text:
            for line in text:
                yield line.encode("utf-8", "surrogatepass")


def _open(path: Path) -> IO[bytes]:
    if not path.exists():
        siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = nearest(path.name, siblings) if siblings else "the folder is not there either"
        raise DataMissingError(f"{path}: no such file", remedy=hint if hint.startswith("did") or not siblings else "check the path")
    if path.is_dir():
        raise DataMissingError(f"{path}: is a folder, not a file", remedy="name the file inside it")
    try:
        return path.open("rb")
    except OSError as error:
        raise DataMissingError(f"{path}: cannot be opened ({error.strerror})", remedy="check the file's permissions") from None


def _empty(path: Path) -> DataFormatError:
    return DataFormatError(f"{path}: is empty, it has no rows", remedy="give a file with at least one row")


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            yield chunk


def _refuse_nul(path: Path) -> None:
    lines = 1
    for chunk in _chunks(path):
        at = chunk.find(b"\0")
        if at >= 0:
            row = lines + chunk.count(b"\n", 0, at)
            raise DataFormatError(f"{path}: row {row} holds a NUL byte; this is not a text table", remedy="export it as text; " + _SAVE_AS_UTF8)
        lines += chunk.count(b"\n")


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        for chunk in _chunks(path):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _share_not_utf8(path: Path) -> float:
    """Replacement characters as a share of all non-ASCII characters, when decoded as UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    bad = total = 0
    for chunk in _chunks(path):
        text = decoder.decode(chunk)
        bad += text.count("�")
        total += len(text) - len(text.encode("ascii", "ignore"))
    return bad / total if total else 1.0


def _share_chinese(path: Path) -> float:
    """Characters of GB2312 as a share of all non-ASCII characters, when decoded as GB18030; 0 where it cannot be."""
    decoder = codecs.getincrementaldecoder("gb18030")("strict")
    common = total = 0
    try:
        for chunk in chain(_chunks(path), [b""]):
            text = decoder.decode(chunk, final=not chunk)
            outside = len(text.encode("ascii", "ignore"))
            total += len(text) - outside
            common += (len(text.encode("gb2312", "ignore")) - outside) // 2
    except UnicodeDecodeError:
        return 0.0
    return common / total if total else 0.0


def _first_bad_line(path: Path) -> int:
    number = 0
    with path.open("rb") as handle:
        for number, line in enumerate(handle, start=1):  # noqa: B007 - the number is the result
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                break
    return number
