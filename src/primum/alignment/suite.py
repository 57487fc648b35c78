"""Suites: the tasks that measure a model before, between and after the rounds of an alignment; each task and language is a run of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from primum.audit.task_runs import RUNS, read_run, run_name, run_spec
from primum.config import Settings, load_model
from primum.errors import ConfigError, DataMissingError, UnknownNameError
from primum.evaluation.pipeline import CacheMode, Order, Progress, evaluate
from primum.interfaces import Engine
from primum.registry import nearest
from primum.runs import layout
from primum.schema.alignment import LoopSizes, SuiteFile
from primum.schema.audit import RunResult
from primum.schema.spec import ProtocolTask
from primum.tasks.opening import open_task


@dataclass(frozen=True)
class Suite:
    """What a model is measured with.

    Attributes:
        tasks: Tasks, languages and how many items of each.
        seed: Of item sampling and intervals.
        level: Confidence level of intervals.
        name: As in the file; empty for a suite made in code.
        probe: Tasks on training norms that find weak dimensions.
        validation: Tasks on validation norms that choose between rounds.
        loop: Sizes of the loop that fit this suite.
    """

    tasks: tuple[ProtocolTask, ...]
    seed: int
    level: float
    name: str = ""
    probe: tuple[ProtocolTask, ...] = ()
    validation: tuple[ProtocolTask, ...] = ()
    loop: LoopSizes = LoopSizes()

    def only(self, tasks: tuple[ProtocolTask, ...]) -> Suite:
        """The same seed and level with other tasks."""
        return Suite(tasks=tasks, seed=self.seed, level=self.level, name=self.name)


def packaged_suites() -> dict[str, Path]:
    """Name to file of the suites that ship with Primum."""
    folder = Path(str(resources.files("primum") / "data" / "suites"))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def load_suite(name_or_path: str) -> Suite:
    """Read and check a suite.

    Raises:
        UnknownNameError: Neither a packaged suite nor a YAML file; names the nearest.
        ConfigError: The file does not fit, names a task twice, or puts training norms where they would be reported.
    """
    known = packaged_suites()
    path = known.get(name_or_path, Path(name_or_path))
    if path.suffix not in {".yaml", ".yml"} or not path.is_file():
        raise UnknownNameError(f"no suite {name_or_path!r}, and no such YAML file", remedy=nearest(name_or_path, known))
    file = load_model(path, SuiteFile)
    for place, tasks in (("probe", file.probe), ("validation", file.validation), ("tasks", file.tasks)):
        _check_tasks(path, place, tasks)
    return Suite(tasks=file.tasks, seed=file.seed, level=file.level, name=file.name, probe=file.probe, validation=file.validation, loop=file.loop)


# What each place may read of the bank: a figure that chooses must not be the figure that is reported.
_ALLOWED_PARTS: Final = {"probe": {"train"}, "validation": {"validation"}, "tasks": {"test", "seen-norm"}}


def _check_tasks(path: Path, place: str, tasks: tuple[ProtocolTask, ...]) -> None:
    names = [entry.task for entry in tasks]
    for entry in tasks:
        if names.count(entry.task) > 1:
            raise ConfigError(f"{path}: {place} names task {entry.task} twice", remedy="name it once, with all its languages")
        languages = open_task(entry.task).card.languages
        if unknown := [language for language in entry.languages if language not in languages]:
            raise ConfigError(f"{path}: {place}: {entry.task} does not exist in {unknown[0]!r}", remedy=f"its languages: {', '.join(languages)}")
        base, _, part = entry.task.partition(":")
        if base.startswith("primum-") and part not in _ALLOWED_PARTS[place]:
            allowed = " or ".join(f"{base}:{name}" for name in sorted(_ALLOWED_PARTS[place]))
            raise ConfigError(f"{path}: {place} may not use {entry.task}", remedy=f"use {allowed}, so that what chooses is never what is reported")


async def run_suite(
    suite: Suite,
    *,
    model: str,
    engine: Engine,
    directory: Path,
    settings: Settings,
    progress_for: Callable[[str], Progress],
    cache: CacheMode = "auto",
) -> tuple[RunResult, ...]:
    """Evaluate one model on every task of a suite, each language a run in ``DIRECTORY/runs/TASK-LANGUAGE``; finished and begun runs are resumed.

    Args:
        suite: What to run.
        model: The model's URI, for the runs' specs.
        engine: The model.
        directory: Where the runs go.
        settings: Data folder, home, offline.
        progress_for: Makes the display of one run, from its title.
        cache: See :class:`primum.evaluation.pipeline.Order`.

    Returns:
        One result a task and language, in the suite's order. ``failures`` is empty: examples are read from the runs where they are shown.

    Raises:
        DataMissingError: Data are missing of a task that is not optional; an optional one is skipped, and the display is told.
        UsageError: A task does not fit the engine.
        EngineError: The engine cannot answer at all.
        IntegrityError: A folder holds another run.
    """
    results: list[RunResult] = []
    for entry in suite.tasks:
        task = open_task(entry.task)
        for language in entry.languages:
            name = run_name(entry.task, language)
            progress = progress_for(name)
            spec = run_spec(entry, language, model=model, seed=suite.seed, level=suite.level)
            order = Order(spec=spec, task=task, engine=engine, directory=directory / RUNS / name, settings=settings, progress=progress, cache=cache)
            try:
                await evaluate(order)
            except DataMissingError as error:
                if not entry.optional:
                    raise
                progress.note(f"skipped: {error.message}")
                continue
            results.append(read_run(directory, task, spec, language))
    return tuple(results)


def read_suite(suite: Suite, *, model: str, directory: Path) -> tuple[RunResult, ...]:
    """Results of a suite that was run before, without an engine; tasks that were skipped are left out."""
    results: list[RunResult] = []
    for entry in suite.tasks:
        task = open_task(entry.task)
        for language in entry.languages:
            name = run_name(entry.task, language)
            if (directory / RUNS / name / layout.SUMMARY).exists():
                spec = run_spec(entry, language, model=model, seed=suite.seed, level=suite.level)
                results.append(read_run(directory, task, spec, language))
    return tuple(results)
