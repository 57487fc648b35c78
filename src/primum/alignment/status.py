"""What an alignment has done so far, read from its folder; nothing is locked or changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from primum.alignment.records import Ledger, read_records
from primum.alignment.review import read_labels, round_folders
from primum.errors import DataMissingError
from primum.runs import layout
from primum.schema.alignment import Selected


def read_status(out: Path) -> dict[str, Any]:
    """Finished steps of every part, decisions, and what waits for people.

    Raises:
        DataMissingError: The folder holds no alignment.
    """
    if not (out / "align.json").is_file():
        raise DataMissingError(f"{out}: no alignment here (no align.json)", remedy="give the folder that primum align wrote")
    rounds = round_folders(out)
    finals = sorted(path for path in (out / "final").glob("*") if path.is_dir())
    parts = [out / "base", *(path for folder in rounds for path in (folder, folder / "eval")), *finals]
    labelled = {label.id for label in read_labels(out)}
    waiting = [entry.id for folder in rounds for entry in read_records(folder / "review.jsonl", Selected) if entry.id not in labelled]
    decisions = [layout.read_json(folder / "decision.json") for folder in rounds if (folder / "decision.json").is_file()]
    return {
        "directory": str(out),
        "finished": (out / "result.json").is_file(),
        "folders": [_part(out, path) for path in parts if (path / "round.json").is_file()],
        "decisions": decisions,
        "best": layout.read_json(out / "best.json") if (out / "best.json").is_file() else None,
        "review": {"waiting": len(waiting), "labelled": len(labelled)},
    }


def _part(out: Path, folder: Path) -> dict[str, Any]:
    records = Ledger(folder).records()
    return {
        "folder": folder.relative_to(out).as_posix(),
        "steps": [{"step": name, "seconds": record.seconds, "files": sorted(record.files)} for name, record in records.items()],
    }
