"""Texts to tokens, and pairs of texts to batches of a size that the processor's cache can hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np

from primum.guardian.network import Texts, lay_out
from primum.norms.sentence_encoder import tokenise

PROMPT_TOKENS: Final = 128
ANSWER_TOKENS: Final = 384
# Tokens of one batch: enough to stream each weight matrix seldom, few enough for the intermediate results to stay near the processor.
_BUDGET: Final = 1_500
_BEGIN, _END = 1, 2
# Trailing dots and blanks to fill in: writers of example answers leave them in unsafe texts rather than in safe ones. They say nothing, and are
# not read.
_ELISION: Final = re.compile(r"(?:\u2026+|\.{2,}|_{2,}|\u00d7{2,})")


class Pairs(NamedTuple):
    """Tokens of (prompt, answer) pairs; equal prompts are kept once.

    Attributes:
        prompts: Token ids of each distinct prompt.
        answers: Token ids of each answer.
        prompt_of: Which prompt each answer belongs to.
    """

    prompts: list[list[int]]
    answers: list[list[int]]
    prompt_of: list[int]

    def __len__(self) -> int:
        return len(self.answers)

    def lay_out(self, rows: Sequence[int]) -> tuple[Texts, Texts, np.ndarray]:
        """Some pairs as the network takes them."""
        distinct = list(dict.fromkeys(self.prompt_of[row] for row in rows))
        place = {prompt: index for index, prompt in enumerate(distinct)}
        prompt_of = np.array([place[self.prompt_of[row]] for row in rows], dtype=np.int64)
        return lay_out([self.prompts[prompt] for prompt in distinct]), lay_out([self.answers[row] for row in rows]), prompt_of

    def batches(self, budget: int = _BUDGET) -> Iterator[list[int]]:
        """Rows in batches of about so many tokens, those of one prompt together."""
        rows: list[int] = []
        tokens = 0
        for row in sorted(range(len(self)), key=self.prompt_of.__getitem__):
            size = len(self.answers[row]) + len(self.prompts[self.prompt_of[row]])
            if rows and tokens + size > budget:
                yield rows
                rows, tokens = [], 0
            rows.append(row)
            tokens += size
        if rows:
            yield rows


def tokenise_pairs(prompts: Sequence[str], answers: Sequence[str], *, answer_tokens: int = ANSWER_TOKENS) -> Pairs:
    """Tokenise; texts of more tokens than allowed lose their middle."""
    place = {prompt: index for index, prompt in enumerate(dict.fromkeys(prompts))}
    return Pairs(
        prompts=[text_tokens(prompt, PROMPT_TOKENS) for prompt in place],
        answers=[text_tokens(answer, answer_tokens) for answer in answers],
        prompt_of=[place[prompt] for prompt in prompts],
    )


def text_tokens(text: str, limit: int) -> list[int]:
    """Token ids with begin and end marks; of more than ``limit``, the first two thirds and the last third."""
    ids = [_BEGIN, *tokenise(visible_wording(text)), _END]
    if len(ids) <= limit:
        return ids
    head = limit * 2 // 3
    return ids[:head] + ids[len(ids) - (limit - head) :]


def visible_wording(text: str) -> str:
    """The text without elisions; halves of surrogate pairs, which no tokenizer takes, become question marks."""
    return _ELISION.sub(" ", text).encode("utf-8", "replace").decode("utf-8")


@cache
def _threadpool() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """One thread a matrix product: on matrices this small two mostly wait for each other, and beside other work on the machine they crawl."""
    limited: AbstractContextManager[Any] = _threadpool().limit(limits=1, user_api="blas")
    return limited
