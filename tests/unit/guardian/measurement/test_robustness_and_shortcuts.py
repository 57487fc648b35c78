"""Flips under changes that must not matter, and what can be had from one side alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from primum.guardian.measurement.robustness import measure_paraphrases, measure_robustness
from primum.guardian.measurement.shortcuts import measure_shortcuts, predict_risk
from primum.guardian.perturbation import PADDING_CHARACTERS, PERTURBATIONS, wordings
from primum.schema.guardian import Exchange, GuardianVerdict, LabelledExchange
from primum.schema.measurement import Measured
from tests.guardian_factory import StubGuardian, abstention, judged, labelled, verdict


def flips(rule: Callable[[Exchange], GuardianVerdict], count: int = 10) -> dict[str, Measured]:
    exchanges = [labelled(n % 2 == 0, answer=f"answer number {n}", cluster=f"c{n}") for n in range(count)]
    before = judged(*((e, verdict(0.9 if e.risky else 0.1)) for e in exchanges))
    return {found.subject: found for found in measure_robustness(StubGuardian(rule), before, seed=3)}


def test_a_guardian_that_holds_has_no_flips() -> None:
    found = flips(lambda exchange: verdict(0.9))
    assert set(found) == {*PERTURBATIONS, "language"}
    for kind in PERTURBATIONS:
        assert (found[kind].estimate.value, found[kind].estimate.n) == (0.5, 10), "the other half was safe before"
    assert found["polite"].holds is False


def test_only_the_change_that_matters_flips() -> None:
    def fooled(exchange: Exchange) -> GuardianVerdict:
        risky = int(next(c for c in exchange.answer.split("number")[-1] if c.isdigit())) % 2 == 0 if "number" in exchange.answer else True
        return verdict(0.1 if len(exchange.answer) > PADDING_CHARACTERS else 0.9 if risky else 0.1)

    found = flips(fooled)
    assert found["padding"].estimate.value == 0.5
    assert found["polite"].estimate.value == found["disclaimer"].estimate.value == found["injected"].estimate.value == 0
    assert found["polite"].holds is True


def test_a_verdict_that_turns_into_an_abstention_is_counted_apart() -> None:
    found = flips(lambda exchange: abstention("uncertain"))
    assert (found["injected"].estimate.value, found["injected"].estimate.unscored) == (None, {"abstained": 10})


def test_what_was_not_decided_before_is_left_out_and_news_is_told() -> None:
    told: list[int] = []
    before = judged((labelled(True, answer="a"), verdict(0.9)), (labelled(True, answer="b"), abstention("uncertain")))
    stub = StubGuardian(lambda exchange: verdict(0.9))
    found = list(measure_robustness(stub, before, seed=1, advance=told.append))
    assert told == [1] * len(PERTURBATIONS)
    assert {f.estimate.n for f in found if f.subject != "language"} == {1}
    trained = wordings("train")
    assert not any(text in exchange.answer for exchange in stub.shown for kind in (trained.polite, trained.injected) for text in kind.en)


def test_the_same_exchange_in_both_languages() -> None:
    def pair(source: str, zh: float, en: float) -> Iterable[tuple[LabelledExchange, GuardianVerdict]]:
        yield labelled(True, language="zh", source=source, cluster=source), verdict(zh)
        yield labelled(True, language="en", source=source, cluster=source), verdict(en)

    lone = (labelled(True, language="zh", source="lone"), verdict(0.9))
    nameless = [(labelled(True, language="zh"), verdict(0.9)), (labelled(True, language="en"), verdict(0.1))]
    before = judged(*pair("a", 0.9, 0.8), *pair("b", 0.9, 0.2), *pair("c", 0.1, 0.2), *pair("d", 0.6, 0.7), lone, *nameless)
    (found,) = [f for f in measure_robustness(StubGuardian(lambda e: verdict(0.9)), before, seed=1) if f.subject == "language"]
    assert (found.estimate.value, found.estimate.n) == (0.25, 4)


def test_paraphrases() -> None:
    risks = {"a": 0.9, "A": 0.8, "b": 0.2, "B": 0.9, "c": 0.2, "C": 0.1}

    def rule(exchange: Exchange) -> GuardianVerdict:
        return abstention("uncertain") if exchange.answer in "dDE" else verdict(risks.get(exchange.answer, 0.9))

    pairs = [(labelled(True, answer=name, cluster=name), name.upper()) for name in "abcde"]
    found = measure_paraphrases(StubGuardian(rule), pairs)
    assert found.estimate.value == pytest.approx(1 / 3)
    assert (found.estimate.n, found.estimate.unscored) == (3, {"abstained": 1})


def toy(part: str, *, tell: str) -> list[LabelledExchange]:
    """Exchanges in which one side gives the label away."""
    words = {True: "please hide the file", False: "how is the form filled in"}
    made = []
    for n in range(40):
        risky = n % 2 == 0
        told, flat = f"{words[risky]} {part} {n}", f"the same words {part} {n // 2}"
        prompt, answer = (told, flat) if tell == "prompt" else (flat, told)
        made.append(labelled(risky, form="twin" if n % 4 < 2 else "violating", cluster=f"{part}{n}", prompt=prompt, answer=answer))
    return made


@pytest.mark.parametrize("tell", ["prompt", "answer"])
def test_a_control_finds_what_its_side_gives_away(tell: str) -> None:
    train, test = toy("train", tell=tell), toy("test", tell=tell)
    found = {(f.subject, f.estimate.metric): f.estimate for f in measure_shortcuts(train, test)}
    other = "answer" if tell == "prompt" else "prompt"
    assert set(found) == {(s, m) for s in ("prompt only", "answer only", "both, linear") for m in ("hard_pair_accuracy", "risk_accuracy")}
    assert found[f"{tell} only", "risk_accuracy"].value == 1
    assert found["both, linear", "risk_accuracy"].value == 1
    blind = found[f"{other} only", "risk_accuracy"].value
    assert blind is not None and blind < 0.8
    assert found["prompt only", "hard_pair_accuracy"].n == 20
    assert found["prompt only", "risk_accuracy"].n == 40


def test_a_control_does_not_see_the_other_side() -> None:
    train, test = toy("train", tell="prompt"), toy("test", tell="prompt")
    changed = [e.model_copy(update={"exchange": e.exchange.model_copy(update={"answer": "anything else"})}) for e in test]
    assert predict_risk(train, test, "prompt").tolist() == pytest.approx(predict_risk(train, changed, "prompt").tolist(), abs=1e-6)
