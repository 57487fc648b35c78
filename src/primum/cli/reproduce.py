"""``primum reproduce a|b|c``: a paper's experiment on a model of one's own, beside the published figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from primum.cli.arms import (
    AdapterOption,
    NormsOption,
    RetrievedOption,
    SeedOption,
    make_spec,
    norms_shelf,
    print_dose,
    read_given,
    run_on_bench,
    write_dose,
)
from primum.cli.options import CacheOption, DataOption, JsonOption, ModelOption, OfflineOption, OutOption, settings_from, slug
from primum.cli.training_options import PresetOption, RecipeOption

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from primum.alignment.arms import Bench
    from primum.schema.reproduction import Reproduction

# Of sampling and intervals; the recipes' suites have no file that names one.
_SUITE_SEED = 20261121


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "reproduce", help="Repeat a paper's experiment: a (2505.07205), b (2601.07954) or c (2403.03744); ours beside the published figures."
    )(reproduce_command)


def reproduce_command(  # noqa: D103 - the help text is given on registration
    paper: Annotated[str, typer.Argument(help="a, b or c.")],
    model: ModelOption = "embedded",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Items of each task.", show_default=False)] = None,
    train: Annotated[bool, typer.Option("--train/--no-train", help="Leave out what needs a training.")] = True,
    demos: Annotated[int | None, typer.Option("--demos", min=1, help="Demonstrations (default: the recipe's).", show_default=False)] = None,
    dose: Annotated[str, typer.Option("--dose", help="Doses of the curve (default: the recipe's); 0 for none.", show_default=False)] = "",
    retrieved: RetrievedOption = 3,
    norms: NormsOption = None,
    adapter: AdapterOption = None,
    preset: PresetOption = "paper-c",
    recipe: RecipeOption = None,
    seed: SeedOption = 0,
    data: DataOption = None,
    out: OutOption = None,
    cache: CacheOption = "auto",
    offline: OfflineOption = False,
    json: JsonOption = False,
) -> None:
    from primum.alignment.dose import parse_doses
    from primum.alignment.reproduce import find_recipe, load_published, run_reproduction
    from primum.alignment.suite import Suite

    found, published = find_recipe(paper), load_published(paper)
    doses = () if dose.strip() == "0" else parse_doses(dose) if dose else None
    settings = settings_from(data, offline)
    suite = Suite(tasks=found.limited(limit), seed=_SUITE_SEED, level=0.95, name=f"reproduce-{paper}")
    spec = make_spec(model=model, suite=suite, shares=found.shares, retrieved=retrieved, preset=preset, recipe=recipe, seed=seed)
    directory = out or Path("reproductions") / f"{paper}-{slug(model)[:30]}"

    def work(bench: Bench) -> Coroutine[Any, Any, Reproduction]:
        return run_reproduction(bench, found, published, demos=demos, doses=doses, train=train, limit=limit)

    shelf = norms_shelf(norms, retrieved) if any("retrieval" in name for name in found.arms) else None
    result = run_on_bench(work, spec=spec, suite=suite, settings=settings, directory=directory, shelf=shelf, given=read_given(adapter), cache=cache)
    _write(result, directory, json=json)


def _write(result: Reproduction, directory: Path, *, json: bool) -> None:
    from primum.alignment.dose import RESULT
    from primum.cli.console import print_json, say
    from primum.report.reproduction_page import render_reproduction
    from primum.runs import layout
    from primum.schema.arms import DoseResult

    page = directory / "reproduction.html"
    layout.write_bytes(page, render_reproduction(result).encode())
    curve = DoseResult.model_validate(layout.read_json(directory / RESULT)) if result.dose else None
    if curve is not None:
        write_dose(curve, directory)
    if json:
        print_json({**result.model_dump(mode="json"), "directory": str(directory), "page": str(page)})
        return
    _print_rows(result)
    if curve is not None:
        print_dose(curve)
    for told in result.notes:
        say(f"note: {told.en}")
    say(f"page: {page}")


def _print_rows(result: Reproduction) -> None:
    from primum.cli.console import print_table
    from primum.report.reproduction_page import ours_text, published_text

    rows = []
    for row in result.rows:
        ours = ours_text(row)
        published = f"{published_text(row)} {row.published.who}" if row.published.value is not None else "not published"
        asked = "-" if row.ours is None else row.ours.language
        verdict = "comparable" if row.published.comparable else "not comparable"
        told = "not measured" if ours is None else ours.en
        title, why = row.published.title, row.published.why
        rows.append([f"{title.en} / {title.zh}", asked, told, published, verdict, f"{why.en} {why.zh}"])
    print_table(result.citation, ("figure", "asked", "ours", "published", "", "why"), rows)
