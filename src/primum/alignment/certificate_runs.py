"""Two evaluated folders, read for a certificate: runs of one task and language beside each other, sample by sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from primum.config import parse_model
from primum.errors import DataMissingError, IntegrityError
from primum.evaluation.metrics import scored_metrics
from primum.runs import layout
from primum.runs.store import RunStore
from primum.schema.base import LANGUAGES, Bilingual, Language
from primum.schema.card import MetricCard, TaskCard
from primum.schema.provenance import EngineIdentity, Environment
from primum.schema.score import ScoreStatus
from primum.schema.spec import RunSpec
from primum.tasks.opening import open_task

RUNS: Final = "runs"
ScoreTable = dict[str, dict[str, "ScoreRow"]]


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item as it was asked."""

    id: str
    form: str
    question: str
    options: tuple[str, ...]
    answer: tuple[str, ...]
    norm: str
    cluster: str
    groups: Mapping[str, str]

    @property
    def unit(self) -> str:
        """What counts as one independent observation: the norm, where there is one."""
        return self.norm or self.cluster or self.id


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One score, or why there is none."""

    status: ScoreStatus
    value: float | None
    label: str = ""


@dataclass(frozen=True, slots=True)
class EvaluatedRun:
    """One finished run.

    Attributes:
        directory: Its folder.
        spec: What was asked.
        engine: What answered.
        environment: Where.
        language: The language asked.
        data_sha256: Files behind the items.
        prompts_sha256: Of all prompts.
        chance: Accuracy of guessing; None for tasks without letters.
        usage: Tokens and faults.
        metrics: What was scored, and by whom.
        items: By id, in file order.
        answers: Text by sample key, in file order.
        scores: By metric, then by sample key.
        seconds: Sum of the answers' shares of time, kept answers left out.
    """

    directory: Path
    spec: RunSpec
    engine: EngineIdentity
    environment: Environment
    language: Language
    data_sha256: Mapping[str, str]
    prompts_sha256: str
    chance: float | None
    usage: Mapping[str, Any]
    metrics: dict[str, MetricCard]
    items: Mapping[str, ItemRow]
    answers: Mapping[str, str]
    scores: ScoreTable
    seconds: float


@dataclass(frozen=True, slots=True)
class RunPair:
    """The same task and language before and after."""

    task: str
    card: TaskCard
    language: Language
    before: EvaluatedRun
    after: EvaluatedRun

    @property
    def base_task(self) -> str:
        """The task's name without its part."""
        return self.card.name

    @property
    def part(self) -> str:
        """The part of the bank that was asked, or empty."""
        return self.task.partition(":")[2] if not self.task.startswith("custom:") else ""

    @property
    def forms(self) -> frozenset[str]:
        """The forms of the items."""
        return frozenset(item.form for item in self.before.items.values())

    @property
    def subject(self) -> Bilingual:
        """Task and language in words."""
        asked = Bilingual(zh="中文", en="Chinese") if self.language == "zh" else Bilingual(zh="英文", en="English")
        return Bilingual(zh=f"{self.card.title.zh}（{asked.zh}）", en=f"{self.card.title.en} ({asked.en})")

    def shared_metrics(self) -> Iterator[MetricCard]:
        """Metrics that both runs have scores of, by the same scorer."""
        for name, metric in self.before.metrics.items():
            other = self.after.metrics.get(name)
            if other is not None and other.scorer == metric.scorer:
                yield metric


@dataclass(frozen=True, slots=True)
class Pairs:
    """All runs of two folders, paired; ``alone`` names those that only one folder has."""

    runs: tuple[RunPair, ...]
    alone: tuple[str, ...] = field(default=())


