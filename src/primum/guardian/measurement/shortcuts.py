"""What can be had without reading both sides: classifiers that see the prompt alone or the answer alone.

They are as strong as cheap ones get (token n-grams, the frozen sentence encoder, and both together), trained on the guardian's own training part.
A guardian that does not clearly beat them on hard pairs has learnt how people write, not what they say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np

from primum.guardian.batches import tokenise_pairs, visible_wording
from primum.guardian.material import HARD_FORMS
from primum.guardian.ngrams import ANSWER_BITS, PROMPT_BITS, ngram_features
from primum.norms.sentence_encoder import encode_sentences
from primum.schema.guardian import LabelledExchange
from primum.schema.measurement import Measured
from primum.stats.intervals import estimate_proportion
from primum.stats.observations import Quantity

Side = Literal["prompt", "answer", "both"]
SECTION: Final = "shortcuts"


def measure_shortcuts(train: Sequence[LabelledExchange], test: Sequence[LabelledExchange]) -> Iterator[Measured]:
    """Accuracy of each control on hard pairs and on all held-out material."""
    hard = np.array([exchange.form in HARD_FORMS for exchange in test])
    labels = np.array([exchange.risky for exchange in test])
    clusters = [exchange.cluster for exchange in test]
    for side in ("prompt", "answer", "both"):
        right = (predict_risk(train, test, side) > 0.5) == labels
        name = "both, linear" if side == "both" else f"{side} only"
        for metric, rows in (("hard_pair_accuracy", np.flatnonzero(hard)), ("risk_accuracy", np.arange(len(test)))):
            estimate = estimate_proportion(right[rows].astype(float), quantity=Quantity(metric=metric), clusters=[clusters[row] for row in rows])
            yield Measured(section=SECTION, subject=name, estimate=estimate)


def predict_risk(train: Sequence[LabelledExchange], test: Sequence[LabelledExchange], side: Side) -> np.ndarray:
    """Probability of risk by a control that sees one side, or both linearly; (len(test),)."""
    from sklearn.linear_model import LogisticRegression

    wanted = [exchange.risky for exchange in train]
    found = []
    for features in (_ngrams, _sentences):
        model: Any = LogisticRegression(C=12.0, solver="liblinear", dual=features is _ngrams, max_iter=300, random_state=0)
        model.fit(features(train, side), wanted)
        found.append(model.predict_proba(features(test, side))[:, 1])
    return np.asarray(np.mean(found, axis=0))


def _texts(exchanges: Sequence[LabelledExchange], side: Side) -> tuple[list[str], list[str]]:
    prompts = ["" if side == "answer" else exchange.exchange.prompt for exchange in exchanges]
    answers = ["" if side == "prompt" else exchange.exchange.answer for exchange in exchanges]
    return prompts, answers


def _ngrams(exchanges: Sequence[LabelledExchange], side: Side) -> Any:
    return ngram_features(tokenise_pairs(*_texts(exchanges, side)), np.ones((1 << ANSWER_BITS) + (1 << PROMPT_BITS), dtype=np.float32))


def _sentences(exchanges: Sequence[LabelledExchange], side: Side) -> np.ndarray:
    return np.concatenate([_encoded(tuple(texts)) for texts in _texts(exchanges, side) if any(texts)], axis=1)


@lru_cache(maxsize=4)
def _encoded(texts: tuple[str, ...]) -> np.ndarray:
    """Sentence vectors; equal texts are encoded once, and one side's serve for both."""
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    vectors = encode_sentences([visible_wording(text) for text in places])
    return vectors[[places[text] for text in texts]]
