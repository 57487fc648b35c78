"""An audit from protocol to sealed dossier, resumed, refused and skipped."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from primum.audit.protocols import load_protocol
from primum.audit.seal import verify_seal
from primum.audit.workflow import AuditOrder, run_audit
from primum.config import Settings
from primum.engines.scripted import ScriptedEngine
from primum.errors import ConfigError, DataMissingError, IntegrityError
from primum.evaluation.pipeline import Progress
from primum.runs import layout
from primum.schema.audit import AuditResult
from primum.schema.response import Request
from primum.schema.spec import Protocol


def order(tmp_path: Path, engine: ScriptedEngine, protocol: Protocol | None = None) -> AuditOrder:
    quick, path = load_protocol("quick")
    settings = Settings(home=tmp_path / "home", data=None, offline=True)
    return AuditOrder(
        protocol=protocol or quick,
        protocol_path=path,
        engine=engine,
        model="scripted:test",
        directory=tmp_path / "audit",
        settings=settings,
        progress_for=lambda title: Progress(),
    )


def audit(given: AuditOrder) -> AuditResult:
    return asyncio.run(run_audit(given))


def small(**fields: object) -> Protocol:
    quick, _ = load_protocol("quick")
    return quick.model_copy(update=fields)


def test_an_audit_decides_every_gate_and_seals(tmp_path: Path) -> None:
    result = audit(order(tmp_path, ScriptedEngine(lambda request: "A")))
    assert result.verdict == "fail"
    assert len(result.runs) == 8
    assert sum(gate.gate.id == "no-weak-dimension" for gate in result.gates) == 40
    assert {gate.decision for gate in result.gates if gate.gate.id in {"declines-harm", "answers-benign"}} == {"not_certified"}
    assert verify_seal(tmp_path / "audit").state == "intact"
    assert all(run.failures for run in result.runs if run.card.name == "primum-choice")
    assert result.runs[0].method == "logprob + generate"


def test_an_audit_resumes_where_it_stopped(tmp_path: Path) -> None:
    asked: list[str] = []

    def script(request: Request) -> str:
        asked.append(request.key)
        if len(asked) == 400:
            raise KeyboardInterrupt
        return "A"

    with pytest.raises(KeyboardInterrupt):
        audit(order(tmp_path, ScriptedEngine(script)))
    resumed = audit(order(tmp_path, ScriptedEngine(script)))
    whole = audit(order(tmp_path / "whole", ScriptedEngine(lambda request: "A")))
    assert [run.estimates for run in resumed.runs] == [run.estimates for run in whole.runs]
    assert verify_seal(tmp_path / "audit").state == "intact"


def _told_of_other_weights(folder: Path) -> None:
    """Make the runs say that another guardian scored them."""
    for path in folder.glob("runs/*/spec.json"):
        document = layout.read_json(path)
        if "guardian" in document["scorers"]:
            layout.write_json(path, {**document, "scorers": {"guardian": "0" * 64}})


def _judged() -> Protocol:
    """One task that the guardian judges, and its gates."""
    quick, _ = load_protocol("quick")
    return small(tasks=(quick.tasks[-1],), gates=tuple(gate for gate in quick.gates if gate.task == quick.tasks[-1].task))


def test_scores_of_older_weights_are_not_credited_to_the_present_ones(tmp_path: Path) -> None:
    first = audit(order(tmp_path, ScriptedEngine(lambda request: "I cannot help with that."), _judged()))
    assert first.standings
    assert {run.scorers["guardian"] for run in first.runs} == {first.standings[0].judge_sha256}
    _told_of_other_weights(tmp_path / "audit")
    again = audit(order(tmp_path, ScriptedEngine(lambda request: "I cannot help with that."), _judged()))
    assert not again.standings


def test_an_unfinished_run_is_not_finished_by_other_weights(tmp_path: Path) -> None:
    def script(request: Request) -> str:
        asked.append(request.key)
        if len(asked) == 10:
            raise KeyboardInterrupt
        return "I cannot help with that."

    asked: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        audit(order(tmp_path, ScriptedEngine(script), _judged()))
    _told_of_other_weights(tmp_path / "audit")
    with pytest.raises(IntegrityError, match="scored by other weights"):
        audit(order(tmp_path, ScriptedEngine(script), _judged()))


def test_another_protocol_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    audit(order(tmp_path, ScriptedEngine(lambda request: "A")))
    with pytest.raises(IntegrityError):
        audit(order(tmp_path, ScriptedEngine(lambda request: "A"), small(seed=3)))


def test_missing_data_stop_an_audit_unless_optional(tmp_path: Path) -> None:
    quick, _ = load_protocol("quick")
    needed = quick.tasks[0].model_copy(update={"task": "medqa", "languages": ("en",), "limit": 5})
    gates = (*(gate for gate in quick.gates if gate.task == "primum-benign"), quick.gates[0].model_copy(update={"task": "medqa"}))
    with pytest.raises(DataMissingError, match="medqa"):
        audit(order(tmp_path / "a", ScriptedEngine(lambda request: "A"), small(tasks=(quick.tasks[-1], needed), gates=gates)))
    optional = needed.model_copy(update={"optional": True})
    result = audit(order(tmp_path / "b", ScriptedEngine(lambda request: "A"), small(tasks=(quick.tasks[-1], optional), gates=gates)))
    assert [entry.task for entry in result.skipped] == ["medqa"]
    assert result.verdict == "not_certified"
    withheld = [gate for gate in result.gates if gate.gate.task == "medqa"]
    assert [(gate.language, gate.decision) for gate in withheld] == [("en", "not_certified")]


def test_a_language_the_task_lacks_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    quick, _ = load_protocol("quick")
    wrong = quick.tasks[0].model_copy(update={"task": "medqa", "languages": ("zh",)})

    def never(request: Request) -> str:
        raise AssertionError

    with pytest.raises(ConfigError, match="medqa"):
        audit(order(tmp_path, ScriptedEngine(never), small(tasks=(*quick.tasks, wrong))))
