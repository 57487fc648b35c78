"""Judging a finished run: answers to judges, verdicts to scores. Earlier scores are kept, and so is every verdict.

In the run's folder::

    judges/journal-....jsonl        replies as they come, one file a judge; gone when the scoring is written
    judges/NNN-judge-....jsonl      every verdict of every judge, with what it wrote
    judges/NNN-judge-....json       rubric, prompt hash, judges, their tables, their agreement
    scores/NNN-judge-....parquet    the scores
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from primum.config import Settings
from primum.errors import UsageError
from primum.evaluation.judge_asking import Asking
from primum.evaluation.judge_cases import Case, Docket, open_docket
from primum.evaluation.judged import FOLDER
from primum.evaluation.jury import Replies, least_valid, measure_agreement, settle, tabulate_judge
from primum.evaluation.pipeline import Progress
from primum.evaluation.summary import summarise
from primum.interfaces import Engine
from primum.runs import layout
from primum.runs.store import RunStore, add_scoring
from primum.schema.response import Sampling
from primum.schema.score import Score
from primum.scorers.judging.rubric import JudgeRubric
from primum.stats.resampling import Resampling
from primum.tasks.opening import open_task

MAX_TOKENS: Final = 1024


@dataclass(frozen=True, slots=True)
class JudgeOrder:
    """What is judged, and by whom.

    Attributes:
        run: Run folder.
        rubric: What is asked about each answer.
        judges: One engine, or several for a jury.
        settings: Data folder: earlier turns of conversations are looked up in the task.
        quorum: Least number of valid verdicts an answer needs; None takes more than half.
        norms: Show judges the norm at stake, or the reference that stands for it.
        retries: How often a malformed verdict is asked again.
        max_tokens: Room for a judge's reasoning and verdict.
        progress: Makes a display for each judge from its title.
    """

    run: Path
    rubric: JudgeRubric
    judges: Sequence[Engine]
    settings: Settings
    quorum: int | None = None
    norms: bool = True
    retries: int = 1
    max_tokens: int = MAX_TOKENS
    progress: Callable[[str], Progress] = field(default=lambda title: Progress())


async def judge_run(order: JudgeOrder) -> Path:
    """Judge a finished run and make its summary anew; returns the scoring's document. An interrupted judging resumes.

    Raises:
        UsageError: No judge, the same judge twice, a quorum that does not fit, or a rubric without items in this run.
        DataMissingError: The folder holds no finished run.
        EngineError: A judge cannot answer at all.
        EnvironmentFault: The disk is full, or another process writes this run.
        IntegrityError: A journal is damaged.
    """
    quorum = _check(order)
    RunStore(order.run).close()  # locking a folder makes it: one that holds no run must not come into being
    with layout.locked(order.run):
        with RunStore(order.run) as store:
            task = open_task(store.spec.task)
            docket = open_docket(store, order.rubric, task, data=order.settings.data, norms=order.norms)
            resampling = Resampling(seed=store.spec.seed, level=store.spec.level)
        if not docket.cases and not docket.unjudged:
            raise UsageError(f"rubric {order.rubric.name} judges no item of task {task.card.name}", remedy="choose another rubric (docs/judges.md)")
        asked = [_asking(order, docket, judge) for judge in order.judges]
        if docket.turns_unknown:
            asked[0].progress.note(f"{docket.turns_unknown} answers are judged without the earlier turns of their conversation: give --data")
        panel = [await asking.run() for asking in asked]
        scores = [score for case in docket.cases for score in settle(order.rubric, case, [replies[case.key] for replies in panel], quorum=quorum)]
        document = _describe(order, docket, panel, quorum=quorum, resampling=resampling)
        path = _write(order, [*scores, *docket.unjudged], document, docket.cases, panel)
        layout.write_json(order.run / layout.SUMMARY, summarise(order.run, task.card))
        for asking in asked:
            asking.journal_path.unlink(missing_ok=True)
    return path


def _check(order: JudgeOrder) -> int:
    if not order.judges:
        raise UsageError("a rubric needs a judge", remedy="give --judge URI, such as --judge openai:MODEL@http://127.0.0.1:8000/v1")
    identities = [judge.identity for judge in order.judges]
    for number, identity in enumerate(identities):
        if identity in identities[:number]:
            raise UsageError(f"judge {identity.uri} is named twice", remedy="at temperature 0 it would only repeat itself; name different judges")
    if order.retries < 0 or order.max_tokens < 1:
        raise UsageError("retries must be at least 0 and tokens at least 1")
    return least_valid(len(order.judges), order.quorum)


def _asking(order: JudgeOrder, docket: Docket, judge: Engine) -> Asking:
    return Asking(
        judge=judge,
        rubric=order.rubric,
        cases=docket.cases,
        folder=order.run / FOLDER,
        sampling=Sampling(max_tokens=order.max_tokens, temperature=0.0),
        retries=order.retries,
        progress=order.progress(f"{order.rubric.name} by {judge.identity.uri}"),
    )


def _describe(order: JudgeOrder, docket: Docket, panel: Sequence[Replies], *, quorum: int, resampling: Resampling) -> dict[str, Any]:
    rubric = order.rubric
    several = len(order.judges) > 1
    return {
        "rubric": rubric.name,
        "version": rubric.version,
        "prompt_sha256": rubric.prompt_sha256,
        "norms": "show" if order.norms else "hide",
        "temperature": 0.0,
        "max_tokens": order.max_tokens,
        "retries": order.retries,
        "quorum": quorum,
        "aggregation": {card.name: ("majority" if card.kind == "proportion" else "median") if several else "single judge" for card in rubric.metrics},
        "cases": len(docket.cases),
        "turns_unknown": docket.turns_unknown,
        "judges": [
            {
                "uri": judge.identity.uri,
                "identity": judge.identity.model_dump(mode="json"),
                **tabulate_judge(rubric, docket.cases, replies, resampling=resampling),
            }
            for judge, replies in zip(order.judges, panel, strict=True)
        ],
        "agreement": measure_agreement(rubric, docket.cases, panel, resampling=resampling),
    }


def _write(order: JudgeOrder, scores: Sequence[Score], document: dict[str, Any], cases: Sequence[Case], panel: Sequence[Replies]) -> Path:
    """Verdicts and document first, the scores last: a document without scores is passed over, scores without a document would stay unexplained."""
    folder = order.run / layout.SCORES
    number = 1 + max((int(path.name.partition("-")[0]) for path in folder.glob("*.parquet")), default=-1)
    scoring = f"{number:03d}-{order.rubric.name}"
    target = order.run / FOLDER / f"{scoring}.json"
    present = {score.metric for score in scores}
    metrics = [card.model_dump(mode="json") for card in order.rubric.metrics if card.name in present]
    layout.write_bytes(target.with_suffix(".jsonl"), b"".join(_verdict_lines(order, cases, panel)))
    layout.write_json(target, {**document, "scoring": scoring, "metrics": metrics})
    add_scoring(order.run, order.rubric.name, scores)
    return target


def _verdict_lines(order: JudgeOrder, cases: Sequence[Case], panel: Sequence[Replies]) -> list[bytes]:
    lines: list[bytes] = []
    for case in cases:
        for judge, replies in zip(order.judges, panel, strict=True):
            reply = replies[case.key]
            line = {
                "key": case.key,
                "judge": judge.identity.uri,
                "status": reply.status,
                "attempts": reply.attempts,
                "values": dict(reply.verdict.values) if reply.verdict is not None else None,
                "reason": reply.verdict.reason if reply.verdict is not None else reply.why,
                "text": reply.text.encode("utf-8", "replace").decode(),
            }
            lines.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    return lines
