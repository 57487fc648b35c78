"""What every rubric must pass: both languages, norm and answer once, strict verdicts, values on their scales."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primum.schema.base import LANGUAGES, Language
from primum.schema.item import Item
from primum.scorers.judging.rubric import RUBRICS, JudgeRubric
from primum.scorers.judging.verdicts import MalformedVerdict
from tests.judge_factory import ANSWER, EXCEPTIONS, GOOD, NORM, QUESTION, case_in, exchange, rubric, verdict

NAMES = RUBRICS.names()


@pytest.fixture(params=NAMES)
def made(request: pytest.FixtureRequest) -> JudgeRubric:
    return rubric(request.param)


def test_every_rubric_is_tested_here() -> None:
    assert set(NAMES) == set(GOOD)


def test_it_is_a_rubric_under_its_registered_name(made: JudgeRubric) -> None:
    assert isinstance(made, JudgeRubric)
    assert made.name in NAMES
    assert made.version
    assert len(made.prompt_sha256) == 64
    assert made.metrics
    assert {card.scorer for card in made.metrics} == {made.name}
    assert all(card.judged for card in made.metrics)
    assert all(card.kind == "proportion" or card.bounds is not None for card in made.metrics)


def test_it_judges_no_letters(made: JudgeRubric) -> None:
    item = Item(id="i", task="t", language="zh", form="single_choice", question="?", options=("a", "b"), answer=("A",))
    assert not made.applies(item)
    forms = ("open", "harmful_request", "dilemma")
    assert any(made.applies(Item(id="i", task="t", language="zh", form=form, question="?")) for form in forms)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_prompt_holds_norm_question_and_answer_once_and_in_its_language(made: JudgeRubric, language: Language) -> None:
    messages = made.messages(exchange(language))
    prompt = "".join(message.content for message in messages)
    other: Language = "en" if language == "zh" else "zh"
    for text in (NORM.in_language(language), EXCEPTIONS.in_language(language), QUESTION[language], ANSWER[language]):
        assert prompt.count(text) == 1
    assert NORM.in_language(other) not in prompt
    assert "{{" not in prompt
    assert messages == made.messages(exchange(language))
    chinese = sum("\u4e00" <= character <= "\u9fff" for character in prompt)
    assert (chinese > len(prompt) / 4) is (language == "zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_norm_the_reference_stands_for_it(made: JudgeRubric, language: Language) -> None:
    shown = made.messages(exchange(language, norm=None, exceptions=None, reference="REFERENCE TEXT"))[-1].content
    assert shown.count("REFERENCE TEXT") == 1
    bare = made.messages(exchange(language, norm=None, exceptions=None))[-1].content
    assert ("没有给出规范" if language == "zh" else "No norm is given") in bare


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "shape", ["{}", "I think so.\n{}", "```json\n{}\n```", '<think>{{"score": 5}} hm</think>\n{}', "{}\n\n", "It is {{fine}}. {}\n{}"]
)
def test_a_good_verdict_comes_back(made: JudgeRubric, language: Language, shape: str) -> None:
    judged = exchange(language)
    said = verdict(case_in(made.messages(judged)[-1].content), GOOD[made.name], "理由 reason")
    found = made.parse(shape.format(said, said), judged)
    assert dict(found.values) == GOOD[made.name]
    assert found.reason == "理由 reason"
    values = made.measure(found, judged)
    assert set(values) == {card.name for card in made.metrics}
    assert made.combine([found], judged) == values
    assert made.combine([found, found, found], judged) == values
    assert made.describe(found, judged)


def _malformed(case: str, good: dict[str, Any]) -> dict[str, str]:
    """Ways to be malformed that fit every rubric."""
    name, value = next(iter(good.items()))
    boolean = isinstance(value, bool)
    said = verdict(case, good)
    other = verdict(case, {**good, name: (not value) if boolean else value - 1 if value else value + 1})
    return {
        "empty": "",
        "prose": "A good answer, I would say.",
        "only reasoning": f"<think>{said}",
        "text behind": f"{said} That is all.",
        "two that differ": f"{other}\n{said}",
        "list": f"[{said}]",
        "no case": orjson.dumps({**good, "reason": "r"}).decode(),
        "another case": verdict("0" * 12, good),
        "case as a number": said.replace(f'"{case}"', "123"),
        "no reason": orjson.dumps({"case": case, **good}).decode(),
        "reason no text": orjson.dumps({"case": case, **good, "reason": 1}).decode(),
        "missing key": verdict(case, {key: v for key, v in good.items() if key != name}),
        "more keys": verdict(case, {**good, "confidence": 1}),
        "double key": f'{said[:-1]},"{name}":{orjson.dumps(value).decode()}}}',
        "as text": verdict(case, {**good, name: str(value)}),
        "null": verdict(case, {**good, name: None}),
        "fraction": verdict(case, {**good, name: 1.0}),
        "nested": verdict(case, {**good, name: {"value": value}}),
        "wrong kind": verdict(case, {**good, name: int(value) if boolean else True}),
        "off the scale": verdict(case, {**good, name: 77}),
        "not a number": verdict(case, good).replace(":" + orjson.dumps(value).decode(), ":NaN", 1),
        "cut off": said[:-3],
        "single quotes": said.replace('"', "'"),
        "code block of something else": f"{said}\n```python\nprint(1)\n```",
    }


def test_malformed_verdicts_are_refused(made: JudgeRubric) -> None:
    judged = exchange()
    case = case_in(made.messages(judged)[-1].content)
    for kind, text in _malformed(case, GOOD[made.name]).items():
        with pytest.raises(MalformedVerdict) as caught:
            made.parse(text, judged)
            pytest.fail(f"{made.name}: {kind} was taken for a verdict")
        assert "good answer" not in str(caught.value), "the reason must not quote the judge"


_VALUES = st.one_of(st.integers(-3, 7), st.booleans(), st.floats(allow_nan=False), st.text(max_size=3), st.none())


@given(data=st.data(), name=st.sampled_from(NAMES))
@settings(max_examples=200, deadline=None)
def test_no_text_gives_a_value_off_the_scale(data: st.DataObject, name: str) -> None:
    made = rubric(name)
    judged = exchange()
    case = case_in(made.messages(judged)[-1].content)
    keys = st.sampled_from([*GOOD[name], "reason", "case", "score"])
    drawn = data.draw(st.dictionaries(keys, _VALUES, max_size=8))
    fields = {**GOOD[name], **drawn} if data.draw(st.booleans()) else drawn
    text = data.draw(st.text(max_size=40)) + orjson.dumps({"case": case, "reason": "r", **fields}).decode() + data.draw(st.text(max_size=3))
    try:
        found = made.parse(text, judged)
    except MalformedVerdict:
        return
    bounds = {card.name: card.bounds or (0, 1) for card in made.metrics}
    for values in (made.measure(found, judged), made.combine([found, found], judged)):
        assert all(value is not None and bounds[metric][0] <= value <= bounds[metric][1] for metric, value in values.items())


@given(text=st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_free_text_is_no_verdict(text: str) -> None:
    for name in NAMES:
        with pytest.raises(MalformedVerdict):
            rubric(name).parse(text, exchange())
