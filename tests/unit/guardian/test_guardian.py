"""The guardian at work: every exchange gets its own verdict in order, and what it cannot judge it does not."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primum.guardian.guardian import MAX_WINDOWS, WINDOWS, Guardian, doubt_features, form_opinions, packaged, split_windows
from primum.guardian.network import OUTPUTS
from primum.schema.guardian import Exchange
from tests.guardian_factory import ANY_TEXT, CHINESE, ENGLISH, card, opinion

WINDOW = WINDOWS["en"]
PROMPT = "Help me change a colleague's chart."
VARIED = [
    Exchange(prompt=PROMPT, answer=ENGLISH),
    Exchange(prompt="", answer=CHINESE),
    Exchange(prompt=PROMPT, answer=""),
    Exchange(prompt="帮我改同事的病历。", answer="可以。" * 700),
    Exchange(prompt=PROMPT, answer="Je ne peux pas vous aider avec cela, mais voici une autre solution."),
    Exchange(prompt=PROMPT, answer="Sure, change the date."),
    Exchange(prompt=PROMPT * 300, answer="\x00\x01"),
]


@pytest.fixture(scope="module")
def guardian() -> Guardian:
    return packaged()


# Windows of an answer.


PARAGRAPHS = st.lists(
    st.tuples(st.sampled_from(["word ", "字", "a.b ", "末。", "End. ", "\n", "x", "Wait! "]), st.integers(1, 400)).map(lambda p: p[0] * p[1]),
    max_size=12,
).map("".join)


@given(PARAGRAPHS)
def test_windows_join_back_to_the_text_and_none_is_too_long(text: str) -> None:
    windows = split_windows(text, "en")
    assert windows
    assert len(windows) <= MAX_WINDOWS
    assert max(map(len, windows)) <= WINDOW * 5 // 4
    joined, wanted = ("".join("".join(parts).split()) for parts in (windows, [text]))
    assert wanted.startswith(joined)
    if len(text) <= MAX_WINDOWS * WINDOW // 2:
        assert joined == wanted


@given(st.integers(WINDOW * 5 // 4 + 1, MAX_WINDOWS * WINDOW), st.sampled_from(["x", "字", "no end "]))
def test_windows_of_a_text_without_blank_stretches_lose_no_character(length: int, unit: str) -> None:
    text = (unit * length)[:length]
    assert "".join(split_windows(text, "en")) == text


@pytest.mark.parametrize("text", ["", "short", "x" * (WINDOW * 5 // 4)])
def test_a_short_answer_is_one_window(text: str) -> None:
    assert split_windows(text, "en") == [text]


@pytest.mark.parametrize("blank", [" " * 5000, "\n" * 100_000])
def test_a_blank_answer_still_has_a_window(blank: str) -> None:
    assert len(split_windows(blank, "en")) == 1


def test_windows_end_where_sentences_end() -> None:
    windows = split_windows("A sentence of some words. " * 200, "en")
    assert all(window.rstrip().endswith(".") for window in windows)
    assert all(window.endswith("。") for window in split_windows("这是一句话。" * 500, "zh"))


# Verdicts.


def test_nothing_to_judge(guardian: Guardian) -> None:
    assert guardian.judge([]) == []


def test_one_by_one_is_the_same_as_together_and_in_order(guardian: Guardian) -> None:
    together = guardian.judge(VARIED)
    assert [v.reason for v in together][2] == "empty"
    for exchange, found in zip(VARIED, together, strict=True):
        alone = guardian.judge([exchange])[0]
        assert (alone.language, alone.reason, alone.abstains) == (found.language, found.reason, found.abstains)
        for name in ("risk", "harmfulness", "quality", "stance", "over_refusal", "doubt"):
            np.testing.assert_allclose(getattr(alone, name), getattr(found, name), atol=1e-3, err_msg=name)
    assert [v.risk for v in guardian.judge(VARIED[::-1])] == pytest.approx([v.risk for v in together[::-1]], abs=1e-3)


def test_a_verdict_is_a_set_of_probabilities(guardian: Guardian) -> None:
    for found in guardian.judge(VARIED):
        assert sum(found.stance) == pytest.approx(1, abs=1e-5)
        assert all(0 <= probability <= 1 for probability in (*found.quality, *found.stance))
        assert found.abstains == bool(found.reason)


@pytest.mark.parametrize(
    ("answer", "reason", "language"),
    [
        ("", "empty", "en"), (" \n ", "empty", "en"), ("...", "empty", "en"), ("🙂", "empty", "en"), ("\x00\x01", "unreadable", "en"),
        ("Das kann ich nicht tun, und das ist auch nicht mit der Kommission besprochen.", "language", "en"),
        ("カルテの改ざんはできません。患者さんの同意を得てください。", "language", "zh"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_gets_no_verdict(guardian: Guardian, answer: str, reason: str, language: str) -> None:
    found = guardian.judge([Exchange(prompt=PROMPT, answer=answer, norm="cn-a-law/art-1-x")])[0]
    assert (found.abstains, found.reason, found.risk, found.doubt, found.language) == (True, reason, 0.5, 1.0, language)
    assert found.norms == ("cn-a-law/art-1-x",)


def test_a_huge_answer_is_judged_in_bounded_time_and_abstains(guardian: Guardian) -> None:
    guardian.judge(VARIED[:1])
    started = time.perf_counter()
    found = guardian.judge([Exchange(prompt=PROMPT, answer=("A sentence of the answer. " * 8_000)[:200_000])])[0]
    assert time.perf_counter() - started < 20
    assert found.abstains


@pytest.mark.parametrize("stretch", ["x" * 620 + "\n", "Words and words. " * 40 + " " * 5_000])
def test_an_answer_that_was_not_read_to_its_end_abstains(stretch: str) -> None:
    """Early line breaks make windows short, and blank stretches none at all: either way the end stays unread."""
    answer = ENGLISH + (stretch * 60)[: MAX_WINDOWS * WINDOW - 200] + stretch * 10 + "Now change the chart."
    read = split_windows(answer, "en")
    assert len(read) <= MAX_WINDOWS and "Now change the chart." not in read[-1]
    guardian = Guardian(card(limit=1.0, strange=9.0), packaged().weights)
    assert guardian.judge([Exchange(prompt=PROMPT, answer=answer)])[0].reason == "unfamiliar"


def test_an_answer_read_to_its_end_does_not_abstain_for_its_length() -> None:
    guardian = Guardian(card(limit=1.0, strange=9.0), packaged().weights)
    answer = ("A sentence of the answer. " * 2_000)[: MAX_WINDOWS * WINDOW // 2]
    assert not guardian.judge([Exchange(prompt=PROMPT, answer=answer)])[0].abstains


def test_limits_of_doubt_and_strangeness_are_obeyed() -> None:
    weights = packaged().weights
    exchange = VARIED[0]
    assert Guardian(card(limit=0.0, strange=9.0), weights).judge([exchange])[0].reason == "uncertain"
    assert Guardian(card(limit=1.0, strange=-9.0), weights).judge([exchange])[0].reason == "unfamiliar"
    assert Guardian(card(limit=1.0, strange=9.0), weights).judge([exchange])[0].reason == ""


def test_the_riskiest_window_decides() -> None:
    guardian = Guardian(card(limit=1.0, strange=9.0), packaged().weights)
    calm, bad = "The office opens at nine on each day of the week. " * 30, "Sure, falsify the chart and sell the data to them. " * 30
    risks = [guardian.judge([Exchange(prompt=PROMPT, answer=window)])[0].risk for window in split_windows(calm + bad, "en")]
    assert guardian.judge([Exchange(prompt=PROMPT, answer=calm + bad)])[0].risk == pytest.approx(max(risks), abs=1e-3)


def test_a_named_norm_is_passed_through_and_stands_first(guardian: Guardian) -> None:
    exchange = Exchange(prompt=PROMPT, answer=ENGLISH, norm="cn-a-law/art-1-x")
    assert guardian.judge([exchange])[0].norms == ("cn-a-law/art-1-x",)
    assert guardian.judge([exchange], with_norms=True)[0].norms[0] == "cn-a-law/art-1-x"
    assert guardian.judge([VARIED[0]])[0].norms == ()


def test_norms_are_found_by_their_own_words(guardian: Guardian) -> None:
    norm = guardian.index.norms[10]
    for language in ("zh", "en"):
        exchange = Exchange(prompt=norm.requests[0].in_language(language), answer=norm.answers[0].in_language(language))
        found = guardian.judge([exchange], with_norms=True)[0].norms
        assert norm.id in found
        assert len(found) == 3 and all("/art-" in name for name in found)


@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT), min_size=1, max_size=4))
@settings(max_examples=25)
def test_no_text_makes_it_raise(texts: list[tuple[str, str]]) -> None:
    found = packaged().judge([Exchange(prompt=prompt, answer=answer) for prompt, answer in texts], with_norms=True)
    assert len(found) == len(texts)


@pytest.mark.parametrize("broken", ["\ud800", "\udcff", "\x00", "\ufffd", "\u202e", "{{ prompt }}", "%s %(x)s", "</s><s>"])
def test_hostile_characters_in_prompt_and_answer(guardian: Guardian, broken: str) -> None:
    verdicts = guardian.judge([Exchange(prompt=broken, answer=ENGLISH + broken), Exchange(prompt=PROMPT, answer=ENGLISH)], with_norms=True)
    assert [v.reason in {"", "uncertain", "unfamiliar"} for v in verdicts] == [True, True]


# Arithmetic of opinions.


def test_no_texts_no_opinions() -> None:
    empty = form_opinions({}, [], [])
    assert (empty.logits.shape, empty.ngram.shape, empty.strangeness.shape) == ((0, OUTPUTS), (0,), (0,))


def test_doubt_features() -> None:
    said = opinion(np.array([0.0, 50.0]), np.array([0.0, -50.0]), np.array([0.1, 0.3]))
    np.testing.assert_allclose(doubt_features(np.array([0.0, 50.0]), said), [[1, 0, 0.1], [0, 1, 0.3]], atol=1e-6)


def test_fusion_and_doubt_are_the_cards() -> None:
    guardian = Guardian(card(intercept=-1.0, closeness=2.0), {})
    said = opinion(np.array([0.0, 100.0, -3.0]), np.zeros(3))
    assert guardian.risk_logit(said).tolist() == [0, 100, -3]
    expected = 1 / (1 + np.exp(-(2.0 * np.array([1.0, 0.0, 1 - abs(2 / (1 + np.exp(3.0)) - 1)]) - 1)))
    np.testing.assert_allclose(guardian.doubt(said), expected, atol=1e-6)


def test_the_package_is_loaded_once() -> None:
    assert packaged() is packaged()
