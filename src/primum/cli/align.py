"""``primum align``, ``primum align review export|import``, ``primum align status`` and ``primum align suites``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from primum.cli.options import DataOption, JsonOption, ModelOption, OfflineOption, OutOption, run_async, settings_from, slug
from primum.cli.training_options import PresetOption, RecipeOption, SharesOption, parse_shares, read_recipes

if TYPE_CHECKING:
    from primum.alignment.suite import Suite
    from primum.alignment.workflow import AlignOrder
    from primum.config import Settings
    from primum.schema.alignment import AlignmentResult, AlignmentSpec, LoopSizes

_METHODS = ("sft", "sft+dpo", "sft+kto")
_MIXES = ("medical", "general", "both")
FolderArgument = Annotated[Path, typer.Argument(help="Folder that primum align wrote.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        invoke_without_command=True,
        help="Align a model in rounds under the guardian and people, keep the best round, and certify what changed.",
        rich_markup_mode=None,
    )
    group.callback()(align_command)
    group.command("status", help="What an alignment has done so far.")(status_command)
    group.command("suites", help="List the suites that ship with Primum.")(suites_command)
    review = typer.Typer(help="Answers that people should see: out as a blind sheet, back in as labels.", rich_markup_mode=None)
    review.command("export", help="Write answers without a label to a blind .csv or .jsonl sheet.")(export_command)
    review.command("import", help="Add a sheet's labels (accept, reject, unsure); they change the next round's data.")(import_command)
    group.add_typer(review, name="review")
    app.add_typer(group, name="align")


def align_command(  # noqa: D103 - the help text is given on registration
    context: typer.Context,
    model: ModelOption = "embedded",
    method: Annotated[str, typer.Option("--method", help=", ".join(_METHODS) + ".")] = "sft",
    suite: Annotated[str, typer.Option("--suite", help="A packaged suite (primum align suites) or a YAML file.")] = "align-small",
    demos: Annotated[int | None, typer.Option("--demos", min=1, help="Demonstrations of a round (default: the suite's).", show_default=False)] = None,
    mix: Annotated[str, typer.Option("--mix", help=", ".join(_MIXES) + ".")] = "both",
    shares: SharesOption = "",
    rounds: Annotated[int | None, typer.Option("--rounds", min=1, help="Most rounds (default: the suite's).", show_default=False)] = None,
    engine: Annotated[str, typer.Option("--engine", help="URI of what samples the answers (default: the model itself).", show_default=False)] = "",
    preset: PresetOption = "cpu",
    recipe: RecipeOption = None,
    search: Annotated[bool, typer.Option("--search", help="Choose the rate on validation demonstrations in the first round; never on test.")] = False,
    demo_tokens: Annotated[int | None, typer.Option("--demo-tokens", min=16, help="Longest demonstration in tokens.", show_default=False)] = None,
    seed: Annotated[int, typer.Option("--seed", help="Decides prompts, sampling, data and training.")] = 0,
    data: DataOption = None,
    out: OutOption = None,
    offline: OfflineOption = False,
    calibration: Annotated[
        list[Path] | None, typer.Option("--calibration", help="calibration.json of primum judge calibrate: your own labels.", show_default=False)
    ] = None,
    json: JsonOption = False,
) -> None:
    if context.invoked_subcommand is not None:
        return
    from primum.alignment.suite import load_suite
    from primum.cli.console import print_json
    from primum.hashing import sha256_of

    settings = settings_from(data, offline)
    loaded = load_suite(suite)
    changed = {"demos": demos, "rounds": rounds, "demo_tokens": demo_tokens, "shares": parse_shares(shares) or None}
    sizes = _sizes(loaded, {name: value for name, value in changed.items() if value is not None})
    supervised, preferences = read_recipes(preset, recipe, seed=seed)
    preferences = preferences.model_copy(update={"method": "kto" if method == "sft+kto" else "dpo", "seed": seed})
    spec = _spec(
        model=model, engine=engine, method=method, mix=mix, suite=suite, suite_sha256=sha256_of(_suite_document(loaded)), sizes=sizes,
        recipe=supervised, preference=preferences, search=search, seed=seed,
    )  # fmt: skip
    identity = sha256_of({**spec.model_dump(mode="json"), "sizes": sizes.model_dump(mode="json", exclude={"rounds"})})
    directory = out or Path("alignments") / f"{slug(loaded.name)}-{slug(model)[:30]}-{identity[:8]}"
    result = _run(spec, loaded, directory, settings, calibration or [])
    certificate = _certify(directory, settings, calibration or [])
    document = {**result.model_dump(mode="json"), "directory": str(directory), "certificate": str(certificate)}
    if json:
        print_json(document)
    else:
        _print_result(result, directory, certificate)
    if not result.best:
        raise typer.Exit(1)


def _suite_document(suite: Suite) -> dict[str, Any]:
    return {"seed": suite.seed, "level": suite.level, "probe": suite.probe, "validation": suite.validation, "tasks": suite.tasks}


def _sizes(suite: Suite, changed: dict[str, Any]) -> LoopSizes:
    from primum.config import parse_model
    from primum.schema.alignment import LoopSizes

    return parse_model({**suite.loop.model_dump(), **changed}, LoopSizes, "command line")


def _spec(**fields: Any) -> AlignmentSpec:
    """The checked spec.

    Raises:
        UsageError: A method or mix is not known; names the nearest.
    """
    from primum.config import parse_model
    from primum.errors import UsageError
    from primum.registry import nearest
    from primum.schema.alignment import AlignmentSpec

    for name, known in (("method", _METHODS), ("mix", _MIXES)):
        if fields[name] not in known:
            raise UsageError(f"--{name} {fields[name]!r} is not known", remedy=nearest(fields[name], known))
    return parse_model(
        {name: getattr(value, "model_dump", lambda value=value: value)() for name, value in fields.items()}, AlignmentSpec, "command line"
    )


def _run(spec: AlignmentSpec, suite: Suite, directory: Path, settings: Settings, calibrations: list[Path]) -> AlignmentResult:
    from primum.alignment.judging import PackagedJudge
    from primum.alignment.training_port import LocalTrainer
    from primum.alignment.workflow import AlignOrder, align
    from primum.audit.standing import find_standing, load_standing, packaged_standings
    from primum.cli.console import progress_displays
    from primum.engines.opening import open_engine
    from primum.errors import UsageError

    if any(mark in str(directory) for mark in "+?"):
        raise UsageError(f"{directory}: a folder of adapters may hold neither + nor ? in its name", remedy="choose another folder with --out")
    # Read before anything is computed: a file that does not fit must not cost an alignment.
    standings = [*packaged_standings(), *(load_standing(path) for path in calibrations)]
    judge = PackagedJudge()

    def is_certified(card: Any, task: str, language: str) -> bool:
        standing = find_standing(standings, card, task=task, language=language, judge_sha256=judge.sha256)
        return standing is not None and language in standing.certified

    with progress_displays() as display:
        trainer = LocalTrainer(spec.model, settings, display)
        order: AlignOrder = AlignOrder(
            spec=spec, suite=suite, out=directory, settings=settings, trainer=trainer, open_engine=open_engine, judge=judge, progress_for=display,
            is_certified=is_certified,
        )  # fmt: skip
        return run_async(align(order))


def _certify(directory: Path, settings: Settings, calibrations: list[Path]) -> Path:
    """The certificate's page; where training and test overlap there is none, and the command says so."""
    from primum.alignment.certificate import write_certificate
    from primum.cli.console import note

    return write_certificate(directory, settings=settings, calibrations=calibrations, note=note)


