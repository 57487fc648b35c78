"""Reading a judge's reply: what is allowed around the verdict, and bounded time on hostile text."""

from __future__ import annotations

import time

import pytest

from primum.scorers.judging.verdicts import Field, MalformedVerdict, read_verdict

CASE = "00aa11bb22cc"
FIELDS = (Field("score", (1, 2, 3)), Field("met"))
GOOD = f'{{"case":"{CASE}","score":2,"met":true,"reason":"r"}}'


def read(text: str) -> tuple[dict[str, int], str]:
    found = read_verdict(text, case=CASE, fields=FIELDS)
    return dict(found.values), found.reason


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"  {GOOD}\n",
        f"```json\n{GOOD}\n```",
        f"```JSON\n{GOOD}\n```  ",
        f"```\n{GOOD}\n```",
        f"```python\nx = {{}}\n```\nSo:\n```json\n{GOOD}\n```",
        f"```json\n{GOOD}",
        f"{GOOD}\n\nAgain: {GOOD}",
        f'{{"score": 1}} is what the answer says. {GOOD}',
        f"The answer opens a brace {{ and never closes it. {GOOD}",
        f"hidden</think>{GOOD}",
        GOOD.replace(",", " ,\n  "),
    ],
)
def test_what_may_stand_around_it(text: str) -> None:
    assert read(text) == ({"score": 2, "met": True}, "r")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no text"),
        ("<think>let me see", "outside reasoning"),
        ("fine", "does not end"),
        (f"{GOOD}.", "does not end"),
        (f"{GOOD} {{}}", "case number"),
        (f"```json\n{GOOD}\n{GOOD.replace('2,', '3,')}\n```", "differ"),
        (f"```json\nverdict: {GOOD}\n```", "code block"),
        (GOOD.replace("2", "4"), "case number|score"),
        (GOOD.replace(":2", ":4"), "score is not one of 1, 2, 3"),
        (GOOD.replace(":2", ":true"), "score"),
        (GOOD.replace(":2", ":2.0"), "score"),
        (GOOD.replace(":2", ":1e400"), "score"),
        (GOOD.replace("true", "1"), "met is not true or false"),
        (GOOD.replace('"r"', "null"), "reason"),
        (GOOD.replace('"score"', '"case"', 1), "twice"),
        ("{" * 200_000, "longer"),
    ],
)
def test_why_a_verdict_is_malformed(text: str, why: str) -> None:
    with pytest.raises(MalformedVerdict, match=why):
        read(text)


def test_a_reason_is_cut_and_made_storable() -> None:
    assert read(GOOD.replace('"r"', '"\\ud800' + "理" * 600 + '"')) == ({"score": 2, "met": True}, "?" + "理" * 499)


@pytest.mark.parametrize(
    "text", ['{"a":' * 20_000, "{" * 99_999, '{"' * 49_999, '[{"a":[' * 14_000, '{"a":"{' * 14_000, "```" * 33_000, "9" * 99_999]
)
def test_hostile_text_is_read_in_bounded_time(text: str) -> None:
    started = time.perf_counter()
    with pytest.raises(MalformedVerdict):
        read(text)
    with pytest.raises(MalformedVerdict):
        read(f'{{"case":"{CASE}","score":{text}')
    assert time.perf_counter() - started < 5  # far above what is needed, far below quadratic
