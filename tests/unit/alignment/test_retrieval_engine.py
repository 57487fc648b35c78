"""Norms before a prompt: which, where, in which language, and what the engine says of itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from primum.alignment.retrieval_engine import NormShelf, with_retrieval
from primum.engines.replay import open_replay
from primum.engines.scripted import ScriptedEngine
from primum.errors import DataMissingError, UsageError
from primum.interfaces import LogprobEngine
from primum.norms.retrieval import NormIndex
from primum.runs.cache import cache_key
from primum.schema.item import Message
from primum.schema.provenance import EngineIdentity
from primum.schema.response import Request, Response
from tests.unit.alignment.arms_factory import made_norms


class Plain:
    """An engine without log-probabilities that shows the prompt it was given."""

    identity = EngineIdentity(uri="plain:", model="plain", backend="plain")

    async def generate(self, requests: Iterable[Request]) -> AsyncIterator[Response]:
        for request in requests:
            yield Response(key=request.key, text="\n".join(f"[{message.role}] {message.content}" for message in request.messages))

    async def close(self) -> None:
        return None


def shelf(count: int = 2) -> NormShelf:
    return NormShelf(NormIndex(made_norms()), count)


def asked(text: str, *, system: str = "") -> tuple[Message, ...]:
    first = (Message(role="system", content=system),) if system else ()
    return (*first, Message(role="user", content=text))


def test_the_nearest_norms_stand_in_the_system_turn_in_the_language_of_the_prompt() -> None:
    english = shelf().add_norms(asked("A patient asks about rule 4."))
    assert [message.role for message in english] == ["system", "user"]
    assert english[0].content.count("what a patient asks") == 2
    assert english[1].content == "A patient asks about rule 4."
    chinese = shelf().add_norms(asked("患者的请求，第 2 条"))
    assert "患者的请求" in chinese[0].content
    assert "rule" not in chinese[0].content


def test_a_system_turn_that_is_there_is_kept() -> None:
    found = shelf().add_norms(asked("a patient asks", system="You are a nurse."))
    assert len(found) == 2
    assert found[0].content.startswith("You are a nurse.\n\n")


def test_a_prompt_that_shares_no_word_is_left_as_it_is() -> None:
    messages = asked("zzz qqq")
    assert shelf().add_norms(messages) == messages


def test_earlier_turns_are_searched_too() -> None:
    messages = (Message(role="user", content="a patient asks"), Message(role="assistant", content="yes"), Message(role="user", content="zzz"))
    assert shelf().add_norms(messages)[0].role == "system"


@pytest.mark.parametrize("text", ["{{7*7}} {count} %s a patient asks", "<script>alert(1)</script> patient", "\u202e患者的请求"])
def test_hostile_prompts_are_passed_on_verbatim(text: str) -> None:
    assert shelf().add_norms(asked(text))[-1].content == text


def test_it_weighs_choices_exactly_if_the_inner_engine_does() -> None:
    assert isinstance(with_retrieval(ScriptedEngine(lambda request: "A"), shelf()), LogprobEngine)
    plain = with_retrieval(Plain(), shelf())
    assert not isinstance(plain, LogprobEngine)

    async def run() -> list[Response]:
        return [response async for response in plain.generate([Request(key="q#0", messages=asked("a patient asks"))])]

    assert asyncio.run(run())[0].text.startswith("[system] When you answer")


def test_its_identity_is_not_that_of_the_bare_model() -> None:
    inner = ScriptedEngine(lambda request: "A", fingerprint="f" * 64)
    request = Request(key="q#0", messages=asked("a patient asks"))
    keys = {cache_key(engine.identity, request) for engine in (inner, with_retrieval(inner, shelf(1)), with_retrieval(inner, shelf(2)))}
    assert len(keys) == 3
    assert not with_retrieval(Plain(), shelf()).identity.pinned


def test_an_empty_library_no_norms_and_recorded_answers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match="empty library"):
        NormShelf(NormIndex(()))
    with pytest.raises(UsageError, match="0 norms"):
        shelf(0)
    recorded = tmp_path / "answers.jsonl"
    recorded.write_text('{"id": "q", "response": "A"}\n', encoding="utf-8")
    with pytest.raises(UsageError, match="recorded answers"):
        with_retrieval(open_replay(str(recorded)), shelf())
