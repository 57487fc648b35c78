"""``primum bank annotate``: blind sheets for two physicians, agreement, adjudication."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from primum.cli.options import JsonOption

if TYPE_CHECKING:
    from primum.bank.annotation.agreement import Outcome
    from primum.bank.annotation.project import Plan, Project
    from primum.schema.item import Item

ProjectOption = Annotated[Path, typer.Option("--project", "-p", help="The annotation project's folder.")]
RaterOption = Annotated[str, typer.Option("--rater", "-r", help="The rater's code, such as R1; never a name.")]
AdjudicateOption = Annotated[bool, typer.Option("--adjudicate", help="The third person's sheet: only what the two see differently.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="Two physicians rate items blind; a third settles differences; nothing is overwritten.", no_args_is_help=True, rich_markup_mode=None
    )
    group.command("export", help="Write a rater's blind sheet (.csv or .xlsx): own order, no key, no other label.")(export_command)
    group.command("import", help="Read a sheet that came back; refuses edited ids and letters outside the options.")(import_command)
    group.command("agreement", help="Agreement by dimension, what needs a third person, and what may be called certified.")(agreement_command)
    app.add_typer(group, name="annotate")


def _choice_items(language: str) -> list[Item]:
    from primum.bank.build import build_items, prepare
    from primum.bank.forms.provenance import TASK_CHOICE, TASK_JUDGEMENT
    from primum.errors import UsageError
    from primum.norms.library import packaged_norms
    from primum.schema.base import LANGUAGES

    known = {name: name for name in LANGUAGES}
    if language not in known:
        raise UsageError(f"no language {language!r}", remedy="zh or en")
    return list(build_items(prepare(packaged_norms()), known[language], tasks=(TASK_CHOICE, TASK_JUDGEMENT)))


def _items_of(plan: Plan, folder: Path) -> dict[str, Item]:
    """The plan's items as the bank has them now.

    Raises:
        IntegrityError: The bank changed since the sheets went out.
    """
    from primum.bank.annotation.project import items_hash
    from primum.errors import IntegrityError

    present = {item.id: item for item in _choice_items(plan.language)}
    chosen = [present[identifier] for identifier in plan.items if identifier in present]
    if len(chosen) != len(plan.items) or items_hash(chosen) != plan.items_sha256:
        raise IntegrityError(
            f"{folder}: the bank changed since these sheets were written", remedy="use the version that wrote them, or begin a new project"
        )
    return {item.id: item for item in chosen}


def export_command(  # noqa: D103 - the help text is given on registration
    sheet: Annotated[Path, typer.Argument(help="File to write, .csv or .xlsx.")],
    rater: RaterOption,
    project: ProjectOption = Path("annotation"),
    language: Annotated[str, typer.Option("--language", "-l", help="zh or en.")] = "zh",
    limit: Annotated[int | None, typer.Option(help="Items, spread evenly over the dimensions (default: all).", show_default=False)] = None,
    seed: Annotated[int, typer.Option(help="Decides the drawn items and the sheets' order.")] = 0,
    adjudicate: AdjudicateOption = False,
    json: JsonOption = False,
) -> None:
    from primum.bank.annotation.project import Project
    from primum.bank.annotation.sheets import draw, sheet_rows, write_sheet
    from primum.bank.build import BANK_VERSION
    from primum.cli.console import print_json, say
    from primum.errors import UsageError

    home = Project(project)
    if adjudicate:
        plan = home.plan()
        items = _items_of(plan, project)
        outcome = _outcome(home, items)
        if rater in outcome.raters:
            raise UsageError(f"{rater} is one of the two raters", remedy="the third person must be another one")
        given = _labels_given(home, outcome.disagreements)
        rows = sheet_rows(plan, [items[identifier] for identifier in outcome.disagreements], rater, given=given)
    else:
        chosen = draw(_choice_items(language), limit=limit, seed=seed)
        plan = home.begin(chosen, language=chosen[0].language, seed=seed, version=BANK_VERSION)
        rows = sheet_rows(plan, chosen, rater)
    write_sheet(sheet, rows, plan.language)
    if json:
        print_json({"sheet": str(sheet), "rows": len(rows), "project": str(project)})
    else:
        say(f"{sheet}: {len(rows)} rows for {rater}; project {project}")


def _labels_given(home: Project, disagreements: tuple[str, ...]) -> dict[str, str]:
    """What the two chose, in the alphabet's order, so that nobody can tell who chose what."""
    found: dict[str, list[str]] = {identifier: [] for identifier in disagreements}
    for label in home.labels():
        if label.role == "rater" and label.item in found:
            found[label.item].append("".join(label.letters))
    return {identifier: " / ".join(sorted(letters)) for identifier, letters in found.items()}


