"""One evaluation, told in one function: task, items, prompts, engine, journal, scores, estimates."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from primum.config import Settings
from primum.errors import EngineTransientError, IntegrityError
from primum.evaluation.environment import describe_environment
from primum.evaluation.requests import build_request, check_method
from primum.evaluation.scoring import load_scorers, score_response, scorer_fingerprints
from primum.evaluation.selection import Selection, data_hashes, prompt_digest, select
from primum.evaluation.summary import summarise
from primum.hashing import sha256_of
from primum.interfaces import Engine, LogprobEngine, Scorer, Task
from primum.runs import layout
from primum.runs.cache import ResponseCache
from primum.runs.compaction import ItemWriter, compact
from primum.runs.journal import Journal, answered_keys
from primum.schema.item import Item
from primum.schema.response import Request, Response
from primum.schema.spec import RunSpec

CacheMode = Literal["auto", "on", "off"]
# So many faults in a row mean that the server is gone, not that some items are unlucky.
_FAULTS_IN_A_ROW = 100


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run's news goes; every part may be replaced by a display.

    Attributes:
        begin: Told the number of samples still to ask (None when unknown) and how many a resumed run already has.
        advance: Told of each answer, and whether it was a fault.
        note: Told, once each, what a user should know.
    """

    begin: Callable[[int | None, int], None] = lambda total, done: None
    advance: Callable[[bool], None] = lambda fault: None
    note: Callable[[str], None] = lambda text: None


@dataclass(frozen=True, slots=True)
class Order:
    """Everything one evaluation needs.

    Attributes:
        spec: What is asked.
        task: The task named by the spec.
        engine: The engine named by the spec.
        directory: The run directory; an unfinished run in it is resumed.
        settings: Data folder, home, offline.
        progress: Where news goes.
        cache: ``auto`` keeps answers of engines with pinned weights only.
    """

    spec: RunSpec
    task: Task
    engine: Engine
    directory: Path
    settings: Settings
    progress: Progress = field(default_factory=Progress)
    cache: CacheMode = "auto"


async def evaluate(order: Order) -> Path:
    """Run or resume one evaluation and return its directory.

    Raises:
        UsageError: The spec does not fit the task or the engine.
        InputError: The data are missing or malformed.
        EngineError: The engine cannot answer at all.
        EnvironmentFault: The disk is full, or another process writes this run.
        IntegrityError: The directory holds another run, or its data changed since it was begun.
    """
    check_method(order.spec, order.engine)
    with layout.locked(order.directory):
        selection = select(order.task, order.spec, order.settings.data)
        scorers = load_scorers(order.task.card)
        if _open_or_resume(order, selection, scorer_fingerprints(scorers)):
            return order.directory
        journal_path = order.directory / layout.JOURNAL
        journal = Journal(journal_path, warn=order.progress.note)
        answered = answered_keys(journal_path)
        samples = None if selection.size is None else selection.size * order.spec.epochs
        order.progress.begin(samples, len(answered))
        cache = _open_cache(order)
        # A fresh run writes its items as it asks them; a resumed one has not seen them all and writes them afterwards.
        writer = None if answered or (order.directory / layout.ITEMS).exists() else ItemWriter(order.directory / layout.ITEMS)
        try:
            await _Asking(order, selection, scorers, journal, answered, cache, writer).run()
            journal.sync()
            if writer is not None:
                writer.finish()
                writer = None
        finally:
            journal.close()
            if writer is not None:
                writer.abandon()
            if cache is not None:
                cache.close()
        compact(order.directory, selection.prompted)
        layout.write_json(order.directory / layout.SUMMARY, summarise(order.directory, order.task.card))
        journal_path.unlink()
    return order.directory


