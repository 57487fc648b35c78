"""A paper's experiment on whatever model is given: run its arms, break them down, and put the published figures beside ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from primum.alignment import recipes_a, recipes_b, recipes_c
from primum.alignment.arm_scores import Series, compare_series, estimate_series, read_quality_points
from primum.alignment.arms import Bench, Measured, collect_arms, measure_arms, missing_tasks
from primum.alignment.dose import run_dose
from primum.alignment.recipe import PaperRecipe
from primum.config import load_model
from primum.errors import ConfigError, UnknownNameError
from primum.registry import nearest
from primum.runs import layout
from primum.schema.arms import Arm
from primum.schema.base import Bilingual
from primum.schema.reproduction import ComparedRow, OurFigure, OursRef, Published, PublishedFile, Reproduction
from primum.stats.multiplicity import adjust_holm

RESULT: Final = "reproduction.json"
RECIPES: Final[Mapping[str, PaperRecipe]] = {recipe.paper: recipe for recipe in (recipes_a.RECIPE, recipes_b.RECIPE, recipes_c.RECIPE)}
_NOT_TRAINED: Final = Bilingual(
    zh="没有训练（--no-train），只测了原模型与检索。", en="Nothing was trained (--no-train): the base and retrieval only."
)


def find_recipe(paper: str) -> PaperRecipe:
    """The recipe of a paper.

    Raises:
        UnknownNameError: There is none; names those that are.
    """
    if paper not in RECIPES:
        raise UnknownNameError(f"no recipe for paper {paper!r}; papers are {', '.join(RECIPES)}", remedy=nearest(paper, RECIPES))
    return RECIPES[paper]


def load_published(paper: str) -> PublishedFile:
    """What a paper published.

    Raises:
        ConfigError: The file does not fit, names a figure twice, or points at a task or arm that the recipe does not run.
    """
    path = Path(str(resources.files("primum") / "data" / "reproduce" / f"{paper}.yaml"))
    return check_published(load_model(path, PublishedFile), find_recipe(paper), path)


def check_published(file: PublishedFile, recipe: PaperRecipe, path: Path) -> PublishedFile:
    """The same file, once its ids differ and its references lead somewhere; raises as :func:`load_published`."""
    ids = [figure.id for figure in file.figures]
    if doubled := [name for name in ids if ids.count(name) > 1]:
        raise ConfigError(f"{path}: figure {doubled[0]} stands twice", remedy="give each figure its own id")
    tasks = {entry.task for entry in recipe.tasks}
    for figure in file.figures:
        if figure.ours is not None and (figure.ours.task not in tasks or figure.ours.arm not in recipe.arms):
            raise ConfigError(f"{path}: figure {figure.id} points at a task or arm that is not run", remedy=f"tasks are {', '.join(sorted(tasks))}")
    for board in file.boards:
        for row in board.rows:
            if len(row.values) != len(board.columns):
                raise ConfigError(f"{path}: leaderboard row {row.who} has {len(row.values)} values for {len(board.columns)} columns")
    return file


async def run_reproduction(
    bench: Bench,
    recipe: PaperRecipe,
    published: PublishedFile,
    *,
    demos: int | None = None,
    doses: Sequence[int] | None = None,
    train: bool = True,
    limit: int | None = None,
) -> Reproduction:
    """Run a recipe and put ours beside the published figures; writes ``reproduction.json``, and ``dose.json`` where there are doses.

    Args:
        bench: Model, the recipe's suite, and folders.
        recipe: The paper's design.
        published: Its figures.
        demos: Demonstrations of the fine-tuned arms; None takes the recipe's number, or as many as there are.
        doses: Of the dose curve; empty for none; None takes the recipe's, cut in the same way.
        train: False leaves out every arm that needs a training.
        limit: Told to readers: items of each task.

    Raises:
        UsageError: A training needs weights that are not here, or more demonstrations than there are.
        DataMissingError: The paper's data are not in the data folder.
        IntegrityError: The folder holds something else.
    """
    names = recipe.arms if train else tuple(name for name in recipe.arms if not name.startswith("sft"))
    plan = _plan(bench, recipe, demos, doses) if train else _Plan(0, ())
    measured = await measure_arms(bench, names, demos=plan.demos)
    curve = bool(train and plan.doses)
    if curve:
        await run_dose(bench, plan.doses)
    details = tuple(_details(bench, recipe, measured))
    arms = collect_arms(bench, measured, plan.demos)
    result = Reproduction(
        paper=recipe.paper,
        title=published.title,
        citation=published.citation,
        design=published.design,
        ours=published.ours,
        spec=bench.spec,
        demos=arms.demos,
        limit=limit,
        arms=tuple(arm for arm, _ in measured),
        rows=tuple(_rows([_as_run(figure, limit) for figure in published.figures], details)),
        details=details,
        boards=published.boards,
        tasks=arms.tasks,
        dose=curve,
        notes=(*missing_tasks(bench.suite, measured[0][1]), *plan.notes, *(() if train else (_NOT_TRAINED,))),
    )
    layout.write_json(bench.directory / RESULT, result.model_dump(mode="json"))
    return result


@dataclass(frozen=True)
class _Plan:
    """How much is taught, and why it is less than the paper's."""

    demos: int
    doses: tuple[int, ...]
    notes: tuple[Bilingual, ...] = ()


