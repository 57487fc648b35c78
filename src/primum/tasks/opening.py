"""Tasks by name: registered ones, a part of one (``primum-choice:test``), and ``custom:FILE.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from primum.errors import UnknownNameError
from primum.interfaces import Task
from primum.tasks.base import TASKS

_CUSTOM = "custom:"


@runtime_checkable
class DividedTask(Protocol):
    """A task that can give out parts of itself by name."""

    def part(self, name: str) -> Task:
        """The task on one part."""
        ...


def open_task(name: str) -> Task:
    """Open a task.

    Args:
        name: A registered name, a name and a part of it (``primum-choice:test``), or ``custom:FILE.yaml``.

    Raises:
        UnknownNameError: No task or part has this name; names the nearest.
        ConfigError: A custom task's YAML does not fit.
    """
    if name.startswith(_CUSTOM):
        from primum.tasks.custom.task import load_custom_task

        return load_custom_task(Path(name.removeprefix(_CUSTOM)))
    base, mark, part = name.partition(":")
    if not mark:
        return TASKS.get(name)
    task = TASKS.get(base)
    if not isinstance(task, DividedTask):
        raise UnknownNameError(f"task {base} has no parts, so there is no {name!r}", remedy=f"give {base} alone")
    return task.part(part)