def _print_result(result: AlignmentResult, directory: Path, certificate: Path) -> None:
    from primum.cli.console import print_table, say

    rows = [
        [
            decision.round,
            _points(decision.gain),
            "; ".join(f"{guard.difference.metric} {_points(guard.difference)}" for guard in decision.guards) or "none measured",
            "yes" if decision.better else "no",
        ]
        for decision in result.rounds
    ]
    print_table("rounds, on validation norms", ("round", "gain, points [interval]", "guard rails, points", "better"), rows)
    for decision in result.rounds:
        say(f"round {decision.round}: {decision.why.en}")
    for text in result.notes:
        say(f"note: {text}")
    best = f"round {result.best}: {result.best_uri}" if result.best else "the base: no round was better"
    say(f"best: {best}")
    say(f"folder: {directory}")
    say(f"certificate: {certificate}")


def _points(difference: Any) -> str:
    return f"{100 * difference.value:+.1f} [{100 * difference.low:+.1f}, {100 * difference.high:+.1f}]"


def export_command(  # noqa: D103
    directory: FolderArgument,
    sheet: Annotated[Path, typer.Argument(help="Sheet to write: .csv or .jsonl.")],
    seed: Annotated[int, typer.Option("--seed", help="Decides the order of rows.")] = 0,
    json: JsonOption = False,
) -> None:
    from primum.alignment.review import export_sheet
    from primum.cli.console import print_json, say

    rows = export_sheet(directory, sheet, seed=seed)
    if json:
        print_json({"sheet": str(sheet), "rows": rows})
    else:
        say(f"{rows} answers in {sheet}: write accept, reject or unsure into label, and your name into who")