def _plan(bench: Bench, recipe: PaperRecipe, demos: int | None, doses: Sequence[int] | None) -> _Plan:
    """The user's numbers as they stand; the recipe's own cut to what is there once near repetitions of test texts are left out."""
    if bench.teacher is None or any(name in bench.teacher.given for name in recipe.arms):
        return _Plan(demos or recipe.demos, tuple(doses or ()))
    wanted = max(recipe.demos, *recipe.doses, 1)
    there = wanted if demos is not None and doses is not None else bench.teacher.material.at_most(wanted, seed=bench.spec.seed)
    notes: tuple[Bilingual, ...] = ()
    if there < wanted:
        notes = (
            Bilingual(
                zh=f"示范共 {there} 条可用，少于设计的 {wanted} 条：其余的过长，或与测试文本过于接近。",
                en=f"There are {there} demonstrations instead of the {wanted} of the design: the others are too long or too near a test text.",
            ),
        )
    cut = tuple(sorted({min(dose, there) for dose in recipe.doses})) if doses is None else tuple(doses)
    return _Plan(min(recipe.demos, there) if demos is None else demos, cut, notes)


def _details(bench: Bench, recipe: PaperRecipe, measured: Sequence[tuple[Arm, Measured]]) -> Iterator[OurFigure]:
    """Overall figures, then each breakdown, of every arm."""
    groups = sorted(set(recipe.groups.values()))
    for group in ["", *groups]:
        base = {series.place: series for series in _all_series(measured[0][1], group)}
        for place, (arm, found) in enumerate(measured):
            for series in _all_series(found, group):
                if not group or recipe.groups.get(series.task) == group:
                    yield from _figures(bench, arm, series, None if place == 0 else base.get(series.place), group)


def _all_series(found: Measured, group: str) -> list[Series]:
    return [*found.series(group), *read_quality_points(found.directory, found.runs, group=group)]


def _figures(bench: Bench, arm: Arm, series: Series, before: Series | None, group: str) -> list[OurFigure]:
    names = _natural({sample.group for sample in series.samples.values()} - {""}) if group else [""]
    figures = [
        OurFigure(
            arm=arm.name,
            task=series.task,
            language=series.language,
            card=series.card,
            estimate=estimate_series([series], resampling=bench.resampling, group=group, name=name),
            difference=None if before is None else compare_series(before, [series], resampling=bench.resampling, group=group, name=name)[0],
            group=group,
            name=name,
        )
        for name in names
    ]
    tested = [number for number, figure in enumerate(figures) if figure.difference is not None]
    adjusted = adjust_holm([difference for figure in figures if (difference := figure.difference) is not None])
    for number, difference in zip(tested, adjusted, strict=True):
        figures[number] = figures[number].model_copy(update={"difference": difference})
    return figures


def _natural(names: set[str]) -> list[str]:
    """E2 before E10, 9 before 10."""
    return sorted(names, key=lambda name: (name.rstrip("0123456789"), len(name), name))


def _rows(figures: Sequence[Published], details: Sequence[OurFigure]) -> Iterator[ComparedRow]:
    """One row a published figure, in as many languages as were asked; one without ours where it was not measured."""
    for figure in figures:
        found = [ours for ours in details if figure.ours is not None and _is(ours, figure.ours)]
        if not found:
            yield ComparedRow(published=figure)
        yield from (ComparedRow(published=figure, ours=ours) for ours in found)


def _as_run(figure: Published, limit: int | None) -> Published:
    """A sample of the items is not the published measurement, whatever else agrees."""
    if not figure.comparable or limit is None:
        return figure
    why = Bilingual(zh=f"只测了部分题目（--limit {limit}）。{figure.why.zh}", en=f"Only some items were asked (--limit {limit}). {figure.why.en}")
    return figure.model_copy(update={"comparable": False, "why": why})


def _is(ours: OurFigure, wanted: OursRef) -> bool:
    same = (ours.arm, ours.task, ours.card.name, ours.group, ours.name) == (wanted.arm, wanted.task, wanted.metric, wanted.group, wanted.name)
    return same and not (wanted.change and ours.difference is None)
