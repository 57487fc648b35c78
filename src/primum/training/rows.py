"""From demonstrations and preferences to rows of tokens: exactly the text that the engine sends, then the answer and its end token."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from primum.engines.chat_templates import TemplateRefusal, choose_style, render
from primum.errors import DataFormatError, UsageError
from primum.schema.item import Message
from primum.schema.training import Demonstration, Preference

_PROBE = "primum"


class Conversation(Protocol):
    """What demonstrations and preferences share."""

    @property
    def id(self) -> str:
        """Names the row in messages."""

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation before the answer."""


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt and its answers as tokens.

    Attributes:
        prompt: What the engine would send.
        answer: The answer to learn (the chosen one of a preference), with its end token.
        rejected: The worse answer of a preference, with its end token; empty in a demonstration.
    """

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    rejected: tuple[int, ...] = ()

    @property
    def length(self) -> int:
        """Tokens of the prompt and the longer answer."""
        return len(self.prompt) + max(len(self.answer), len(self.rejected))

    @property
    def tokens(self) -> int:
        """Tokens through the model."""
        return len(self.prompt) + len(self.answer) + (len(self.prompt) + len(self.rejected) if self.rejected else 0)


class RowEncoder:
    """Encodes conversations for one tokenizer."""

    def __init__(self, tokenizer: Any, *, stop_ids: frozenset[int], max_tokens: int) -> None:
        """Find how this tokenizer's template ends an answer.

        Raises:
            UsageError: The tokenizer has no chat template.
        """
        if choose_style("auto", tokenizer) != "tokenizer":
            raise UsageError(
                "the model has no chat template, so what is trained would not be what is asked later",
                remedy="take the instruction-tuned model, or add chat_template to its tokenizer_config.json",
            )
        self._tokenizer, self._max_tokens = tokenizer, max_tokens
        self.end = _end_token(tokenizer, stop_ids)

    def demonstrations(self, rows: Sequence[Demonstration]) -> list[Row]:
        """Encode demonstrations; raises as :meth:`preferences`."""
        _check(rows)
        return [self._checked(row.id, Row(*self._encode(row, row.answer))) for row in rows]

    def preferences(self, rows: Sequence[Preference]) -> list[Row]:
        """Encode preferences.

        Raises:
            DataFormatError: An id twice, an empty or equal answer, a conversation that does not end with the user's turn or that the
                template refuses, or a row that is longer than allowed; each names the id.
        """
        _check(rows)
        encoded: list[Row] = []
        for row in rows:
            if row.chosen == row.rejected:
                raise DataFormatError(f"preference {row.id!r}: both answers are the same", remedy="leave it out")
            (prompt, chosen), (_, rejected) = self._encode(row, row.chosen), self._encode(row, row.rejected)
            encoded.append(self._checked(row.id, Row(prompt, chosen, rejected)))
        return encoded

    def _encode(self, row: Conversation, answer: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        if not answer.strip():
            raise DataFormatError(f"row {row.id!r}: its answer is empty", remedy="give an answer, or leave the row out")
        if not row.messages or row.messages[-1].role != "user":
            raise DataFormatError(f"row {row.id!r}: its conversation does not end with the user's turn", remedy="end it with a user message")
        try:
            text = render(row.messages, self._tokenizer, "tokenizer").text
        except TemplateRefusal as refusal:
            raise DataFormatError(f"row {row.id!r}: {refusal}", remedy="change its turns (many templates know no system turn)") from None
        prompt, whole = self._ids(text), self._ids(text + answer)
        # The prompt must be token for token what the engine sends; where the answer would merge into it, the answer is encoded alone.
        tail = whole[len(prompt) :] if whole[: len(prompt)] == prompt else self._ids(answer)
        if self.end in tail:
            raise DataFormatError(f"row {row.id!r}: its answer spells the model's end token", remedy="remove the special token from the text")
        return prompt, (*tail, self.end)

    def _ids(self, text: str) -> tuple[int, ...]:
        return tuple(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _checked(self, name: str, row: Row) -> Row:
        if row.length > self._max_tokens:
            raise DataFormatError(
                f"row {name!r}: {row.length} tokens, at most {self._max_tokens} are allowed",
                remedy="shorten it, leave it out, or raise max_tokens up to the model's context",
            )
        return row


def _check(rows: Sequence[Conversation]) -> None:
    twice = [name for name, count in Counter(row.id for row in rows).items() if count > 1]
    if twice:
        raise DataFormatError(f"row {twice[0]!r}: its id is there twice", remedy="give every row an id of its own")


def _end_token(tokenizer: Any, stop_ids: frozenset[int]) -> int:
    """The token that this template writes after an answer, where the engine stops at it; else the tokenizer's end token."""
    turns = [{"role": "user", "content": _PROBE}, {"role": "assistant", "content": _PROBE}]
    try:
        text = str(tokenizer.apply_chat_template(turns, tokenize=False))
    except Exception:  # noqa: BLE001 - templates raise what they like; without a probe the tokenizer's own end serves
        text = ""
    tail = tokenizer(text.rpartition(_PROBE)[2].strip(), add_special_tokens=False)["input_ids"] if text else []
    if tail and tail[0] in stop_ids:
        return int(tail[0])
    if tokenizer.eos_token_id is None:
        raise UsageError("the tokenizer has no end token", remedy="set eos_token in its tokenizer_config.json")
    return int(tokenizer.eos_token_id)
