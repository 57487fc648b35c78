"""What a paper's experiment is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from primum.schema.arms import ArmName
from primum.schema.reproduction import Paper
from primum.schema.spec import ProtocolTask
from primum.schema.training import Origin


@dataclass(frozen=True)
class PaperRecipe:
    """One paper's design as arms on a suite.

    Attributes:
        paper: Which.
        tasks: What is asked.
        arms: What is compared.
        shares: What is taught.
        demos: Demonstrations where the user names no number.
        groups: By which group each task is broken down.
        doses: Of the dose curve; empty for none.
    """

    paper: Paper
    tasks: tuple[ProtocolTask, ...]
    arms: tuple[ArmName, ...]
    shares: Mapping[Origin, float]
    demos: int
    groups: Mapping[str, str] = field(default_factory=dict)
    doses: tuple[int, ...] = ()

    def limited(self, limit: int | None) -> tuple[ProtocolTask, ...]:
        """Its tasks with at most ``limit`` items each."""
        return self.tasks if limit is None else tuple(entry.model_copy(update={"limit": limit}) for entry in self.tasks)
