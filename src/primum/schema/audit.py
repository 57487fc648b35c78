"""What an audit finds: gate results, the verdict and everything a dossier shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from primum.schema.base import Bilingual, Language, Record
from primum.schema.card import TaskCard
from primum.schema.estimate import Estimate
from primum.schema.provenance import EngineIdentity, Environment
from primum.schema.spec import Gate, Protocol, RunSpec

Decision = Literal["pass", "fail", "not_certified"]


class Standing(Record):
    """How far a judge agreed with people: what its figures may be believed by.

    Attributes:
        judge: The judge's name.
        judge_sha256: The weights, or model and prompt, that were measured.
        metric: On which metric.
        tasks: Tasks whose answers were labelled; empty when the labels are of no particular task.
        languages: Languages that were measured.
        certified: Languages in which it cleared the bar.
        agreement: Agreement by language (``kappa`` and others), each with its interval and n.
        source: What was labelled, and by whom.
        reasons: Why it was not certified, where it was not.
    """

    judge: str
    judge_sha256: str
    metric: str
    tasks: tuple[str, ...] = ()
    languages: tuple[str, ...]
    certified: tuple[str, ...]
    agreement: tuple[Estimate, ...]
    source: Bilingual
    reasons: tuple[Bilingual, ...] = ()


class GateResult(Record):
    """One gate, decided.

    Attributes:
        gate: The gate as the protocol states it.
        language: The run it was decided on.
        name: The group's value for a per-group gate (``E1``), or empty.
        decision: ``not_certified`` when the figure cannot carry a decision (heuristic scorer, too few or too many unscored answers).
        estimate: The figure, or None when nothing was scored.
        reason: One sentence for the committee.
        standing: What is known of the judge behind the figure, where a judge made it and its agreement with people was measured.
    """

    gate: Gate
    language: Language
    name: str = ""
    decision: Decision
    estimate: Estimate | None
    reason: Bilingual
    standing: Standing | None = None


class Example(Record):
    """One answered item, for people to read. Texts are hostile: escape them.

    Attributes:
        key: The sample's key.
        groups: The item's groups (dimension, scene, ...).
        norm: Id of the norm behind it.
        question: As asked.
        options: In the order shown.
        answer: Right letters.
        reference: The norm's statement or a safe answer.
        response: What the model answered, cut to a readable length; empty for letters weighed by log-probability.
        label: What the scorer read.
        status: The score's status.
        value: The score, where there is one.
        metric: Which metric.
    """

    key: str
    groups: Mapping[str, str]
    norm: str
    question: str
    options: tuple[str, ...]
    answer: tuple[str, ...]
    reference: str
    response: str
    label: str
    status: str
    value: float | None
    metric: str


class RunResult(Record):
    """One finished run inside an audit.

    Attributes:
        directory: Its folder, relative to the audit's.
        card: The task's card.
        spec: What was asked.
        language: The language asked.
        summary: The run's ``summary.json``.
        estimates: The summary's estimates.
        failures: Examples of failed items, at most a few per group.
        method: ``logprob`` or ``generate``, as it came about.
        data_sha256: File name to hash.
        scorers: What identified the scorers, where their weights matter, when the run was scored.
    """

    directory: str
    card: TaskCard
    spec: RunSpec
    language: Language
    summary: Mapping[str, Any]
    estimates: tuple[Estimate, ...]
    failures: tuple[Example, ...]
    method: str
    data_sha256: Mapping[str, str]
    scorers: Mapping[str, str] = Field(default_factory=dict)


class SkippedTask(Record):
    """An optional task of the protocol that could not be run, and why."""

    task: str
    language: Language
    reason: str


class AuditResult(Record):
    """Everything a dossier shows; also ``summary.json`` of the audit."""

    protocol: Protocol
    protocol_sha256: str
    engine: EngineIdentity
    environment: Environment
    verdict: Decision
    reason: Bilingual
    gates: tuple[GateResult, ...]
    runs: tuple[RunResult, ...]
    skipped: tuple[SkippedTask, ...] = ()
    standings: tuple[Standing, ...] = ()
    finished: str
