"""What arms and doses are taught: demonstrations by the shares of ``primum align``, in a nested order, none of them near a held-out text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

from primum.alignment.contamination import find_held_out, held_out_texts
from primum.alignment.demonstrations import bank_preferences, candidates
from primum.alignment.pool import nested_order
from primum.alignment.training_port import Trainer
from primum.errors import DataMissingError, UsageError
from primum.hashing import derived_seed, sha256_of
from primum.runs import layout
from primum.schema.spec import ProtocolTask
from primum.schema.training import Demonstration, Origin, Preference
from primum.tasks.primum_bank.parts import packaged_context

# Origins of which a part may stand in published test files.
_OUTSIDE: Final[frozenset[Origin]] = frozenset({"medsafetybench", "general"})
_BLOCK: Final = 256
_CHECKED: Final = "checked.json"

Row = TypeVar("Row", Demonstration, Preference)


@cache
def _dimension_by_norm() -> dict[str, str]:
    return {norm.id: norm.dimension for norm in packaged_context().norms}


def _groups(row: Demonstration | Preference) -> tuple[str, ...]:
    return row.language, _dimension_by_norm().get(row.norm, "")


@dataclass
class Material:
    """Everything that may be taught, checked as far as it is asked for.

    Attributes:
        shares: Origins of demonstrations, with the part that each has in every beginning of the order.
        data: Folder of outside data.
        trainer: Counts tokens.
        max_tokens: Longer demonstrations are passed over.
        tasks: The tasks of the last measurement; what nearly repeats one of their texts is left out.
        folder: Where findings are kept, so that a resumed command need not look again; None keeps none.
        overlaps: Rows left out for being too near a held-out text, with that text's name.
        long: Rows left out for their length.
        compared: Held-out texts.
    """

    shares: Mapping[Origin, float]
    data: Path | None
    trainer: Trainer
    max_tokens: int
    tasks: Sequence[ProtocolTask]
    folder: Path | None = None
    overlaps: dict[str, str] = field(default_factory=dict)
    long: set[str] = field(default_factory=set)
    compared: int = 0
    _fine: set[str] = field(default_factory=set)
    _rows: dict[Origin, tuple[Demonstration, ...]] | None = None

    @property
    def rows(self) -> dict[Origin, tuple[Demonstration, ...]]:
        """Every candidate by origin, unchecked."""
        if self._rows is None:
            self._rows = {origin: candidates(origin, self.data) for origin in self.shares}
            self._recall()
        return self._rows

    def take(self, count: int, *, seed: int) -> tuple[Demonstration, ...]:
        """The first ``count`` demonstrations of a seed's order that are short enough and repeat no held-out text.

        Raises:
            UsageError: There are not so many; says how many there are.
            DataMissingError: There are none at all.
        """
        if count == 0:
            return ()
        if not any(self.rows.values()):
            raise DataMissingError(f"nothing to teach: no demonstrations of {', '.join(self.shares)}", remedy="give their folder with --data")
        chosen = self._sift(self._ordered(seed), count)
        if len(chosen) < count:
            left = f" ({len(self.long)} longer than {self.max_tokens} tokens and {len(self.overlaps)} too near a held-out text were left out)"
            raise UsageError(
                f"{count} demonstrations were asked for; {', '.join(self.shares)} hold {len(chosen)}{left if self.long or self.overlaps else ''}",
                remedy=f"ask for at most {len(chosen)}, take another --mix, or give outside data with --data",
            )
        return tuple(chosen)

    def at_most(self, count: int, *, seed: int) -> int:
        """How many demonstrations :meth:`take` could give, counted up to ``count``.

        Raises:
            DataMissingError: There are none at all.
        """
        found = len(self._sift(self._ordered(seed), count)) if any(self.rows.values()) else 0
        if not found:
            raise DataMissingError(f"nothing to teach: no demonstrations of {', '.join(self.shares)}", remedy="give their folder with --data")
        return found

    def check_ahead(self, count: int, seeds: Sequence[int]) -> None:
        """Check what several seeds will take in one go: each comparison reads every held-out text anew."""
        wanted = {row.id: row for seed in seeds for row in self._ordered(seed)[:count]}
        self._check([row for row in wanted.values() if not self._is_known(row.id)])

    def preferences(self, count: int, *, seed: int) -> tuple[Preference, ...]:
        """Up to ``count`` of the bank's hard pairs, in a seed's order, checked in the same way."""
        ordered = nested_order([row for row in bank_preferences() if row.messages], seed=seed, keys=_groups, name=lambda row: row.id)
        return tuple(self._sift(ordered, count))

    def _ordered(self, seed: int) -> list[Demonstration]:
        """Origins merged by their shares, each in its own nested order."""
        places: list[tuple[float, int, Demonstration]] = []
        for number, (origin, rows) in enumerate(self.rows.items()):
            ordered = nested_order(rows, seed=derived_seed("arms", seed, origin), keys=_groups, name=lambda row: row.id)
            places.extend(((place + 0.5) / self.shares[origin], number, row) for place, row in enumerate(ordered))
        return [row for _, _, row in sorted(places, key=lambda entry: entry[:2])]

    def _sift(self, ordered: Sequence[Row], count: int) -> list[Row]:
        found: list[Row] = []
        start = 0
        while start < len(ordered) and len(found) < count:
            # Each comparison reads every held-out text anew, so few large ones are cheaper than many small ones.
            block = ordered[start : start + max(_BLOCK, count - len(found))]
            self._check([row for row in block if not self._is_known(row.id)])
            found.extend(row for row in block if row.id in self._fine)
            start += len(block)
        return found[:count]

    def _is_known(self, identifier: str) -> bool:
        return identifier in self._fine or identifier in self.long or identifier in self.overlaps

    def _check(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        asked = [(row, answer) for row in rows for answer in _answers(row)]
        lengths = self.trainer.count_tokens([(row.messages, answer) for row, answer in asked])
        lasting = {row.id for (row, _), length in zip(asked, lengths, strict=True) if length > self.max_tokens}
        short = [row for row in rows if row.id not in lasting]
        self.long.update(lasting)
        near = self._find_near(short)
        self.overlaps.update(near)
        self._fine.update(row.id for row in short if row.id not in near)
        self._remember()

    def _find_near(self, rows: Sequence[Row]) -> dict[str, str]:
        """Everything is compared with the bank's held-out texts, and what comes from elsewhere also with the outside tasks' questions."""
        ours = held_out_texts((), None)
        near = find_held_out(rows, ours)
        elsewhere = [row for row in rows if row.origin in _OUTSIDE]
        outside = held_out_texts(self.tasks, self.data)[len(ours) :] if elsewhere else ()
        if outside:
            near |= find_held_out(elsewhere, outside)
        self.compared = max(self.compared, len(ours) + len(outside))
        return near

    def _identity(self) -> str:
        texts = sha256_of([[row.id, row.messages, row.answer] for rows in (self._rows or {}).values() for row in rows])
        tasks = [[entry.task, list(entry.languages)] for entry in self.tasks]
        return sha256_of([texts, tasks, self.max_tokens, self.trainer.fingerprint, sorted(_dimension_by_norm())])

    def _remember(self) -> None:
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            found = {"overlaps": self.overlaps, "long": sorted(self.long), "fine": sorted(self._fine), "compared": self.compared}
            layout.write_json(self.folder / _CHECKED, {"of": self._identity(), **found})

    def _recall(self) -> None:
        path = self.folder / _CHECKED if self.folder is not None else None
        if path is not None and path.exists():
            kept = layout.read_json(path)
            if kept["of"] == self._identity():
                self.overlaps.update(kept["overlaps"])
                self.long.update(kept["long"])
                self._fine.update(kept["fine"])
                self.compared = kept["compared"]


def _answers(row: Demonstration | Preference) -> Iterable[str]:
    return (row.answer,) if isinstance(row, Demonstration) else (row.chosen, row.rejected)
