"""An LLM judge, asked about the pairs of a label file: the same rubrics, prompts and strict reading as for a run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from primum.config import Settings
from primum.engines.opening import open_engine
from primum.errors import UsageError
from primum.evaluation.judge_asking import Asking, Reply
from primum.evaluation.judge_cases import Case
from primum.evaluation.pipeline import Progress
from primum.hashing import sha256_of
from primum.norms.library import all_norms, packaged_norms
from primum.norms.retrieval import language_of
from primum.registry import nearest
from primum.schema.base import Language
from primum.schema.judge_calibration import Judged, JudgeTarget, Pair
from primum.schema.response import Sampling
from primum.scorers.judging.rubric import Exchange, open_rubric

_TOKENS = 1024
_RETRIES = 1
# Replies are journalled here, so that a calibration that was interrupted goes on.
_FOLDER = "judged-labels"


class LlmPairJudge:
    """A rubric on an engine.

    Args:
        rubric: Name of a registered rubric.
        model: Model URI of the judge.
        target: What is judged; the rubric must have it as a metric, or as the field ``Q1`` to ``Q4``.

    Raises:
        UnknownNameError: No such rubric.
        UsageError: The rubric does not give the target.
        EngineError: The engine cannot be opened.
    """

    def __init__(self, *, rubric: str, model: str, target: JudgeTarget) -> None:
        self._rubric = open_rubric(rubric)
        known = [card.name for card in self._rubric.metrics]
        if target not in known and not (target.startswith("q") and "quality" in known):
            raise UsageError(f"rubric {rubric} does not judge {target!r}", remedy=nearest(target, known))
        self._target = target
        self._engine = open_engine(model)
        identity = self._engine.identity
        self.name = f"{rubric}@{identity.model}"
        self.sha256 = sha256_of([rubric, self._rubric.version, self._rubric.prompt_sha256, identity.model, identity.fingerprint])

    def judge(self, pairs: Sequence[Pair]) -> Sequence[Judged]:
        """Ask about every pair; what was answered before an interruption is not asked again."""
        norms = {norm.id: norm for norm in all_norms(packaged_norms())}
        cases = []
        for pair in pairs:
            norm = norms.get(pair.norm)
            exchange = Exchange(
                item=pair.key,
                language=_language(pair),
                question=pair.prompt,
                answer=pair.answer,
                norm=norm.statement if norm else None,
                exceptions=norm.exceptions if norm else None,
            )
            cases.append(Case(key=pair.key, exchange=exchange, cluster=pair.key))
        replies = asyncio.run(self._ask(cases))
        return [self._judged(replies[case.key], case) for case in cases]

    async def _ask(self, cases: Sequence[Case]) -> dict[str, Reply]:
        home: Path = Settings.from_environment().home
        asking = Asking(
            judge=self._engine,
            rubric=self._rubric,
            cases=cases,
            folder=home / _FOLDER,
            sampling=Sampling(max_tokens=_TOKENS, temperature=0.0),
            retries=_RETRIES,
            progress=Progress(),
        )
        (home / _FOLDER).mkdir(parents=True, exist_ok=True)
        try:
            return await asking.run()
        finally:
            await self._engine.close()

    def _judged(self, reply: Reply, case: Case) -> Judged:
        if reply.verdict is None:
            return Judged(status="engine_error" if reply.status == "fault" else "judge_error")
        values = reply.verdict.values
        value: float | None = values.get(self._target.upper())
        if value is None:
            value = self._rubric.measure(reply.verdict, case.exchange).get(self._target)
        return Judged(status="judge_error") if value is None else Judged(score=float(value), label=round(value))


def _language(pair: Pair) -> Language:
    return "zh" if pair.language == "zh" else "en" if pair.language == "en" else language_of(pair.prompt + pair.answer)
