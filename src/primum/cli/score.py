"""``primum score``: score a finished run again, by a scorer, by judges, or with people's scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from primum.cli.options import DataOption, JsonOption, OfflineOption, run_async, settings_from

if TYPE_CHECKING:
    from primum.config import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    text = "Score a finished run again: with a registered scorer, with one or several judges, or with people's scores from a file."
    app.command("score", help=text)(score_command)


def score_command(  # noqa: D103 - the help text is given on registration
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    scorer: Annotated[
        str, typer.Option("--scorer", help="choice, refusal, over-refusal, precomputed, judge-harmfulness, judge-medes, ..., a plug-in.")
    ],
    judge: Annotated[list[str] | None, typer.Option("--judge", help="Model URI of a judge; repeat it for a jury.", show_default=False)] = None,
    quorum: Annotated[
        int | None, typer.Option("--quorum", help="Least number of valid verdicts (default: more than half).", show_default=False)
    ] = None,
    norms: Annotated[str, typer.Option("--norms", help="show judges the norm at stake, or hide it.")] = "show",
    rubric: Annotated[Path | None, typer.Option("--rubric", help="File of criteria (judge-points).", show_default=False)] = None,
    judge_tokens: Annotated[int, typer.Option("--judge-tokens", help="Upper bound on a judge's tokens.")] = 1024,
    judge_retries: Annotated[int, typer.Option("--judge-retries", help="How often a malformed verdict is asked again.")] = 1,
    scores: Annotated[Path | None, typer.Option("--scores", help="CSV or JSONL of scores (precomputed).", show_default=False)] = None,
    metric: Annotated[str, typer.Option("--metric", help="Metric that the file's scores measure (precomputed).")] = "",
    columns: Annotated[str, typer.Option("--columns", help="Mapping such as item=uuid,value=score,rater=who (precomputed).")] = "",
    labels: Annotated[str, typer.Option("--labels", help="Values of words, such as yes=1,no=0 (precomputed).")] = "",
    aggregate: Annotated[str, typer.Option("--aggregate", help="mean or majority of several raters (precomputed).")] = "mean",
    data: DataOption = None,
    offline: OfflineOption = False,
    json: JsonOption = False,
) -> None:
    from primum.cli.console import print_json
    from primum.cli.evaluate import finish_run, print_summary
    from primum.errors import UsageError
    from primum.evaluation.rescoring import RescoreOrder, rescore
    from primum.runs import layout
    from primum.scorers.judging.rubric import RUBRICS

    judged = scorer in RUBRICS.names() or scorer.startswith("judge-")
    if judged:
        asked = {"quorum": quorum, "norms": checked_norms(norms), "retries": judge_retries, "max_tokens": judge_tokens}
        run_async(_judge(run, scorer, rubric, tuple(judge or ()), settings_from(data, offline), asked))
    elif judge or rubric or quorum is not None:
        raise UsageError(f"scorer {scorer!r} asks no judge", remedy=f"leave out --judge, or choose a rubric: {', '.join(RUBRICS.names())}")
    else:
        rescore(RescoreOrder(run=run, scorer=scorer, scores=scores, metric=metric, columns=columns, labels=labels, aggregate=aggregate))
    (run / layout.REPORT).unlink(missing_ok=True)
    summary = finish_run(run)
    if json:
        print_json({**summary, "directory": str(run)})
        return
    print_summary(summary, run)
    if judged:
        _print_judges(run, scorer, summary)


def checked_norms(norms: str) -> bool:
    """Whether judges see the norm.

    Raises:
        UsageError: It is neither show nor hide.
    """
    from primum.errors import UsageError
    from primum.registry import nearest

    if norms not in {"show", "hide"}:
        raise UsageError(f"--norms {norms!r} is not known", remedy=nearest(norms, ("show", "hide")))
    return norms == "show"


async def _judge(run: Path, name: str, file: Path | None, uris: tuple[str, ...], settings: Settings, asked: dict[str, Any]) -> None:
    from contextlib import AsyncExitStack

    from primum.cli.console import progress_displays
    from primum.engines.opening import open_engine
    from primum.errors import UsageError
    from primum.evaluation.judging import JudgeOrder, judge_run
    from primum.scorers.judging.rubric import open_rubric

    rubric = open_rubric(name, file)
    if not uris:
        raise UsageError(f"rubric {name} needs a judge", remedy="give --judge URI, such as --judge openai:MODEL@http://127.0.0.1:8000/v1")
    async with AsyncExitStack() as stack:
        judges = []
        for uri in uris:
            engine = open_engine(uri)
            stack.push_async_callback(engine.close)
            judges.append(engine)
        with progress_displays() as display:
            await judge_run(JudgeOrder(run=run, rubric=rubric, judges=judges, settings=settings, progress=display, **asked))


def _print_judges(run: Path, rubric: str, summary: dict[str, Any]) -> None:
    """What each judge did, and how far they agree, below the figures."""
    from primum.cli.console import print_table, say
    from primum.evaluation.judged import judge_documents

    document = next(found for found in reversed(judge_documents(run)) if found["rubric"] == rubric)
    rows = [[j["uri"], j["cases"], j["valid"], j["malformed"], j["refused"], j["faults"], j["asked_again"]] for j in document["judges"]]
    print_table(
        f"{rubric} version {document['version']}, prompt {document['prompt_sha256'][:12]}",
        ("judge", "answers", "valid", "malformed", "refused", "faults", "asked again"),
        rows,
    )
    for metric, found in document["agreement"].items():
        say(f"agreement of the judges on {metric}: {_agreement_text(found)}")
    people: dict[str, Any] = next((entry["people"] for entry in summary["judges"] if entry["rubric"] == rubric), {})
    for metric, found in people.items():
        say(f"agreement with people on {metric}: {_agreement_text(found)}")
    if not people:
        say("note: no people's scores stand beside these: how far the judge agrees with people is not known")


def _agreement_text(found: dict[str, Any]) -> str:
    from primum.cli.format import interval_text
    from primum.schema.estimate import Estimate

    parts = []
    for name in ("alpha", "kappa"):
        if found[name] is not None:
            estimate = Estimate.model_validate(found[name])
            parts.append(f"{name} {interval_text(estimate)}, n {estimate.n}")
    return "; ".join(parts)
