"""Arms: one model as it is, with norms in its prompt, fine-tuned, preference-optimised, side by side on the same items."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, get_args

from primum.alignment.arm_scores import Series, compare_series, estimate_series, read_series
from primum.alignment.arm_training import Teacher, Trained
from primum.alignment.measuring import Engines
from primum.alignment.retrieval_engine import NormShelf, with_retrieval
from primum.alignment.suite import Suite, run_suite
from primum.config import Settings
from primum.errors import IntegrityError, UnknownNameError, UsageError
from primum.evaluation.pipeline import CacheMode, Progress
from primum.interfaces import Engine
from primum.registry import nearest
from primum.runs import layout
from primum.schema.arms import Arm, ArmFigures, ArmName, ArmsResult, ArmsSpec, Figure
from primum.schema.audit import RunResult
from primum.schema.base import Bilingual, Language
from primum.schema.estimate import PairedDifference
from primum.stats.multiplicity import adjust_holm
from primum.stats.resampling import Resampling

ARMS: Final[tuple[ArmName, ...]] = get_args(ArmName)
RESULT: Final = "arms.json"
_SPEC: Final = "spec.json"
# Which norms are on the shelf decides retrieval arms only; their runs know the shelf by the engine's identity.
_NOT_SHARED: Final = frozenset({"retrieved", "norms_sha256"})


@dataclass(frozen=True)
class Bench:
    """What arms and doses are measured with.

    Attributes:
        spec: Everything that decides the figures but the arms and doses themselves.
        suite: Tasks.
        teacher: Trains adapters; None where the model's weights are not on this machine.
        shelf: What retrieval arms read; None without them.
        engines: Opens models.
        directory: The output folder.
        settings: Data folder, home, offline.
        progress_for: Makes the display of one run, from its title.
        cache: See :class:`primum.evaluation.pipeline.Order`.
    """

    spec: ArmsSpec
    suite: Suite
    teacher: Teacher | None
    shelf: NormShelf | None
    engines: Engines
    directory: Path
    settings: Settings
    progress_for: Callable[[str], Progress]
    cache: CacheMode = "auto"

    @property
    def resampling(self) -> Resampling:
        """Of every interval and test."""
        return Resampling(seed=self.spec.seed, level=self.spec.level)

    def claim(self) -> None:
        """Write or check what the output folder is about.

        Raises:
            IntegrityError: It holds arms of another model, suite or recipe.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / _SPEC
        now = self.spec.model_dump(mode="json", exclude=set(_NOT_SHARED))
        if not path.exists():
            layout.write_json(path, now)
            return
        before = layout.read_json(path)
        changed = [name for name in now if before.get(name) != now[name]]
        if changed:
            raise IntegrityError(
                f"{self.directory}: holds arms with another {', '.join(changed)}", remedy="choose another folder with --out, or delete this one"
            )

    async def measure(self, trained: Trained | None, *, retrieve: bool) -> Measured:
        """Evaluate the base or an adapter on the suite, with or without norms before its prompts; finished runs are read.

        Raises:
            DataMissingError: Data of a task that is not optional are missing.
            IntegrityError: The folder holds another run.
            EngineError: The engine cannot answer at all.
        """
        uri = self.spec.model if trained is None else trained.uri
        name = ("base" if trained is None else trained.name) + (f"+retrieval-{self.spec.retrieved}" if retrieve else "")
        engine: Engine = await self.engines.get(uri)
        if retrieve:
            if self.shelf is None:
                raise UsageError("a retrieval arm needs norms", remedy="give a folder of norm files with --norms")
            engine = with_retrieval(engine, self.shelf)
        folder = self.directory / "runs-of" / name
        folder.mkdir(parents=True, exist_ok=True)
        runs = await run_suite(
            self.suite, model=uri, engine=engine, directory=folder, settings=self.settings, cache=self.cache,
            progress_for=lambda run: self.progress_for(f"{name} {run}"),
        )  # fmt: skip
        return Measured(uri=uri, directory=folder, runs=runs)


@dataclass(frozen=True)
class Measured:
    """An evaluated folder."""

    uri: str
    directory: Path
    runs: tuple[RunResult, ...]
    _kept: dict[str, list[Series]] = field(default_factory=dict, repr=False)

    def series(self, group: str = "") -> list[Series]:
        """Every metric of every run, read once."""
        if group not in self._kept:
            self._kept[group] = list(read_series(self.directory, self.runs, group=group))
        return self._kept[group]


def check_arms(names: Sequence[str]) -> tuple[ArmName, ...]:
    """Arms by name, the base first, each once.

    Raises:
        UnknownNameError: There is no such arm; names the nearest.
    """
    for name in names:
        if name not in ARMS:
            raise UnknownNameError(f"no arm {name!r}; arms are {', '.join(ARMS)}", remedy=nearest(name, ARMS))
    return tuple(dict.fromkeys(("base", *names)))  # type: ignore[arg-type]