def import_command(  # noqa: D103
    sheet: Annotated[Path, typer.Argument(help="The sheet that came back.")],
    rater: RaterOption,
    project: ProjectOption = Path("annotation"),
    adjudicate: AdjudicateOption = False,
    json: JsonOption = False,
) -> None:
    from primum.bank.annotation.project import RATERS, Project
    from primum.bank.annotation.sheets import amendments_of, read_labels
    from primum.cli.console import print_json, say
    from primum.errors import UsageError

    home = Project(project)
    plan = home.plan()
    items = _items_of(plan, project)
    before = home.labels()
    blind = list(dict.fromkeys(label.rater for label in before if label.role == "rater"))
    if any(label.rater == rater for label in before):
        raise UsageError(f"{rater}'s labels are already in {project}", remedy="labels are never overwritten; correct them by adjudication")
    if adjudicate and len(blind) < RATERS:
        raise UsageError("only one of two raters has answered", remedy="import both blind sheets first")
    if not adjudicate and len(blind) >= RATERS:
        raise UsageError(f"{' and '.join(blind)} have already labelled these items: a third label is refused", remedy="import it with --adjudicate")
    when = dt.datetime.now(dt.UTC).date().isoformat()
    labels, unanswered = read_labels(sheet, plan, items, rater, role="adjudicator" if adjudicate else "rater", when=when)
    if not labels:
        raise UsageError(f"{sheet}: no row is answered", remedy="fill in the answer column first")
    amendments = amendments_of(labels, items) if adjudicate else []
    home.add(labels, amendments)
    changed = sum(amendment.before != amendment.after for amendment in amendments)
    if json:
        print_json({"labels": len(labels), "unanswered": len(unanswered), "keys_changed": changed})
    else:
        say(f"{len(labels)} labels of {rater} kept, {len(unanswered)} rows without an answer" + (f", {changed} keys changed" if adjudicate else ""))


def _outcome(home: Project, items: dict[str, Item]) -> Outcome:
    from primum.bank.annotation.agreement import judge

    return judge(list(items.values()), home.labels(), home.amendments())


def agreement_command(  # noqa: D103
    project: ProjectOption = Path("annotation"),
    bar: Annotated[float, typer.Option(help="Least Krippendorff's alpha of a dimension whose items may be certified.")] = 0.667,
    json: JsonOption = False,
) -> None:
    from primum.bank.annotation.agreement import judge
    from primum.bank.annotation.project import Project
    from primum.cli.console import print_json, print_table, say
    from primum.cli.format import interval_text
    from primum.runs import layout

    home = Project(project)
    items = _items_of(home.plan(), project)
    outcome = judge(list(items.values()), home.labels(), home.amendments(), bar=bar)
    layout.write_json(project / "certified.json", {"bar": bar, "certified": list(outcome.certified), "withheld": outcome.withheld})
    if json:
        print_json(outcome.model_dump(mode="json"))
        return
    rows = [
        [
            found.group,
            found.percent.n,
            interval_text(found.percent),
            interval_text(found.kappa),
            interval_text(found.alpha),
            interval_text(found.with_key),
        ]
        for found in outcome.agreements
    ]
    print_table("", ("dimension", "items", "same label", "kappa", "alpha", "labels equal to the key"), rows)
    say(f"{len(outcome.certified)} items may be called certified, {len(outcome.withheld)} are withheld: {project / 'certified.json'}")
    if outcome.disagreements:
        say(f"{len(outcome.disagreements)} for a third person: primum bank annotate export SHEET --rater R3 --adjudicate --project {project}")
