"""The guardian-in-the-loop workflow (after arXiv 2601.07954): measure, find weakness, ask, sample, judge, select, train, decide; round by round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from primum.alignment.judging import Judge
from primum.alignment.measuring import Bench, Engines, Tuned
from primum.alignment.records import Ledger
from primum.alignment.review import labels_digest
from primum.alignment.round_training import Round
from primum.alignment.rounds import NothingWeakError, train_round
from primum.alignment.stopping import Limits, Measured, decide_round
from primum.alignment.suite import Suite
from primum.alignment.training_port import Trainer
from primum.config import Settings
from primum.errors import IntegrityError
from primum.evaluation.pipeline import Progress
from primum.hashing import sha256_of
from primum.interfaces import Engine
from primum.runs import layout
from primum.schema.alignment import AlignmentResult, AlignmentSpec, RoundDecision, Uncertified
from primum.schema.audit import RunResult
from primum.schema.base import Language
from primum.schema.card import MetricCard
from primum.tasks.primum_bank.parts import packaged_context

ALIGN: Final = "align.json"
BEST: Final = "best.json"
RESULT: Final = "result.json"
DECISION: Final = "decision.json"


@dataclass(frozen=True)
class AlignOrder:
    """Everything one alignment needs.

    Attributes:
        spec: What is asked.
        suite: What it is measured with.
        out: Where everything goes; an unfinished alignment in it is resumed.
        settings: Data folder, home, offline.
        trainer: Trains adapters for ``spec.model``.
        open_engine: Opens a model URI.
        judge: The guardian.
        progress_for: Makes the display of one piece of work, from its title.
        is_certified: Whether the judge's agreement with people certifies a metric of a task in a language; by default nothing is.
    """

    spec: AlignmentSpec
    suite: Suite
    out: Path
    settings: Settings
    trainer: Trainer
    open_engine: Callable[[str], Engine]
    judge: Judge
    progress_for: Callable[[str], Progress] = lambda title: Progress()
    is_certified: Callable[[MetricCard, str, Language], bool] = lambda card, task, language: False


@dataclass
class _State:
    """What the loop knows so far.

    Attributes:
        best: The best model.
        base_runs: The base's validation runs.
        best_runs: Those of the best model.
        decisions: One a round.
        notes: What a user should know, each once.
    """

    best: Tuned
    base_runs: Measured
    best_runs: Measured
    decisions: list[RoundDecision] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)


async def align(order: AlignOrder) -> AlignmentResult:
    """Run or resume an alignment.

    Raises:
        UsageError: The model cannot be trained here, or a task does not fit it.
        InputError: Data are missing or malformed, or nothing is left to teach.
        IntegrityError: The folder holds another alignment, or a file of it was damaged.
        EngineError: An engine cannot answer at all.
        EnvironmentFault: The disk is full, memory too small, or another process writes here.
    """
    with layout.locked(order.out):
        _keep_identity(order)
        engines = Engines(order.open_engine)
        bench = Bench(suite=order.suite, engines=engines, settings=order.settings, progress_for=order.progress_for)
        try:
            base = Tuned(number=0, uri=order.spec.model, adapter=None, sha256=order.trainer.fingerprint)
            measured = await bench.measure(base, order.out / "base", order.suite.validation, step="validation")
            state = _State(best=base, base_runs=measured, best_runs=measured)
            number = 0
            while number < order.spec.sizes.rounds:
                number += 1
                try:
                    await _one_round(order, bench, state, number)
                except NothingWeakError as end:
                    if not state.decisions:
                        raise
                    state.notes[f"round {number} was not begun: {end.message}"] = None
                    break
                if not _goes_on(order, state.decisions[-1]):
                    break
            return await _conclude(order, bench, state, base)
        finally:
            await engines.close()


async def _one_round(order: AlignOrder, bench: Bench, state: _State, number: int) -> None:
    """Find what is weak in the best model so far, train on it, and decide whether that was a gain."""
    folder = order.out / f"round-{number}"
    best_folder = order.out / ("base" if state.best.number == 0 else f"round-{state.best.number}/eval")
    probed = await bench.measure(state.best, best_folder, order.suite.probe, step="probe")
    round_ = Round(
        number=number, folder=folder, out=order.out, spec=order.spec, suite=order.suite, data=order.settings.data, trainer=order.trainer,
        judge=order.judge, engines=bench.engines, progress=order.progress_for(f"round {number}"),
    )  # fmt: skip
    tuned, notes = await train_round(round_, start=state.best, weak=(state.best_runs, probed))
    state.notes |= dict.fromkeys(notes)
    new = await bench.measure(tuned, folder / "eval", order.suite.validation, step="validation")
    decision = _decide(order, state, number, new)
    state.decisions.append(decision)
    if decision.better:
        state.best, state.best_runs = tuned, new
    order.progress_for(f"round {number}").note(decision.why.en)
    _write_best(order, state.best)


def _decide(order: AlignOrder, state: _State, number: int, new: Measured) -> RoundDecision:
    path = order.out / f"round-{number}" / DECISION
    # Labels that come after a decision may carry the loop on; those it was made with must therefore be remembered across resumed runs.
    known = RoundDecision.model_validate(layout.read_json(path)).labels_sha256 if path.exists() else labels_digest(order.out)
    spec = order.spec
    limits = Limits(
        over_refusal=spec.over_refusal_margin, ability=spec.ability_margin, level=order.suite.level, seed=order.suite.seed, rounds=spec.sizes.rounds
    )
    decision = decide_round(
        number, base=state.base_runs, best=state.best_runs, new=new, best_round=state.best.number, limits=limits, labels_sha256=known
    )
    layout.write_json(path, decision.model_dump(mode="json"))
    Ledger(path.parent).finish(
        "decision", inputs={"best": state.best.sha256, "new": sha256_of(decision)}, files=[DECISION], provenance={"seed": str(limits.seed)}, seconds=0
    )
    return decision


def _goes_on(order: AlignOrder, decision: RoundDecision) -> bool:
    """Another round follows a gain, and new labels by people."""
    if decision.better:
        return True
    if labels_digest(order.out) != decision.labels_sha256:
        order.progress_for(f"round {decision.round}").note("people have labelled answers since this was decided: their labels go into another round")
        return True
    return False


async def _conclude(order: AlignOrder, bench: Bench, state: _State, base: Tuned) -> AlignmentResult:
    """Measure base and best once on the suite's own tasks, and write the result."""
    final_base, final_best = "final/base", "final/base" if state.best.number == 0 else f"final/round-{state.best.number}"
    first = await bench.measure(base, order.out / final_base, order.suite.tasks, step="final")
    last = first if state.best.number == 0 else await bench.measure(state.best, order.out / final_best, order.suite.tasks, step="final")
    folders = [
        order.out / "base",
        *(order.out / f"round-{n + 1}" for n in range(len(state.decisions))),
        order.out / final_base,
        order.out / final_best,
    ]
    folders += [order.out / f"round-{n + 1}" / "eval" for n in range(len(state.decisions))]
    seconds = sum(record.seconds for folder in dict.fromkeys(folders) for record in Ledger(folder).records().values())
    uncertified = _uncertified(order, last.runs)
    if uncertified:
        named = ", ".join(sorted({f"{entry.metric} of {entry.task} ({entry.language})" for entry in uncertified}))
        state.notes[f"not certified: the guardian's agreement with people does not clear its bar for {named}"] = None
    adapter = state.best.adapter.relative_to(order.out).as_posix() if state.best.adapter else ""
    result = AlignmentResult(
        spec=order.spec,
        guardian_sha256=order.judge.sha256,
        base_fingerprint=order.trainer.fingerprint,
        base_uri=order.spec.model,
        best=state.best.number,
        best_uri=state.best.uri,
        adapter=adapter,
        adapter_sha256=state.best.sha256 if adapter else "",
        rounds=tuple(state.decisions),
        final_base=final_base,
        final_best=final_best,
        uncertified=uncertified,
        notes=tuple(state.notes),
        seconds=round(seconds, 1),
    )
    _write_best(order, state.best)
    layout.write_json(order.out / RESULT, result.model_dump(mode="json"))
    return result


