"""Several answers to each prompt, journalled as they come and resumed at the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from primum.errors import EngineTransientError
from primum.evaluation.pipeline import Progress
from primum.hashing import derived_seed
from primum.interfaces import Engine
from primum.runs.journal import Journal, answered_keys, read_lines
from primum.schema.alignment import LoopSizes, SampledAnswer, TargetPrompt
from primum.schema.response import Request, Response, Sampling
from primum.scorers.choice_extraction.visible_text import without_reasoning

_FAULTS_IN_A_ROW: Final = 100
_MOST_FAULTS: Final = 0.2
_SENTENCE_END: Final = re.compile(r"[。！？](?:[”’」』）])?|[.!?](?=\s|$)|\n")
# A cut answer keeps its whole sentences where they are at least this share of it.
_KEPT: Final = 0.4


async def sample_answers(
    prompts: Sequence[TargetPrompt], *, engine: Engine, sizes: LoopSizes, seed: int, journal: Path, progress: Progress
) -> tuple[SampledAnswer, ...]:
    """Ask every prompt ``sizes.samples`` times at ``sizes.temperature``; returns the answers in the prompts' order.

    Answers cut at the token limit keep their whole sentences, so that nothing half said is ever learnt.

    Raises:
        EngineTransientError: Answers keep failing; what came is kept.
    """
    writer = Journal(journal, warn=progress.note)
    answered = answered_keys(journal)
    progress.begin(len(prompts) * sizes.samples, len(answered))
    faults_in_a_row = 0
    try:
        async for response in engine.generate(_requests(prompts, sizes, seed, answered)):
            writer.append(response, ())
            progress.advance(response.fault is not None)
            faults_in_a_row = faults_in_a_row + 1 if response.fault is not None else 0
            if faults_in_a_row >= _FAULTS_IN_A_ROW:
                raise _gone(faults_in_a_row)
        writer.sync()
    finally:
        writer.close()
    found = {response.key: response for document in read_lines(journal) if (response := Response.model_validate(document["response"]))}
    failed = sum(response.fault is not None for response in found.values())
    if failed > _MOST_FAULTS * len(prompts) * sizes.samples:
        raise _gone(failed)
    if failed:
        progress.note(f"{failed} answers failed and are left out")
    keys = [f"{prompt.id}~{number}" for prompt in prompts for number in range(sizes.samples)]
    return tuple(_answer(found[key]) for key in keys if key in found and found[key].fault is None)


def _requests(prompts: Sequence[TargetPrompt], sizes: LoopSizes, seed: int, answered: set[str]) -> Iterator[Request]:
    for prompt in prompts:
        for number in range(sizes.samples):
            key = f"{prompt.id}~{number}"
            if key not in answered:
                # 31 bits: what every engine takes as a seed.
                sampling = Sampling(
                    max_tokens=sizes.answer_tokens, temperature=sizes.temperature, top_p=0.95, seed=derived_seed("align-sample", seed, key) % 2**31
                )
                yield Request(key=key, messages=prompt.messages, sampling=sampling, lookup=prompt.id)


def _answer(response: Response) -> SampledAnswer:
    text = without_reasoning(response.text).strip()
    if response.finish == "length":
        text = whole_sentences(text)
    return SampledAnswer(id=response.key, prompt=response.key.rpartition("~")[0], text=text, finish=response.finish)


def whole_sentences(text: str) -> str:
    """The text up to its last whole sentence; empty where less than two fifths would be left."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    kept = text[: ends[-1]].strip() if ends else ""
    return kept if len(kept) >= _KEPT * len(text) else ""


def _gone(failed: int) -> EngineTransientError:
    return EngineTransientError(f"{failed} sampled answers failed", remedy="mend the engine, then run the same command again: it resumes")
