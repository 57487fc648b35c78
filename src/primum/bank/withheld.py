"""Items that are left out of the one-right-answer forms, by name and reason: a reviewed file of the package."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path

from primum.config import load_model
from primum.schema.base import Record


class Withheld(Record):
    """The list.

    Attributes:
        method: How it came about.
        items: Ids of withheld items, sorted.
    """

    method: str
    items: tuple[str, ...] = ()


def withheld_path() -> Path:
    """The packaged list."""
    return Path(str(resources.files("primum") / "data" / "bank" / "withheld.yaml"))


@cache
def packaged_withheld() -> frozenset[str]:
    """Ids of the packaged list; empty where there is none."""
    path = withheld_path()
    return frozenset(load_model(path, Withheld).items) if path.exists() else frozenset()