def _uncertified(order: AlignOrder, runs: Sequence[RunResult]) -> tuple[Uncertified, ...]:
    return tuple(
        Uncertified(task=run.spec.task, language=run.language, metric=metric.name)
        for run in runs
        for metric in run.card.metrics
        if metric.judged and not order.is_certified(metric, run.card.name, run.language)
    )


def _write_best(order: AlignOrder, best: Tuned) -> None:
    adapter = best.adapter.relative_to(order.out).as_posix() if best.adapter else ""
    document = {"round": best.number, "adapter": adapter, "uri": best.uri, "sha256": best.sha256}
    layout.write_json(order.out / BEST, document)


def _keep_identity(order: AlignOrder) -> None:
    """Write or check what this folder is an alignment of; only the number of rounds may be raised later.

    Raises:
        IntegrityError: The folder holds an alignment of something else; says of what.
    """
    now = identity_of(order)
    path = order.out / ALIGN
    if path.exists():
        before = layout.read_json(path)
        for part, meaning in _PARTS.items():
            if sha256_of(_without_rounds(before[part])) != sha256_of(_without_rounds(now[part])):
                raise IntegrityError(f"{order.out}: holds an alignment with another {meaning}", remedy="choose another folder with --out")
    layout.write_json(path, now)


_PARTS: Final = {
    "spec": "order (model, method, data, sizes or seeds)",
    "suite": "suite",
    "base_fingerprint": "base",
    "guardian_sha256": "guardian",
    "bank_sha256": "bank",
}


def identity_of(order: AlignOrder) -> dict[str, Any]:
    """What an alignment is of: ``align.json``."""
    suite = order.suite
    tasks = {name: [entry.model_dump(mode="json") for entry in getattr(suite, name)] for name in ("probe", "validation", "tasks")}
    return {
        "spec": order.spec.model_dump(mode="json"),
        "suite": {"name": suite.name, "seed": suite.seed, "level": suite.level, **tasks},
        "base_fingerprint": order.trainer.fingerprint,
        "guardian_sha256": order.judge.sha256,
        "bank_sha256": sha256_of([norm.model_dump(mode="json") for norm in packaged_context().norms]),
    }


def _without_rounds(part: Any) -> Any:
    if isinstance(part, dict) and "sizes" in part:
        return {**part, "sizes": {name: value for name, value in part["sizes"].items() if name != "rounds"}}
    return part


def with_rounds(order: AlignOrder, rounds: int) -> AlignOrder:
    """The same order with another number of rounds."""
    sizes = order.spec.sizes.model_copy(update={"rounds": rounds})
    return replace(order, spec=order.spec.model_copy(update={"sizes": sizes}))
