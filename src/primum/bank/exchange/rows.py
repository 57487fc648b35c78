"""Items as plain rows: what every format is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import orjson

from primum.bank.build import BANK_VERSION
from primum.bank.forms.context import BuildContext
from primum.runs import layout
from primum.schema.item import Item
from primum.schema.norm import Norm

TAGS: Final = ("verdict", "style", "severity", "jurisdiction")


def item_rows(items: Iterable[Item], context: BuildContext) -> Iterator[dict[str, Any]]:
    """One flat row an item, with its provenance; keys are the same in every row."""
    norms = {norm.id: norm for norm in context.norms}
    for item in items:
        yield _row(item, norms[item.norm], context)


def _row(item: Item, norm: Norm, context: BuildContext) -> dict[str, Any]:
    source = context.sources[norm.source]
    return {
        "id": item.id,
        "task": item.task,
        "form": item.groups["form"],
        "answer_form": item.form,
        "language": item.language,
        "question": item.question,
        "turns": [{"role": turn.role, "content": turn.content} for turn in item.turns],
        "options": list(item.options),
        "answer": list(item.answer),
        "reference": item.reference,
        "dimension": norm.dimension,
        "other_dimensions": list(norm.dimensions[1:]),
        "scenes": list(norm.scenes),
        "principles": list(norm.principles),
        "difficulty": item.groups.get("difficulty", ""),
        "split": item.groups.get("split", ""),
        "tags": [f"{name}:{item.groups[name]}" for name in TAGS if item.groups.get(name)],
        "review": norm.review,
        "provenance": {
            "norm": norm.id,
            "vignette": item.cluster.removeprefix(f"{norm.id}/") if item.cluster != norm.id else "",
            "form": item.groups["form"],
            "article": norm.article,
            "source": source.title.model_dump(),
            "source_version": source.version.isoformat() if source.version else "",
            "bank_version": BANK_VERSION,
        },
    }


def write_jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    """Write JSON lines in one step; returns their number."""
    lines = [orjson.dumps(row, option=orjson.OPT_SORT_KEYS) for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    layout.write_bytes(path, b"".join(line + b"\n" for line in lines))
    return len(lines)


def write_parquet(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    """Write a Parquet file in one step (Zstandard, nested provenance); returns the number of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kept = list(rows)
    scratch = path.with_name(f".{path.name}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(kept, schema=_schema()), scratch, compression="zstd")
    scratch.replace(path)
    return len(kept)


def _schema() -> Any:
    import pyarrow as pa

    text, many = pa.string(), pa.list_(pa.string())
    provenance = pa.struct(
        [
            *((name, text) for name in ("norm", "vignette", "form", "article")),
            ("source", pa.struct([("zh", text), ("en", text)])),
            ("source_version", text), ("bank_version", text),
        ]
    )  # fmt: skip
    return pa.schema(
        [
            *((name, text) for name in ("id", "task", "form", "answer_form", "language", "question")),
            ("turns", pa.list_(pa.struct([("role", text), ("content", text)]))),
            ("options", many), ("answer", many), ("reference", text), ("dimension", text), ("other_dimensions", many), ("scenes", many),
            ("principles", pa.list_(pa.int64())), ("difficulty", text), ("split", text), ("tags", many), ("review", text), ("provenance", provenance),
        ]
    )  # fmt: skip
