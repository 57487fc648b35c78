"""What is fitted besides the network: the linear member, the fusion of both, temperatures, and when to abstain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from primum.guardian.batches import tokenise_pairs
from primum.guardian.guardian import Opinion, doubt_features, form_opinions
from primum.guardian.network import HARM, OVER_REFUSAL, QUALITY, RISK, STANCE
from primum.guardian.ngrams import ngram_counts, ngram_features
from primum.guardian.weights import Doubt, Fusion, GuardianCard, Origin
from primum.schema.guardian import QUALITY_NAMES, STANCES, LabelledExchange

# Share of calibration exchanges that may be turned away for doubt; those turned away for strangeness come on top.
ABSTAINED: Final = 0.12
_STRANGE_QUANTILE: Final = 0.998
_TEMPERATURES: Final = np.geomspace(0.4, 6.0, 60)


def fit_ngrams(train: Sequence[LabelledExchange]) -> dict[str, np.ndarray]:
    """Logistic regression on hashed token n-grams, weighted by inverse document frequency."""
    from sklearn.linear_model import LogisticRegression

    pairs = tokenise_pairs([e.exchange.prompt for e in train], [e.exchange.answer for e in train])
    present = np.concatenate([np.asarray((counts > 0).sum(axis=0)).ravel() for counts in ngram_counts(pairs)])
    # Seen once, an n-gram says nothing about others.
    idf = np.where(present >= 2, np.log((1 + len(train)) / (1 + present)) + 1, 0).astype(np.float16).astype(np.float32)
    features = ngram_features(pairs, idf)
    # The dual coordinate solver takes seconds where there are many more columns than rows.
    model = LogisticRegression(C=12.0, solver="liblinear", dual=True, max_iter=200, random_state=0).fit(features, [e.risky for e in train])
    return {"ngram.idf": idf, "ngram.coef": model.coef_[0].astype(np.float32), "ngram.intercept": model.intercept_.astype(np.float32)}


def fit_card(weights: dict[str, np.ndarray], calibration: Sequence[LabelledExchange], origin: Origin) -> GuardianCard:
    """Everything that is fitted on exchanges that training did not see."""
    opinion = form_opinions(weights, [e.exchange.prompt for e in calibration], [e.exchange.answer for e in calibration])
    risky = np.array([e.risky for e in calibration])
    fusion = _fuse(opinion, risky)
    logit = fusion.network * opinion.logits[:, RISK] + fusion.ngram * opinion.ngram + fusion.intercept
    return GuardianCard(origin=origin, fusion=fusion, temperatures=_temperatures(opinion.logits, calibration), doubt=_doubt(logit, opinion, risky))


def _fuse(opinion: Opinion, risky: np.ndarray) -> Fusion:
    from sklearn.linear_model import LogisticRegression

    model: Any = LogisticRegression(C=10.0).fit(np.stack([opinion.logits[:, RISK], opinion.ngram], axis=1), risky)
    return Fusion(network=float(model.coef_[0, 0]), ngram=float(model.coef_[0, 1]), intercept=float(model.intercept_[0]))


def _doubt(logit: np.ndarray, opinion: Opinion, risky: np.ndarray) -> Doubt:
    """How likely a verdict is wrong; limits that turn away the most doubtful and the strangest."""
    from sklearn.linear_model import LogisticRegression

    features = doubt_features(logit, opinion)
    wrong = (logit > 0) != risky
    if wrong.sum() < 5:
        coefficients, intercept = np.array([4.0, 1.0, 1.0]), -4.0
    else:
        model: Any = LogisticRegression(C=10.0).fit(features, wrong)
        # More doubt for what is closer to one half, more disputed or stranger, never less: a negative weight is chance.
        coefficients, intercept = np.maximum(model.coef_[0], 0), float(model.intercept_[0])
    doubt = 1 / (1 + np.exp(-(features @ coefficients + intercept)))
    return Doubt(
        intercept=intercept,
        closeness=float(coefficients[0]),
        disagreement=float(coefficients[1]),
        strangeness=float(coefficients[2]),
        limit=float(np.quantile(doubt, 1 - ABSTAINED)),
        strange=float(np.quantile(opinion.strangeness, _STRANGE_QUANTILE)),
    )


def _temperatures(logits: np.ndarray, calibration: Sequence[LabelledExchange]) -> dict[str, float]:
    """One divisor a head that makes its probabilities fit best (Guo et al. 2017, arXiv 1706.04599)."""
    found: dict[str, float] = {}
    harm = [row for row, e in enumerate(calibration) if e.harmfulness is not None]
    above = np.array([[(calibration[row].harmfulness or 0) > level for level in (1, 2, 3, 4)] for row in harm]).reshape(len(harm), 4)
    found["harmfulness"] = _best(logits[harm][:, HARM], above)
    judged = [(row, e.quality) for row, e in enumerate(calibration) if e.quality is not None]
    for place, name in enumerate(QUALITY_NAMES):
        found[name] = _best(logits[[row for row, _ in judged], QUALITY.start + place], np.array([quality[place] for _, quality in judged]))
    stances = [(row, STANCES.index(e.stance)) for row, e in enumerate(calibration) if e.stance is not None]
    rows, wanted = [row for row, _ in stances], np.array([stance for _, stance in stances])
    found["stance"] = float(min(_TEMPERATURES, key=lambda t: _multiclass_loss(logits[rows, STANCE] / t, wanted))) if rows else 1.0
    benign = [(row, e.stance != "full") for row, e in enumerate(calibration) if e.benign and e.stance is not None]
    found["over_refusal"] = _best(logits[[row for row, _ in benign], OVER_REFUSAL], np.array([over for _, over in benign]))
    return found


def _best(logits: np.ndarray, happened: np.ndarray) -> float:
    """The divisor that fits best; 1 where nothing is labelled."""
    if not logits.size:
        return 1.0

    def cross_entropy(temperature: float) -> float:
        signed = np.where(happened, 1.0, -1.0) * logits / temperature
        return float(np.logaddexp(0, -signed).mean())

    return float(min(_TEMPERATURES, key=cross_entropy))


def _multiclass_loss(logits: np.ndarray, wanted: np.ndarray) -> float:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return float(-(shifted[np.arange(len(wanted)), wanted] - np.log(np.exp(shifted).sum(axis=1))).mean())
