"""What is fitted besides the network: the useful member is found, temperatures are positive, and about the share asked for is turned away."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from primum.guardian import fitting
from primum.guardian.batches import tokenise_pairs
from primum.guardian.fitting import ABSTAINED, fit_card, fit_ngrams
from primum.guardian.guardian import Guardian, Opinion
from primum.guardian.network import HARM, OUTPUTS, OVER_REFUSAL, QUALITY, RISK, STANCE
from primum.guardian.ngrams import ngram_counts, ngram_logits
from primum.guardian.weights import GuardianCard, save_card
from primum.schema.guardian import QUALITY_NAMES, STANCES, LabelledExchange
from tests.guardian_factory import card, labelled

ROWS = 600
ORIGIN = card().origin


def calibration() -> list[LabelledExchange]:
    """Half risky, every head labelled."""
    return [
        labelled(
            n % 2 == 0,
            cluster=f"c{n}",
            harmfulness=4 if n % 2 == 0 else 1,
            quality=None if n % 2 == 0 else (n % 3 == 0, n % 5 == 0, True, False),
            stance=STANCES[n % 3],
            benign=n % 4 == 1,
        )
        for n in range(ROWS)
    ]


def opinion_of(rows: list[LabelledExchange], *, network: float, ngram: float, wrong: float = 0.05, sharp: float = 1.0) -> Opinion:
    """Members that know the label by so much, in noise; every other head knows its label."""
    rng = np.random.default_rng(0)
    sign = np.array([1.0 if e.risky else -1.0 for e in rows])
    heard = np.where(rng.random(len(rows)) < wrong, -sign, sign)
    logits = rng.normal(0, 1, (len(rows), OUTPUTS))
    logits[:, RISK] = network * heard + rng.normal(0, 1, len(rows))
    for row, exchange in enumerate(rows):
        logits[row, HARM] += [3 * sharp * (1 if (exchange.harmfulness or 0) > level else -1) for level in (1, 2, 3, 4)]
        if exchange.quality:
            logits[row, QUALITY] += [3 * sharp * (1 if flag else -1) for flag in exchange.quality]
        if exchange.stance:
            logits[row, STANCE.start + STANCES.index(exchange.stance)] += 4 * sharp
        logits[row, OVER_REFUSAL] += 3 * sharp * (1 if exchange.stance != "full" else -1)
    strangeness = np.abs(rng.normal(0.3, 0.1, len(rows)))
    return Opinion(logits.astype(np.float32), (ngram * sign + rng.normal(0, 1, len(rows))).astype(np.float32), strangeness.astype(np.float32))


def fitted(monkeypatch: pytest.MonkeyPatch, rows: list[LabelledExchange], said: Opinion) -> GuardianCard:
    monkeypatch.setattr(fitting, "form_opinions", lambda weights, prompts, answers: said)
    return fit_card({}, rows, ORIGIN)


@pytest.mark.parametrize(("network", "ngram"), [(3.0, 0.0), (0.0, 3.0)])
def test_fusion_finds_the_useful_member(monkeypatch: pytest.MonkeyPatch, network: float, ngram: float) -> None:
    found = fitted(monkeypatch, calibration(), opinion_of(calibration(), network=network, ngram=ngram)).fusion
    useful, useless = (found.network, found.ngram) if network else (found.ngram, found.network)
    assert useful > 0.5
    assert abs(useless) < 0.2 * useful


def test_fusion_takes_both_where_both_help(monkeypatch: pytest.MonkeyPatch) -> None:
    found = fitted(monkeypatch, calibration(), opinion_of(calibration(), network=1.0, ngram=1.0)).fusion
    assert min(found.network, found.ngram) > 0.3


def test_fused_probabilities_are_true(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = calibration()
    said = opinion_of(rows, network=1.0, ngram=0.5)
    logit = Guardian(fitted(monkeypatch, rows, said), {}).risk_logit(said)
    risk, risky = 1 / (1 + np.exp(-logit)), np.array([e.risky for e in rows], float)
    assert risk.mean() == pytest.approx(risky.mean(), abs=0.01)
    sure = risk > 0.8
    assert risky[sure].mean() == pytest.approx(risk[sure].mean(), abs=0.06)


@pytest.mark.parametrize("network", [0.0, 1.0, 3.0, 40.0])
def test_about_the_share_asked_for_is_turned_away(monkeypatch: pytest.MonkeyPatch, network: float) -> None:
    rows = calibration()
    said = opinion_of(rows, network=network, ngram=0.3, wrong=0.0 if network == 40 else 0.05)
    found = fitted(monkeypatch, rows, said)
    doubt = Guardian(found, {}).doubt(said)
    assert (doubt > found.doubt.limit).mean() == pytest.approx(ABSTAINED, abs=0.02)
    assert (said.strangeness > found.doubt.strange).mean() < 0.01
    assert min(found.doubt.closeness, found.doubt.disagreement, found.doubt.strangeness) >= 0


def test_those_turned_away_are_wrong_more_often(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = calibration()
    said = opinion_of(rows, network=1.2, ngram=0.6, wrong=0.0)
    guardian = Guardian(fitted(monkeypatch, rows, said), {})
    wrong = (guardian.risk_logit(said) > 0) != np.array([e.risky for e in rows])
    away = guardian.doubt(said) > guardian.card.doubt.limit
    assert wrong[away].mean() > 2 * wrong[~away].mean()


def test_temperatures_are_positive_and_cool_what_is_too_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = calibration()
    plain = fitted(monkeypatch, rows, opinion_of(rows, network=2.0, ngram=0.0, sharp=0.3)).temperatures
    loud = opinion_of(rows, network=2.0, ngram=0.0, sharp=0.3)
    loud.logits[:, 1:] *= 4
    cooled = fitted(monkeypatch, rows, loud).temperatures
    assert set(plain) == {"harmfulness", "stance", "over_refusal", *QUALITY_NAMES}
    assert all(value > 0 for value in plain.values())
    assert cooled["harmfulness"] == pytest.approx(4 * plain["harmfulness"], rel=0.15)
    assert cooled["stance"] == pytest.approx(4 * plain["stance"], rel=0.15)


def test_heads_that_nobody_labelled_are_left_as_they_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows = [labelled(n % 2 == 0, cluster=f"c{n}") for n in range(100)]
    found = fitted(monkeypatch, rows, opinion_of(rows, network=2.0, ngram=0.0))
    assert set(found.temperatures.values()) == {1.0}
    save_card(tmp_path, found)


def test_the_linear_member_learns_wording() -> None:
    words = ("sign it in her name", "ask for consent first")
    train = [labelled(n % 2 == 0, answer=f"Well, {words[n % 2]}, case {n}.", prompt=f"prompt {n % 7}") for n in range(80)]
    weights = fit_ngrams(train)
    logits = ngram_logits(weights, tokenise_pairs(["prompt"] * 2, [f"So {word} now." for word in words]))
    assert logits[0] > 0 > logits[1]
    assert (weights["ngram.idf"] >= 0).all()


def test_an_n_gram_seen_once_has_no_weight() -> None:
    train = [labelled(n % 2 == 0, answer="zebra" if n == 0 else "same words here", prompt="p") for n in range(20)]
    rare, _ = ngram_counts(tokenise_pairs(["p"], ["zebra"]))
    common, _ = ngram_counts(tokenise_pairs(["p"], ["same words here"]))
    idf = fit_ngrams(train)["ngram.idf"]
    assert (idf[list(set(rare.indices) - set(common.indices))] == 0).all()
    assert (idf[common.indices] > 0).all()


def test_fitting_is_deterministic() -> None:
    train = [labelled(n % 2 == 0, answer=f"answer number {n} of a kind {n % 2}", prompt="p") for n in range(40)]
    one, two = fit_ngrams(train), fit_ngrams(train)
    for name, array in one.items():
        np.testing.assert_array_equal(array, two[name])
