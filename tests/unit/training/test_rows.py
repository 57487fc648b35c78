from __future__ import annotations

from collections.abc import Callable

import pytest

from primum.engines.chat_templates import render
from primum.errors import DataFormatError, UsageError
from primum.schema.item import Message
from primum.schema.training import Demonstration, Preference
from primum.training.rows import RowEncoder
from tests.tiny_model import build_tokenizer

Make = Callable[..., Demonstration]


def encoder(**changes: object) -> RowEncoder:
    values = {"stop_ids": frozenset({1}), "max_tokens": 64}
    return RowEncoder(build_tokenizer(), **{**values, **changes})  # type: ignore[arg-type]


def test_prompt_is_what_the_engine_sends_and_the_answer_ends_with_the_end_token(make: Make) -> None:
    tokenizer = build_tokenizer()
    one = make(3, messages=(Message(role="system", content="S"), Message(role="user", content="A A")))
    (row,) = encoder().demonstrations([one])
    assert tokenizer.decode(row.prompt) == render(one.messages, tokenizer, "tokenizer").text
    assert tokenizer.decode(row.answer) == one.answer + "<|end|>"
    assert row.answer[-1] == 1
    assert row.length == row.tokens == len(row.prompt) + len(row.answer)


def test_an_answer_that_would_merge_into_the_prompt_leaves_the_prompt_as_it_is(make: Make) -> None:
    tokenizer = build_tokenizer(template="{% for m in messages %}{{ m['content'] }}{% endfor %}{% if add_generation_prompt %}A{% endif %}")
    (row,) = RowEncoder(tokenizer, stop_ids=frozenset({1}), max_tokens=64).demonstrations([make(0, answer="B")])
    assert tokenizer.decode(row.prompt).endswith("A")
    assert tokenizer.decode(row.answer[:-1]) == "B"


def test_the_tokenizers_own_end_serves_where_the_template_ends_otherwise(make: Make) -> None:
    assert encoder(stop_ids=frozenset()).end == 1


def test_a_model_without_chat_template_is_refused() -> None:
    with pytest.raises(UsageError, match="chat template") as caught:
        RowEncoder(build_tokenizer(template=None), stop_ids=frozenset({1}), max_tokens=64)
    assert "instruction-tuned" in caught.value.remedy


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"answer": "B" * 65}, "at most 64"),
        ({"messages": (Message(role="assistant", content="A"),)}, "user's turn"),
        ({"answer": "B<|end|>"}, "end token"),
    ],
)
def test_a_row_that_cannot_be_trained_on_is_named(make: Make, changes: dict[str, object], words: str) -> None:
    with pytest.raises(DataFormatError, match=words) as caught:
        encoder().demonstrations([make(0), make(7, **changes)])
    assert "'d7'" in caught.value.message
    assert "BB" not in caught.value.message


def test_an_empty_answer_is_named(make: Make) -> None:
    with pytest.raises(DataFormatError, match="'d7'.*empty"):
        encoder().demonstrations([make(0), make(7).model_copy(update={"answer": " "})])


def test_a_template_that_refuses_the_conversation_is_named(make: Make) -> None:
    tokenizer = build_tokenizer(template="{{ raise_exception('no') }}")
    with pytest.raises(DataFormatError, match="'d0'.*refuses"):
        RowEncoder(tokenizer, stop_ids=frozenset({1}), max_tokens=64).demonstrations([make(0)])


def test_an_id_twice_is_named(make: Make) -> None:
    with pytest.raises(DataFormatError, match="'d1'.*twice"):
        encoder().demonstrations([make(1), make(1)])


def test_preferences_share_their_prompt(preferences: list[Preference]) -> None:
    rows = encoder().preferences(preferences)
    assert all(row.tokens == 2 * len(row.prompt) + len(row.answer) + len(row.rejected) for row in rows)
    with pytest.raises(DataFormatError, match="the same"):
        encoder().preferences([preferences[0].model_copy(update={"rejected": preferences[0].chosen})])
