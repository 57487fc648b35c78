"""What a change of law touches: norms, items, runs and the dossiers that approvals rest on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow.parquet as pq

from primum.bank.build import build_items, prepare
from primum.errors import UnknownNameError
from primum.registry import nearest
from primum.runs import layout
from primum.schema.base import LANGUAGES, Record
from primum.schema.norm import NormFile

_DOSSIER: Final = "dossier.html"


class TouchedRun(Record):
    """A run that asked items of a changed norm.

    Attributes:
        directory: The run.
        items: Touched items in it.
        of: All its items.
        dossier: The audit it belongs to, or empty.
        verdict: That audit's verdict, or empty.
    """

    directory: str
    items: int
    of: int
    dossier: str = ""
    verdict: str = ""


class Impact(Record):
    """What one change touches.

    Attributes:
        changed: The source or norm that changed.
        norms: Ids of touched norms.
        items: Ids of touched items, the same in both languages.
        runs: Runs that asked any of them.
        approvals: Dossiers among them, by folder; each should be decided anew.
    """

    changed: str
    norms: tuple[str, ...]
    items: tuple[str, ...]
    runs: tuple[TouchedRun, ...]
    approvals: tuple[str, ...]


def find_impact(changed: str, files: Sequence[NormFile], *, folders: Sequence[Path]) -> Impact:
    """Find what rests on a source, a norm, or an article (``source/art-25``, which also matches ``source/art-25-...``).

    Args:
        changed: Id of a source or norm.
        files: All norms.
        folders: Where runs and audits lie; searched in depth.

    Raises:
        UnknownNameError: No source or norm has that id.
    """
    norms = {
        norm.id
        for file in files
        for norm in file.norms
        if changed in (file.source.id, norm.id) or norm.id.startswith(f"{changed}-") and "/" in changed
    }
    if not norms:
        known = [file.source.id for file in files] + [norm.id for file in files for norm in file.norms]
        raise UnknownNameError(f"no source or norm {changed!r}", remedy=nearest(changed, known))
    context = prepare(files)
    items = sorted({item.id for item in build_items(context, LANGUAGES[0]) if item.norm in norms})
    runs = tuple(run for folder in folders if folder.is_dir() for run in _touched(folder, norms))
    approvals = tuple(sorted({run.dossier for run in runs if run.dossier}))
    return Impact(changed=changed, norms=tuple(sorted(norms)), items=tuple(items), runs=runs, approvals=approvals)


def _touched(folder: Path, norms: set[str]) -> Iterator[TouchedRun]:
    for path in sorted(folder.rglob(layout.ITEMS)):
        asked = pq.read_table(path, columns=["norm"]).column("norm").to_pylist()
        count = sum(norm in norms for norm in asked)
        if count:
            dossier = _dossier_of(path.parent, folder)
            verdict = _verdict(dossier) if dossier is not None else ""
            yield TouchedRun(directory=str(path.parent), items=count, of=len(asked), dossier=str(dossier or ""), verdict=verdict)


def _dossier_of(directory: Path, root: Path) -> Path | None:
    for parent in (directory, *directory.parents):
        if (parent / _DOSSIER).exists():
            return parent
        if parent == root:
            break
    return None


def _verdict(dossier: Path) -> str:
    try:
        summary: dict[str, Any] = orjson.loads((dossier / layout.SUMMARY).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return "unreadable"
    return str(summary.get("verdict", "unknown"))
