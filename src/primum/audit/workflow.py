"""An audit: every task of a protocol on one model, every gate decided, the dossier written and sealed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from primum.audit.gates import check_gate, decide_gate, decide_verdict, withhold_gate
from primum.audit.seal import seal
from primum.audit.standing import load_standing, packaged_standings
from primum.audit.task_runs import RUNS, read_run, run_name, run_spec
from primum.config import Settings
from primum.errors import ConfigError, DataMissingError, IntegrityError
from primum.evaluation.environment import describe_environment
from primum.evaluation.pipeline import CacheMode, Order, Progress, evaluate
from primum.hashing import sha256_file, sha256_of
from primum.interfaces import Engine, Task
from primum.report.dossier import render_dossier
from primum.runs import layout
from primum.schema.audit import AuditResult, GateResult, RunResult, SkippedTask, Standing
from primum.schema.base import Language
from primum.schema.spec import Protocol, ProtocolTask
from primum.tasks.opening import open_task

DOSSIER = "dossier.html"
SUMMARY = "summary.json"
PROTOCOL = "protocol.json"
_EXAMPLES_PER_GROUP = 2


@dataclass(frozen=True, slots=True)
class AuditOrder:
    """Everything one audit needs.

    Attributes:
        protocol: What to run and demand.
        protocol_path: Its file, for the hash.
        engine: The model under audit.
        model: Its URI as the user gave it, for the runs' specs.
        directory: Where the dossier goes; an unfinished audit in it is resumed.
        settings: Data folder, home, offline.
        calibrations: Calibrations of judges by the user's own labels, beside ours.
        progress_for: Makes the display of one run, from its title.
        cache: See :class:`primum.evaluation.pipeline.Order`.
    """

    protocol: Protocol
    protocol_path: Path
    engine: Engine
    model: str
    directory: Path
    settings: Settings
    progress_for: Callable[[str], Progress]
    cache: CacheMode = "auto"
    calibrations: Sequence[Path] = ()


async def run_audit(order: AuditOrder) -> AuditResult:
    """Run or resume an audit and write its sealed dossier.

    Raises:
        ConfigError: A gate reads a metric or group that its task does not have, or a file of calibration does not fit.
        DataMissingError: A task's data are missing, unless the protocol marks the task optional.
        IntegrityError: The folder holds an audit by another protocol.
        EngineError: The engine cannot answer at all.
        EnvironmentFault: The disk is full, or another process writes this audit.
    """
    tasks = {entry.task: open_task(entry.task) for entry in order.protocol.tasks}
    _check_gates(order.protocol, tasks)
    # Read before anything is asked: a file that does not fit must not cost an audit.
    standings = [*packaged_standings(), *(load_standing(path) for path in order.calibrations)]
    with layout.locked(order.directory):
        _keep_protocol(order)
        runs: list[RunResult] = []
        skipped: list[SkippedTask] = []
        for entry in order.protocol.tasks:
            for language in entry.languages:
                try:
                    runs.append(await _run_task(order, entry, tasks[entry.task], language))
                except DataMissingError as error:
                    if not entry.optional:
                        raise
                    skipped.append(SkippedTask(task=entry.task, language=language, reason=error.message))
        result = _conclude(order, runs, skipped, standings)
        layout.write_json(order.directory / SUMMARY, result.model_dump(mode="json"))
        layout.write_bytes(order.directory / DOSSIER, render_dossier(result).encode())
        seal(order.directory)
    return result


def _conclude(order: AuditOrder, runs: list[RunResult], skipped: list[SkippedTask], standings: Sequence[Standing]) -> AuditResult:
    protocol = order.protocol
    asked = {entry.task: entry.languages for entry in protocol.tasks}
    gates: list[GateResult] = []
    judge = _guardian_sha256(runs)
    for gate in protocol.gates:
        gates.extend(decide_gate(gate, runs, unscored_limit=protocol.unscored_limit, standings=standings, judge_sha256=judge))
        gates.extend(withhold_gate(gate, asked[gate.task], runs))
    verdict, reason = decide_verdict(gates)
    return AuditResult(
        protocol=protocol,
        protocol_sha256=sha256_file(order.protocol_path),
        engine=order.engine.identity,
        environment=describe_environment(),
        verdict=verdict,
        reason=reason,
        gates=tuple(gates),
        runs=tuple(runs),
        skipped=tuple(skipped),
        standings=tuple(standing for standing in standings if standing.judge_sha256 == judge),
        finished=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    )


def _guardian_sha256(runs: Sequence[RunResult]) -> str:
    """The guardian's weights as the runs recorded them; empty where none was scored by it, or where runs differ: then no standing is theirs."""
    found = {run.scorers.get("guardian", "") for run in runs if any(metric.scorer == "guardian" for metric in run.card.metrics)}
    return found.pop() if len(found) == 1 else ""


def _check_gates(protocol: Protocol, tasks: dict[str, Task]) -> None:
    for entry in protocol.tasks:
        card = tasks[entry.task].card
        if unknown := [language for language in entry.languages if language not in card.languages]:
            raise ConfigError(
                f"protocol {protocol.name}: task {entry.task} does not exist in {unknown[0]!r}", remedy=f"its languages: {', '.join(card.languages)}"
            )
        for gate in protocol.gates:
            if gate.task == entry.task:
                check_gate(gate, card)


def _keep_protocol(order: AuditOrder) -> None:
    path = order.directory / PROTOCOL
    document = order.protocol.model_dump(mode="json")
    if path.exists() and sha256_of(layout.read_json(path)) != sha256_of(document):
        raise IntegrityError(f"{order.directory}: holds an audit by another protocol", remedy="choose another folder with --out, or delete this one")
    layout.write_json(path, document)


async def _run_task(order: AuditOrder, entry: ProtocolTask, task: Task, language: Language) -> RunResult:
    spec = run_spec(entry, language, model=order.model, seed=order.protocol.seed, level=order.protocol.level)
    name = run_name(entry.task, language)
    await evaluate(
        Order(
            spec=spec,
            task=task,
            engine=order.engine,
            directory=order.directory / RUNS / name,
            settings=order.settings,
            progress=order.progress_for(name),
            cache=order.cache,
        )
    )
    return read_run(order.directory, task, spec, language, examples=_EXAMPLES_PER_GROUP)