@dataclass(slots=True)
class _Asking:
    """Asks what has no answer yet; every answer is journalled with its scores before the next is taken."""

    order: Order
    selection: Selection
    scorers: Sequence[Scorer]
    journal: Journal
    answered: set[str]
    cache: ResponseCache | None
    writer: ItemWriter | None
    waiting: dict[str, tuple[Item, Request]] = field(default_factory=dict)

    async def run(self) -> None:
        """Ask everything.

        Raises:
            EngineTransientError: So many answers in a row failed that the server must be gone.
        """
        faults_in_a_row = 0
        async for response in self._answers():
            item, request = self.waiting.pop(response.key)
            self.journal.append(response, score_response(item, response, self.scorers))
            if self.cache is not None:
                self.cache.put(request, response)
            self.order.progress.advance(response.fault is not None)
            faults_in_a_row = faults_in_a_row + 1 if response.fault is not None else 0
            if faults_in_a_row >= _FAULTS_IN_A_ROW and response.fault is not None:
                raise EngineTransientError(
                    f"{faults_in_a_row} answers in a row failed; the last: {response.fault.message}",
                    remedy="mend the server, then run the same command again: it resumes",
                )

    async def _answers(self) -> AsyncIterator[Response]:
        """Weigh letters first where the engine can, then generate the rest. The first pass sees every item and writes them down."""
        engine = self.order.engine
        weighs = isinstance(engine, LogprobEngine)
        if isinstance(engine, LogprobEngine):
            async for response in engine.score_choices(self._missing(by_logprob=True, writer=self.writer)):
                yield response
        async for response in engine.generate(self._missing(by_logprob=False, writer=None if weighs else self.writer)):
            yield response

    def _missing(self, *, by_logprob: bool, writer: ItemWriter | None) -> Iterator[Request]:
        # Only recorded files need to tell equal prompts apart; counting them costs a digest an item.
        recorded = self.order.engine.identity.backend == "replay"
        for item, occurrence in self.selection.numbered() if recorded else ((item, 0) for item in self.selection.items()):
            for epoch in range(self.order.spec.epochs):
                if f"{item.id}#{epoch}" in self.answered:
                    continue
                request = build_request(item, epoch, selection=self.selection, engine=self.order.engine, occurrence=occurrence)
                if writer is not None and epoch == 0:
                    writer.add(item, prompt_digest(request.messages))
                if bool(request.choices) is by_logprob and not self._take_from_cache(item, request):
                    self.waiting[request.key] = (item, request)
                    yield request

    def _take_from_cache(self, item: Item, request: Request) -> bool:
        kept = self.cache.get(request) if self.cache is not None else None
        if kept is None:
            return False
        self.journal.append(kept, score_response(item, kept, self.scorers))
        self.order.progress.advance(False)
        return True


def _open_cache(order: Order) -> ResponseCache | None:
    identity = order.engine.identity
    wanted = order.cache == "on" or (order.cache == "auto" and identity.pinned and identity.backend == "transformers")
    return ResponseCache(order.settings.home / "cache" / "responses.sqlite", identity) if wanted else None


def _open_or_resume(order: Order, selection: Selection, scorers: Mapping[str, str]) -> bool:
    """Write or check the run's identity; True when the run is already finished.

    Raises:
        IntegrityError: The directory holds another run, its data changed, or a part of it was scored by a scorer with other weights.
    """
    path = order.directory / layout.SPEC
    now = {
        "spec": order.spec.model_dump(mode="json"),
        "engine": order.engine.identity.model_dump(mode="json"),
        "data_sha256": data_hashes(order.task, order.settings.data, selection.language),
        "language": selection.language,
        "items_sha256": sha256_of(sorted(selection.chosen)) if selection.chosen is not None else "",
    }
    if not path.exists():
        layout.write_json(path, {**now, "scorers": dict(scorers), "environment": describe_environment().model_dump(mode="json")})
        return False
    before = cast("dict[str, object]", layout.read_json(path))
    for part, meaning in (("spec", "another question"), ("engine", "another engine"), ("data_sha256", "other data"), ("items_sha256", "other items")):
        if before.get(part) != now[part]:
            raise IntegrityError(f"{order.directory}: holds a run of {meaning}", remedy="choose another folder with --out, or delete this one")
    if before.get("environment", {}).get("code_sha256") != describe_environment().code_sha256:  # type: ignore[attr-defined]
        order.progress.note("Primum's code changed since this run was begun; both versions are part of it now")
    if (order.directory / layout.SUMMARY).exists() and not (order.directory / layout.JOURNAL).exists():
        return True
    if before.get("scorers", {}) != scorers:
        raise IntegrityError(
            f"{order.directory}: its first answers were scored by other weights ({', '.join(sorted(scorers)) or 'none'})",
            remedy="go on with the version of Primum that began it, choose another folder with --out, or delete this one",
        )
    return False
