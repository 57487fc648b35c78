"""Records on disk: JSON lines written whole, and the ledger of a round's steps.

A step is done when the ledger knows its files with their hashes and they were made from the same inputs. Whatever a kill leaves behind is either
a finished step or none: files are renamed into place first, the ledger is written last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson

from primum.errors import IntegrityError
from primum.hashing import sha256_file, sha256_of
from primum.runs import layout
from primum.schema.alignment import StepRecord
from primum.schema.base import Record

R = TypeVar("R", bound=Record)
LEDGER: Final = "round.json"


def write_records(path: Path, records: Iterable[Record]) -> None:
    """One JSON object a line, in order, atomically; the same records give the same bytes."""
    layout.write_bytes(path, b"".join(orjson.dumps(record.model_dump(mode="json"), option=orjson.OPT_APPEND_NEWLINE) for record in records))


def read_records(path: Path, kind: type[R]) -> tuple[R, ...]:
    """Records of a file; none where there is no file.

    Raises:
        IntegrityError: A line is damaged; names file and line.
    """
    if not path.exists():
        return ()
    found: list[R] = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            found.append(kind.model_validate_json(line))
        except ValueError as error:
            raise IntegrityError(f"{path}: line {number} is damaged", remedy="restore the file, or delete it: its step is then done again") from error
    return tuple(found)


@dataclass(frozen=True)
class Ledger:
    """The steps of one folder.

    Attributes:
        folder: Where the files are.
        note: Told what a user should know.
    """

    folder: Path
    note: Callable[[str], None] = lambda text: None

    def records(self) -> dict[str, StepRecord]:
        """The finished steps by name."""
        path = self.folder / LEDGER
        if not path.exists():
            return {}
        return {name: StepRecord.model_validate(entry) for name, entry in layout.read_json(path)["steps"].items()}

    def run(self, step: str, *, inputs: Mapping[str, Any], files: Sequence[str], make: Callable[[], None], provenance: Mapping[str, str]) -> bool:
        """Do a step unless it is done already.

        Args:
            step: Its name.
            inputs: Everything it is made from.
            files: What it writes, relative to the folder.
            make: Writes them.
            provenance: Kept beside the hashes.

        Returns:
            True when it was done now.
        """
        if self.is_done(step, inputs):
            return False
        begun = time.monotonic()
        self.folder.mkdir(parents=True, exist_ok=True)
        make()
        self.finish(step, inputs=inputs, files=files, provenance=provenance, seconds=time.monotonic() - begun)
        return True

    def is_done(self, step: str, inputs: Mapping[str, Any]) -> bool:
        """True when the step's files are there, unchanged, and made from these inputs."""
        record = self.records().get(step)
        if record is None or record.inputs_sha256 != sha256_of(dict(inputs)):
            return False
        for name, digest in record.files.items():
            path = self.folder / name
            if not path.is_file() or sha256_file(path) != digest:
                self.note(f"{self.folder.name}/{name} is missing or was changed by hand: step {step} is done again")
                return False
        return True

    def finish(self, step: str, *, inputs: Mapping[str, Any], files: Sequence[str], provenance: Mapping[str, str], seconds: float) -> None:
        """Write a finished step into the ledger."""
        steps = self.records()
        steps[step] = StepRecord(
            inputs_sha256=sha256_of(dict(inputs)),
            files={name: sha256_file(self.folder / name) for name in files},
            seconds=round(seconds, 3),
            provenance=dict(provenance),
        )
        layout.write_json(self.folder / LEDGER, {"steps": {name: record.model_dump(mode="json") for name, record in steps.items()}})

    def digest(self, *steps: str) -> str:
        """Hash over the files of finished steps: what later steps are made from."""
        known = self.records()
        return sha256_of({step: dict(known[step].files) for step in steps if step in known})