async def run_arms(bench: Bench, names: Sequence[str], *, demos: int) -> ArmsResult:
    """Evaluate arms on the same items and pair each with the base; writes ``arms.json``.

    Adapters are trained once: ``sft+retrieval`` asks the model that ``sft`` trained, ``sft+dpo`` goes on from it. Every arm has its folder, finished
    ones are read again, and an interrupted command goes on where it was.

    Args:
        bench: Model, suite, recipe and folders.
        names: Arms; the base is always among them.
        demos: Demonstrations of the fine-tuned arms.

    Raises:
        UnknownNameError: There is no such arm.
        UsageError: An arm needs a training and the weights are not here, or there are fewer demonstrations.
        DataMissingError: Retrieval has an empty library, or data are missing.
        IntegrityError: The folder holds other arms.
    """
    measured = await measure_arms(bench, names, demos=demos)
    result = collect_arms(bench, measured, demos)
    layout.write_json(bench.directory / RESULT, result.model_dump(mode="json"))
    return result


async def measure_arms(bench: Bench, names: Sequence[str], *, demos: int) -> list[tuple[Arm, Measured]]:
    """Train and evaluate arms, in the order asked, the base first; raises as :func:`run_arms`."""
    arms = check_arms(names)
    if any(name.startswith("sft") for name in arms) and bench.teacher is None:
        raise UsageError(
            f"arm {next(name for name in arms if name.startswith('sft'))} needs weights on this machine", remedy="ask for base,retrieval"
        )
    if bench.teacher is not None:
        bench.teacher.check()
    bench.claim()
    measured: dict[ArmName, tuple[Arm, Measured]] = {}
    # The adapter's own order, so that each model is opened once whatever order was asked for.
    for name in sorted(arms, key=ARMS.index):
        retrieve, trained = name.endswith("retrieval"), None
        if name.startswith("sft") and bench.teacher is not None:
            trained = await bench.teacher.trained(name.removesuffix("+retrieval"), demos, seed=bench.spec.seed, engines=bench.engines)
        found = await bench.measure(trained, retrieve=retrieve)
        directory = found.directory.relative_to(bench.directory).as_posix()
        taught = None if trained is None else trained.taught
        measured[name] = Arm(name=name, uri=found.uri, directory=directory, taught=taught, norms=bench.spec.retrieved if retrieve else 0), found
    return [measured[name] for name in arms]


def collect_arms(bench: Bench, measured: Sequence[tuple[Arm, Measured]], demos: int) -> ArmsResult:
    """Every figure of every arm, its difference to the base, Holm over all."""
    base = {series.place: series for series in measured[0][1].series()}
    rows = [(arm, _figures(bench, None if place == 0 else base, found)) for place, (arm, found) in enumerate(measured)]
    tested = [(place, number) for place, (_, figures) in enumerate(rows) for number, figure in enumerate(figures) if figure.difference is not None]
    adjusted = adjust_holm([difference for _, figures in rows for figure in figures if (difference := figure.difference) is not None])
    corrected: Mapping[tuple[int, int], PairedDifference] = dict(zip(tested, adjusted, strict=True))
    arms = tuple(
        ArmFigures(
            arm=arm,
            figures=tuple(
                figure.model_copy(update={"difference": corrected.get((place, number), figure.difference)}) for number, figure in enumerate(figures)
            ),
        )
        for place, (arm, figures) in enumerate(rows)
    )
    cards = {run.spec.task: run.card for _, found in measured for run in found.runs}
    return ArmsResult(
        spec=bench.spec, demos=demos, arms=arms, tasks=cards, comparisons=len(adjusted), notes=missing_tasks(bench.suite, measured[0][1])
    )


def _figures(bench: Bench, base: Mapping[tuple[str, Language, str], Series] | None, found: Measured) -> list[Figure]:
    figures = []
    for series in found.series():
        before = None if base is None else base.get(series.place)
        difference, unpaired = compare_series(before, [series], resampling=bench.resampling) if before is not None else (None, 0)
        estimate = estimate_series([series], resampling=bench.resampling)
        figures.append(
            Figure(
                task=series.task, language=series.language, card=series.card, estimate=estimate, difference=difference, unpaired=unpaired
            )
        )  # fmt: skip
    return figures


def missing_tasks(suite: Suite, found: Measured) -> tuple[Bilingual, ...]:
    """A note for each task and language of the suite that was not run for want of data."""
    done = {(run.spec.task, run.language) for run in found.runs}
    asked = [(entry.task, language) for entry in suite.tasks for language in entry.languages]
    return tuple(
        Bilingual(zh=f"{task}（{language}）没有数据，未测。", en=f"{task} ({language}) has no data here and was not measured.")
        for task, language in asked
        if (task, language) not in done
    )
