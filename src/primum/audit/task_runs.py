"""One task in one language as a run inside a larger folder: its name, its spec, and what is read from it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from primum.audit.examples import failed_examples
from primum.interfaces import Task
from primum.runs.store import RunStore
from primum.schema.audit import RunResult
from primum.schema.base import Language
from primum.schema.spec import ProtocolTask, RunSpec

RUNS: Final = "runs"


def run_name(task: str, language: Language) -> str:
    """The folder of one task and language, below :data:`RUNS`."""
    return f"{task.replace(':', '-').replace('/', '-')}-{language}"


def run_spec(entry: ProtocolTask, language: Language, *, model: str, seed: int, level: float) -> RunSpec:
    """What is asked of ``model`` for an entry of a protocol or suite."""
    return RunSpec(
        task=entry.task,
        model=model,
        language=language,
        limit=entry.limit,
        shots=entry.shots,
        epochs=entry.epochs,
        method=entry.method,
        sampling=entry.sampling,
        seed=seed,
        level=level,
    )


def read_run(root: Path, task: Task, spec: RunSpec, language: Language, *, examples: int = 0) -> RunResult:
    """A finished run of ``root``.

    Args:
        root: The folder above :data:`RUNS`.
        task: What was run.
        spec: As it was asked.
        language: In which language.
        examples: Most failed examples of each group; 0 reads none.

    Raises:
        DataMissingError: The run is not there.
    """
    name = f"{RUNS}/{run_name(spec.task, language)}"
    with RunStore(root / name) as store:
        weighed, answered = store.sql("SELECT count(*) FILTER (finish = 'choice'), count(*) FROM responses")[0]
        return RunResult(
            directory=name,
            card=task.card,
            spec=spec,
            language=language,
            summary=store.summary,
            estimates=store.estimates,
            failures=failed_examples(store, task.card, per_group=examples, seed=spec.seed) if examples else (),
            method="logprob" if weighed == answered else "generate" if weighed == 0 else "logprob + generate",
            data_sha256=store.document["data_sha256"],
            scorers=store.document.get("scorers", {}),
        )
