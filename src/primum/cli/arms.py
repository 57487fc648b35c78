"""``primum arms``: ways of making one model safer side by side, or one way at growing doses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from primum.cli.options import (
    CacheOption,
    DataOption,
    JsonOption,
    ModelOption,
    OfflineOption,
    OutOption,
    checked_cache,
    run_async,
    settings_from,
    slug,
)
from primum.cli.training_options import PresetOption, RecipeOption, SharesOption, parse_shares, read_recipes

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from typing import TypeVar

    from primum.alignment.arms import Bench
    from primum.alignment.suite import Suite
    from primum.config import Settings
    from primum.schema.arms import ArmsResult, ArmsSpec, DoseResult

    T = TypeVar("T")

NormsOption = Annotated[Path | None, typer.Option("--norms", help="Folder of norm files to retrieve from (default: ours).", show_default=False)]
AdapterOption = Annotated[
    list[str] | None, typer.Option("--adapter", help="Use an adapter instead of training one: sft=FOLDER or sft+dpo=FOLDER.", show_default=False)
]
RetrievedOption = Annotated[int, typer.Option("--retrieved", min=1, help="Norms put before each prompt in retrieval arms.")]
SeedOption = Annotated[int, typer.Option("--seed", help="Decides which demonstrations, the training, intervals.")]
_TRAINABLE = ("embedded", "hf")
_GIVEN = ("sft", "sft+dpo")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("arms", help="Compare base, retrieval, SFT, SFT+DPO and their mixtures on the same items; or --dose: one SFT per number.")(
        arms_command
    )


def arms_command(  # noqa: D103 - the help text is given on registration
    model: ModelOption = "embedded",
    arms: Annotated[str, typer.Option("--arms", help="base, retrieval, sft, sft+retrieval, sft+dpo, sft+dpo+retrieval.")] = "base,retrieval,sft",
    dose: Annotated[str, typer.Option("--dose", help="Numbers of demonstrations instead of arms: 0,50,100,200.", show_default=False)] = "",
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Draws and trainings of each dose.")] = 1,
    suite: Annotated[str, typer.Option("--suite", help="A packaged suite (primum align suites) or a YAML file.")] = "align-small",
    demos: Annotated[int, typer.Option("--demos", min=1, help="Demonstrations of the fine-tuned arms.")] = 200,
    mix: Annotated[str, typer.Option("--mix", help="medical, general or both.")] = "medical",
    shares: SharesOption = "",
    retrieved: RetrievedOption = 3,
    norms: NormsOption = None,
    adapter: AdapterOption = None,
    preset: PresetOption = "cpu",
    recipe: RecipeOption = None,
    seed: SeedOption = 0,
    data: DataOption = None,
    out: OutOption = None,
    cache: CacheOption = "auto",
    offline: OfflineOption = False,
    json: JsonOption = False,
) -> None:
    from primum.alignment.arms import check_arms, run_arms
    from primum.alignment.composition import SHARES
    from primum.alignment.dose import parse_doses, run_dose
    from primum.alignment.suite import load_suite
    from primum.errors import UsageError
    from primum.registry import nearest

    names = check_arms([name.strip() for name in arms.split(",") if name.strip()])
    doses = parse_doses(dose) if dose else ()
    if mix not in SHARES:
        raise UsageError(f"--mix {mix!r} is not known", remedy=nearest(mix, SHARES))
    settings, loaded = settings_from(data, offline), load_suite(suite)
    spec = make_spec(
        model=model, suite=loaded, shares=parse_shares(shares) or SHARES[mix], retrieved=retrieved, preset=preset, recipe=recipe, seed=seed
    )
    directory = out or Path("arms") / f"{slug(loaded.name)}-{slug(model)[:30]}"
    retrieves = not doses and any("retrieval" in name for name in names)

    def work(bench: Bench) -> Coroutine[Any, Any, ArmsResult | DoseResult]:
        return run_dose(bench, doses, seeds=seeds) if doses else run_arms(bench, names, demos=demos)

    shelf = norms_shelf(norms, retrieved) if retrieves else None
    result = run_on_bench(work, spec=spec, suite=loaded, settings=settings, directory=directory, shelf=shelf, given=read_given(adapter), cache=cache)
    _write(result, directory, json=json)


def make_spec(*, model: str, suite: Suite, shares: Mapping[Any, float], retrieved: int, preset: str, recipe: Path | None, seed: int) -> ArmsSpec:
    """The spec of a command line.

    Raises:
        UnknownNameError: No such preset; names the nearest.
        ConfigError: The recipe file does not fit.
    """
    from primum.hashing import sha256_of
    from primum.schema.arms import ArmsSpec

    supervised, preferences = read_recipes(preset, recipe, seed=seed)
    return ArmsSpec(
        model=model, suite=suite.name, suite_sha256=sha256_of([suite.seed, suite.level, suite.tasks]), shares=dict(shares), retrieved=retrieved,
        recipe=supervised, preference=preferences, seed=seed, level=suite.level,
    )  # fmt: skip


def read_given(adapters: list[str] | None) -> dict[str, Path]:
    """``sft=FOLDER`` entries.

    Raises:
        UsageError: An entry is not of this form, or names another arm.
    """
    from primum.errors import UsageError
    from primum.registry import nearest

    found: dict[str, Path] = {}
    for entry in adapters or []:
        name, mark, folder = entry.partition("=")
        if not mark or not folder or name not in _GIVEN:
            raise UsageError(f"--adapter {entry!r} is not ARM=FOLDER", remedy=nearest(name, _GIVEN))
        found[name] = Path(folder)
    return found


def norms_shelf(folder: Path | None, retrieved: int) -> Any:
    """The norms to retrieve from.

    Raises:
        DataMissingError: The folder holds none.
        ConfigError: A file does not fit.
    """
    from primum.alignment.retrieval_engine import NormShelf
    from primum.norms.library import all_norms, load_norm_files, packaged_norms
    from primum.norms.retrieval import NormIndex

    files = packaged_norms() if folder is None else load_norm_files(folder)
    return NormShelf(NormIndex(tuple(all_norms(files))), retrieved)


def run_on_bench(
    work: Callable[[Bench], Coroutine[Any, Any, T]],
    *,
    spec: ArmsSpec,
    suite: Suite,
    settings: Settings,
    directory: Path,
    shelf: Any,
    given: Mapping[str, Path],
    cache: str,
) -> T:
    """Set up trainer, models and displays, do the work, and close what was opened.

    Raises:
        UsageError: The folder's name cannot stand in a model URI.
    """
    from primum.alignment.arm_training import Teacher
    from primum.alignment.arms import Bench
    from primum.alignment.arms_material import Material
    from primum.alignment.measuring import Engines
    from primum.alignment.training_port import LocalTrainer
    from primum.cli.console import note, progress_displays
    from primum.engines.opening import open_engine
    from primum.errors import UsageError

    if any(mark in str(directory) for mark in "+?"):
        raise UsageError(f"{directory}: a folder of adapters may hold neither + nor ? in its name", remedy="choose another folder with --out")
    if shelf is not None:
        spec = spec.model_copy(update={"norms_sha256": shelf.sha256})
    with progress_displays() as display:
        teacher = None
        if spec.model.partition(":")[0] in _TRAINABLE:
            trainer, folder = LocalTrainer(spec.model, settings, display), directory / "training"
            material = Material(spec.shares, settings.data, trainer, spec.recipe.max_tokens, suite.tasks, folder)
            teacher = Teacher(trainer, material, spec.recipe, spec.preference, folder, dict(given), note)
        engines = Engines(open_engine)
        bench = Bench(
            spec=spec, suite=suite, teacher=teacher, shelf=shelf, engines=engines, directory=directory, settings=settings, progress_for=display,
            cache=checked_cache(cache),  # type: ignore[arg-type]
        )  # fmt: skip

        async def run() -> T:
            try:
                return await work(bench)
            finally:
                await engines.close()

        return run_async(run())


def _write(result: ArmsResult | DoseResult, directory: Path, *, json: bool) -> None:
    from primum.cli.console import print_json, say
    from primum.report.arms_page import render_arms
    from primum.runs import layout
    from primum.schema.arms import ArmsResult

    if isinstance(result, ArmsResult):
        page = directory / "arms.html"
        layout.write_bytes(page, render_arms(result).encode())
    else:
        page = write_dose(result, directory)
    if json:
        print_json({**result.model_dump(mode="json"), "directory": str(directory), "page": str(page)})
        return
    if isinstance(result, ArmsResult):
        _print_arms(result)
    else:
        print_dose(result)
    for told in result.notes:
        say(f"note: {told.en}")
    say(f"page: {page}")


def write_dose(result: DoseResult, directory: Path) -> Path:
    """``dose.html``, and the picture as a file in each language; returns the page."""
    from primum.report.dose_page import draw_dose_file, render_dose
    from primum.runs import layout
    from primum.schema.base import LANGUAGES

    page = directory / "dose.html"
    layout.write_bytes(page, render_dose(result).encode())
    for language in LANGUAGES:
        layout.write_bytes(directory / f"dose-{language}.svg", draw_dose_file(result, language).encode())
    return page


def _print_arms(result: ArmsResult) -> None:
    from primum.cli.console import print_table
    from primum.cli.format import interval_text, unscored_text

    rows = [
        [
            arm.arm.name, figure.task, figure.language, figure.card.name, interval_text(figure.estimate), figure.estimate.n,
            unscored_text(figure.estimate), *difference_cells(figure.difference),
        ]
        for arm in result.arms
        for figure in arm.figures
    ]  # fmt: skip
    rows.sort(key=lambda row: (row[1], row[3], row[2]))
    columns = ("arm", "task", "asked", "metric", "estimate [95 %]", "n", "unscored", "to base [95 %]", "p (Holm)")
    print_table(f"{result.spec.model}: {len(result.arms)} arms, Holm over {result.comparisons} comparisons", columns, rows)


def print_dose(result: DoseResult) -> None:
    """The table of a dose curve."""
    from primum.cli.console import print_table
    from primum.cli.format import interval_text, unscored_text

    rows = [
        [
            point.task, point.card.name, point.language, point.dose, interval_text(point.estimate), point.estimate.n,
            unscored_text(point.estimate), *difference_cells(point.difference),
        ]
        for point in result.points
    ]  # fmt: skip
    columns = ("task", "metric", "asked", "dose", "estimate [95 %]", "n", "unscored", "to dose 0 [95 %]", "p (Holm)")
    print_table(f"{result.spec.model}: doses {', '.join(map(str, result.doses))}; seeds {', '.join(map(str, result.seeds))}", columns, rows)


def difference_cells(difference: Any) -> list[str]:
    """A difference with its interval and Holm's p, or two dashes."""
    if difference is None:
        return ["-", "-"]
    p = difference.p_value if difference.p_holm is None else difference.p_holm
    return [f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]", f"{p:.4f}"]
