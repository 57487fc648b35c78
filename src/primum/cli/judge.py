"""``primum judge calibrate``: a judge measured against people's labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from primum.cli.options import JsonOption, OfflineOption, OutOption

if TYPE_CHECKING:
    from primum.evaluation.judge_targets import Target
    from primum.evaluation.label_files import LabelFile
    from primum.evaluation.pair_judges import PairJudge
    from primum.schema.judge_calibration import JudgeCalibration


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Judges: measure one against people before its figures are believed.", no_args_is_help=True, rich_markup_mode=None)
    # A group of one command must still be called by that command's name.
    group.callback()(_group)
    group.command("calibrate", help="Compare a judge with people's labels; exit code 0 when certified, 1 when not.")(calibrate_command)
    app.add_typer(group, name="judge")


def _group() -> None:
    """Hold the group's commands."""


def calibrate_command(  # noqa: D103 - the help text is given on registration
    labels: Annotated[Path, typer.Option("--labels", help="People's labels: CSV, TSV, JSONL, JSON or XLSX.")],
    judge: Annotated[str, typer.Option("--judge", help="guardian, or RUBRIC@MODEL such as judge-harmfulness@openai:NAME@URL.")] = "",
    column: Annotated[str, typer.Option("--column", help="Instead: the file's column with a judge's labels or scores.")] = "",
    target: Annotated[str, typer.Option("--target", help="risk, harmfulness, refusal, over_refusal, q1, q2, q3 or q4.")] = "risk",
    columns: Annotated[str, typer.Option("--columns", help="Mapping such as prompt=question,answer=reply,rater_1=A,rater_2=B,score=p.")] = "",
    labels_map: Annotated[str, typer.Option("--labels-map", help="What words mean, such as safe=0,unsafe=1,unsure=skip.")] = "",
    false_block_rate: Annotated[
        float | None, typer.Option("--false-block-rate", help="Also fit the threshold that flags at most this share of benign rows.")
    ] = None,
    groups: Annotated[list[str] | None, typer.Option("--group", help="Column to break figures down by; repeatable.", show_default=False)] = None,
    bar: Annotated[str, typer.Option("--bar", help="Bars on lower ends, such as kappa=0.6,balanced_accuracy=0.8,unscored=0.1.")] = "",
    harmful_from: Annotated[int, typer.Option("--harmful-from", help="Lowest harmfulness that counts as harmful.")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of the two halves and of the bootstrap.")] = 0,
    out: OutOption = None,
    offline: OfflineOption = False,
    json: JsonOption = False,
) -> None:
    from primum.cli.console import print_json
    from primum.cli.options import settings_from, slug
    from primum.evaluation.judge_calibration import CalibrationOrder, calibrate
    from primum.evaluation.judge_targets import find_target, read_bars
    from primum.evaluation.label_files import LabelSpec, read_labels
    from primum.stats.resampling import Resampling
    from primum.tables import read_assignments

    settings_from(None, offline)
    found = find_target(target, harmful_from=harmful_from)
    bars = read_bars({name: _share(text, name) for name, text in read_assignments(bar, "--bar").items()})
    mapping = read_assignments(columns, "--columns")
    spec = LabelSpec(
        path=labels,
        target=found,
        columns=mapping,
        words=read_assignments(labels_map, "--labels-map"),
        column=_one(judge, column),
        groups=groups or (),
    )
    read = read_labels(spec)
    order = CalibrationOrder(
        labels=read,
        target=found,
        judge=_open_judge(judge, read, found, column=column or mapping.get("score", "score")),
        false_block_rate=false_block_rate,
        groups=tuple(groups or ()),
        bars=bars,
        resampling=Resampling(seed=seed),
    )
    calibration = calibrate(order)
    directory = out or Path("calibrations") / f"{slug(calibration.judge)[:30]}-{calibration.target}-{calibration.labels_sha256[:8]}"
    _write(calibration, directory)
    if json:
        print_json({**calibration.model_dump(mode="json"), "directory": str(directory)})
    else:
        _print(calibration, directory)
    if calibration.verdict.decision != "certified":
        raise typer.Exit(1)


def _one(judge: str, column: str) -> str:
    from primum.errors import UsageError

    if judge and column:
        raise UsageError("--judge and --column both name a judge", remedy="give one of them")
    return column


def _open_judge(judge: str, labels: LabelFile, target: Target, *, column: str) -> PairJudge:
    """The judge that was named; those that need models are imported only then."""
    if not judge:
        from primum.evaluation.pair_judges import ColumnPairJudge

        return ColumnPairJudge(labels, column=column)
    from primum.errors import UsageError

    if judge == "guardian":
        return _made("primum.guardian.pair_judge", "GuardianPairJudge", judge, target=target.name)
    rubric, sign, model = judge.partition("@")
    if not (rubric and sign and model):
        raise UsageError(f"--judge {judge!r} names no judge", remedy="guardian, or RUBRIC@MODEL such as judge-harmfulness@openai:NAME@URL")
    return _made("primum.evaluation.judge_pairs", "LlmPairJudge", judge, rubric=rubric, model=model, target=target.name)


def _made(module: str, name: str, judge: str, **arguments: Any) -> PairJudge:
    """Make a judge whose module may not be part of this installation."""
    import importlib

    from primum.errors import UsageError
    from primum.evaluation.pair_judges import PairJudge

    try:
        factory = getattr(importlib.import_module(module), name)
    except (ModuleNotFoundError, AttributeError) as error:
        if isinstance(error, ModuleNotFoundError) and error.name != module:
            raise
        raise UsageError(f"--judge {judge}: this version of Primum has no such judge yet", remedy="export its verdicts and use --column") from error
    made = factory(**arguments)
    if not isinstance(made, PairJudge):
        raise UsageError(f"--judge {judge}: not a judge of pairs", remedy="a judge has a name, a sha256 and judge(pairs)")
    return made


def _share(text: str, name: str) -> float:
    from primum.errors import UsageError

    try:
        return float(text)
    except ValueError as error:
        raise UsageError(f"--bar {name}={text}: not a number", remedy=f"write {name}=0.6") from error


def _write(calibration: JudgeCalibration, directory: Path) -> None:
    from primum.errors import EnvironmentFault
    from primum.evaluation.judge_calibration import threshold_document
    from primum.report.calibration_page import render_calibration
    from primum.runs import layout

    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"{directory}: cannot be made: {error.strerror}", remedy="choose another folder with --out") from error
    layout.write_json(directory / "calibration.json", calibration.model_dump(mode="json"))
    layout.write_bytes(directory / "calibration.html", render_calibration(calibration).encode())
    document = threshold_document(calibration)
    if document is None:
        # One of an earlier calibration would pass for this one's.
        (directory / "threshold.json").unlink(missing_ok=True)
    else:
        layout.write_json(directory / "threshold.json", document)


def _print(calibration: JudgeCalibration, directory: Path) -> None:
    from primum.cli.console import print_table, say
    from primum.cli.format import ESTIMATE_COLUMNS, estimate_rows

    counts = calibration.counts
    overall = [estimate for estimate in calibration.measurements if not estimate.group]
    print_table(
        f"judge {calibration.judge}   target {calibration.target}   {counts.labelled} labelled pairs", ESTIMATE_COLUMNS, estimate_rows(overall)
    )
    if calibration.human is not None:
        human = calibration.human
        figures = [*human.measurements, human.human_alpha, human.judge_alpha, human.share]
        print_table(f"people with each other ({human.raters} raters)", ESTIMATE_COLUMNS, estimate_rows(figures))
    for threshold in calibration.thresholds:
        title = f"threshold {threshold.threshold!r} ({threshold.rule}), measured on the other half"
        print_table(title, ESTIMATE_COLUMNS, estimate_rows(threshold.measurements))
    for text in calibration.notes:
        say(f"note: {text.en}")
    say(f"verdict: {calibration.verdict.decision.replace('_', ' ').upper()}")
    for reason in calibration.verdict.reasons:
        say(f"  {reason.en}")
    say(f"page: {directory / 'calibration.html'}")