def read_pairs(before: Path, after: Path) -> Pairs:
    """Pair the runs of two evaluated folders by folder name.

    Args:
        before: Folder with ``runs/TASK-LANGUAGE`` of the base.
        after: The same of the aligned model.

    Raises:
        DataMissingError: A folder holds no runs, a run is not finished, or the folders share none.
        IntegrityError: Two runs of one name asked other prompts or read other data.
    """
    first, second = _runs_below(before), _runs_below(after)
    shared = [name for name in first if name in second]
    if not shared:
        raise DataMissingError(f"{before} and {after} share no run", remedy="evaluate both models with the same suite")
    pairs = tuple(_pair(_read(first[name]), _read(second[name])) for name in shared)
    pairs = tuple(sorted(pairs, key=lambda pair: (pair.task, LANGUAGES.index(pair.language))))
    return Pairs(runs=pairs, alone=tuple(sorted(first.keys() ^ second.keys())))


def run_level(folder: Path) -> float:
    """Confidence level of the first run of a folder.

    Raises:
        DataMissingError: The folder holds no finished run.
    """
    first = next(iter(_runs_below(folder).values()))
    with RunStore(first) as store:
        return store.spec.level


def _runs_below(folder: Path) -> dict[str, Path]:
    runs = folder / RUNS
    found = {path.name: path for path in sorted(runs.iterdir()) if (path / layout.SPEC).is_file()} if runs.is_dir() else {}
    if not found:
        raise DataMissingError(f"{folder}: no evaluated runs here (no {RUNS}/TASK-LANGUAGE)", remedy="give a folder that a suite was run in")
    return found


def _pair(before: EvaluatedRun, after: EvaluatedRun) -> RunPair:
    for part in ("data_sha256", "prompts_sha256"):
        if getattr(before, part) != getattr(after, part):
            what = "read other data" if part == "data_sha256" else "asked other prompts"
            raise IntegrityError(
                f"{before.directory} and {after.directory} {what}: their figures cannot be paired",
                remedy="evaluate both models with one suite and seed",
            )
    card = open_task(before.spec.task).card
    return RunPair(task=before.spec.task, card=card, language=before.language, before=before, after=after)


def _read(directory: Path) -> EvaluatedRun:
    with RunStore(directory) as store:
        document, summary = store.document, store.summary
        metrics = {metric.name: metric for metric in scored_metrics(store, open_task(store.spec.task).card)}
        items = {
            row[0]: _item(row) for row in store.sql("SELECT id, form, question, options, answer, norm, cluster, groups FROM items ORDER BY position")
        }
        rows = store.sql("SELECT r.key, r.text FROM responses r JOIN items i ON i.id = r.item ORDER BY i.position, r.epoch")
        seconds = store.sql("SELECT coalesce(sum(latency_s) FILTER (NOT cached), 0) FROM responses")[0][0]
        return EvaluatedRun(
            directory=directory,
            spec=store.spec,
            engine=parse_model(document["engine"], EngineIdentity, str(directory / layout.SPEC)),
            environment=parse_model(document["environment"], Environment, str(directory / layout.SPEC)),
            language=document["language"],
            data_sha256=document["data_sha256"],
            prompts_sha256=summary["prompts_sha256"],
            chance=summary.get("choice", {}).get("chance"),
            usage=summary["usage"],
            metrics=metrics,
            items=items,
            answers={key: text or "" for key, text in rows},
            scores={metric.name: _scores(store, metric) for metric in metrics.values()},
            seconds=float(seconds),
        )


def _item(row: tuple[Any, ...]) -> ItemRow:
    identifier, form, question, options, answer, norm, cluster, groups = row
    return ItemRow(identifier, form, question, tuple(options or ()), tuple(answer or ()), norm or "", cluster or "", dict(groups or {}))


def _scores(store: RunStore, metric: MetricCard) -> dict[str, ScoreRow]:
    rows = store.sql(
        "SELECT s.key, s.status, s.value, s.label FROM scores s JOIN items i ON i.id = s.item WHERE s.scorer = ? AND s.metric = ?"
        " ORDER BY i.position, s.epoch",
        (metric.scorer, metric.name),
    )
    return {key: ScoreRow(status, value, label or "") for key, status, value, label in rows}