def import_command(  # noqa: D103
    directory: FolderArgument,
    sheet: Annotated[Path, typer.Argument(help="Sheet with labels: .csv, .tsv, .jsonl or .json.")],
    who: Annotated[str, typer.Option("--who", help="Who labelled, for rows that do not say.", show_default=False)] = "",
    json: JsonOption = False,
) -> None:
    from primum.alignment.review import import_labels
    from primum.cli.console import print_json, say

    added, changed = import_labels(directory, sheet, who=who)
    if json:
        print_json({"sheet": str(sheet), "added": added, "changed": changed})
    else:
        say(f"{added} labels added, {changed} of them in place of an earlier one; the next round's data follow them")


def status_command(directory: FolderArgument, json: JsonOption = False) -> None:  # noqa: D103
    from primum.alignment.status import read_status
    from primum.cli.console import print_json, print_table, say

    status = read_status(directory)
    if json:
        print_json(status)
        return
    rows = [
        [part["folder"], step["step"], f"{step['seconds']:.1f}", ", ".join(step["files"])] for part in status["folders"] for step in part["steps"]
    ]
    print_table("finished steps", ("part", "step", "seconds", "files"), rows)
    for decision in status["decisions"]:
        say(f"round {decision['round']}: {decision['why']['en']}")
    say(f"answers for people: {status['review']['waiting']} waiting, {status['review']['labelled']} labelled")
    say("finished" if status["finished"] else "not finished: run the same primum align command again, it resumes")


def suites_command(json: JsonOption = False) -> None:  # noqa: D103
    from primum.alignment.suite import load_suite, packaged_suites
    from primum.cli.console import print_json, print_table

    suites = {name: load_suite(name) for name in packaged_suites()}
    if json:
        print_json({"suites": [{"name": name, **_plain(suite)} for name, suite in suites.items()]})
        return
    rows = [
        [name, len(suite.tasks), suite.loop.rounds, suite.loop.demos, suite.loop.prompts, suite.loop.samples, suite.loop.demo_tokens]
        for name, suite in suites.items()
    ]
    print_table("", ("suite", "tasks", "rounds", "demonstrations", "prompts", "samples", "tokens of a demonstration"), rows)


def _plain(suite: Suite) -> dict[str, Any]:
    tasks = {part: [entry.model_dump(mode="json") for entry in getattr(suite, part)] for part in ("probe", "validation", "tasks")}
    return {"seed": suite.seed, "level": suite.level, "loop": suite.loop.model_dump(mode="json"), **tasks}
