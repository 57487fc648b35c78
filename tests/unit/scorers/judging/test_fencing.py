"""Marks, cuts and fences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primum.scorers.judging.fencing import break_control_tokens, cut_middle, fence, make_mark


@given(texts=st.lists(st.text(max_size=60), max_size=4))
def test_a_mark_depends_on_every_text_and_stands_in_none(texts: list[str]) -> None:
    mark = make_mark(texts, purpose="fence")
    assert mark == make_mark(texts, purpose="fence")
    assert all(mark not in text.lower() for text in texts)
    assert make_mark([*texts, "x"], purpose="fence") != mark
    assert make_mark(texts, purpose="case") != mark


def test_a_text_that_holds_its_own_mark_gets_the_next() -> None:
    # All 16 ** 12 marks cannot be held; here the first is, by asking for it and then holding the hash fixed.
    class Stubborn(str):
        """Encodes like a short text, and contains what is asked for the first time."""

        asked = 0

        def encode(self, *_: object) -> bytes:
            return b"short"

        def lower(self) -> Stubborn:
            return self

        def __contains__(self, part: object) -> bool:
            Stubborn.asked += 1
            return Stubborn.asked == 1

    assert make_mark([Stubborn("short")], purpose="fence") != make_mark(["short"], purpose="fence")


def test_a_boundary_between_texts_matters() -> None:
    assert make_mark(["ab", "c"], purpose="p") != make_mark(["a", "bc"], purpose="p")


def test_lone_surrogates_are_marked_too() -> None:
    assert len(make_mark(["\ud800"], purpose="p")) == 12


@pytest.mark.parametrize("limit", [1, 2, 7, 100, 12_000])
def test_a_long_text_loses_its_middle_and_says_how_much(limit: int) -> None:
    text = "".join(chr(0x4E00 + n % 5000) for n in range(30_000))
    short = cut_middle(text, limit=limit, sign="[{{count}} out]")
    head, gap, tail = short.split("\n")
    assert gap == f"[{30_000 - limit} out]"
    assert len(head) + len(tail) == limit
    assert text.startswith(head)
    assert text.endswith(tail)


def test_a_short_text_is_left_alone() -> None:
    assert cut_middle("abc", limit=3, sign="[{{count}}]") == "abc"


def test_a_fence_has_two_lines() -> None:
    assert fence("text", mark="m", label="ANSWER", begin="BEGINS", end="ENDS") == "<<< m ANSWER BEGINS >>>\ntext\n<<< m ANSWER ENDS >>>"


@pytest.mark.parametrize("text", ["a < b", "<b>bold</b>", "[1] reference", "x <| y", "血压<90"])
def test_ordinary_text_is_not_touched(text: str) -> None:
    assert break_control_tokens(text) == text
