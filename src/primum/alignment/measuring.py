"""Measuring models one after another: one engine open at a time, finished measurements read from disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from primum.alignment.records import Ledger
from primum.alignment.stopping import Measured
from primum.alignment.suite import Suite, read_suite, run_suite
from primum.config import Settings
from primum.evaluation.pipeline import Progress
from primum.interfaces import Engine
from primum.runs import layout
from primum.schema.spec import ProtocolTask


@dataclass(frozen=True)
class Tuned:
    """A model of the loop.

    Attributes:
        number: The round it comes from; 0 is the base.
        uri: Under which it opens.
        adapter: Its adapter's folder; None for the base.
        sha256: Of the adapter's weights, or of the base's.
    """

    number: int
    uri: str
    adapter: Path | None
    sha256: str


class Engines:
    """Opens engines by URI and keeps the last one open; two large models need not fit side by side."""

    def __init__(self, open_engine: Callable[[str], Engine]) -> None:
        self._open = open_engine
        self._uri = ""
        self._engine: Engine | None = None

    async def get(self, uri: str) -> Engine:
        """The engine of ``uri``."""
        if self._engine is None or uri != self._uri:
            await self.close()
            self._engine, self._uri = self._open(uri), uri
        return self._engine

    async def close(self) -> None:
        """Close the open engine: before a training, which needs its memory."""
        if self._engine is not None:
            engine, self._engine = self._engine, None
            await engine.close()


@dataclass(frozen=True)
class Bench:
    """What models are measured with.

    Attributes:
        suite: Seed and level.
        engines: The models.
        settings: Data folder, home, offline.
        progress_for: Makes the display of one run, from its title.
    """

    suite: Suite
    engines: Engines
    settings: Settings
    progress_for: Callable[[str], Progress]

    async def measure(self, model: Tuned, directory: Path, tasks: tuple[ProtocolTask, ...], *, step: str) -> Measured:
        """Run tasks on a model in ``directory/runs``; a finished measurement of the same model and tasks is read instead.

        Raises:
            DataMissingError: Data of a task that is not optional are missing.
            IntegrityError: A folder holds another run.
            EngineError: The engine cannot answer at all.
        """
        suite = self.suite.only(tasks)
        if not tasks:
            return Measured(root=directory, runs=())
        ledger = Ledger(directory, note=self.progress_for(step).note)
        data = str(self.settings.data or "")
        inputs = {
            "model": model.sha256,
            "tasks": [entry.model_dump(mode="json") for entry in tasks],
            "seed": suite.seed,
            "level": suite.level,
            "data": data,
        }
        if not ledger.is_done(step, inputs):
            begun = time.monotonic()
            engine = await self.engines.get(model.uri)
            place = directory.name if model.number == 0 else f"round-{model.number}"
            runs = await run_suite(
                suite, model=model.uri, engine=engine, directory=directory, settings=self.settings,
                progress_for=lambda name: self.progress_for(f"{place} {step} {name}"),
            )  # fmt: skip
            files = [f"{run.directory}/{layout.SUMMARY}" for run in runs]
            provenance = {"model": model.uri, "fingerprint": engine.identity.fingerprint}
            ledger.finish(step, inputs=inputs, files=files, provenance=provenance, seconds=time.monotonic() - begun)
        return Measured(root=directory, runs=read_suite(suite, model=model.uri, directory=directory))
