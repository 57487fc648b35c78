"""Items that give themselves away are withheld: adversarial filtering after AFLite (Le Bras et al. 2020, arXiv 2002.04108).

Writers mend what they can; wording still correlates with rightness in the rest. Linear models on words, trained on random halves of the norms and
applied to the other half, vote on every item; those that most votes find without the question are dropped, a slice at a time, and the models are
trained anew on what is left, until they come near chance. Every other pair of votes also sees outward signs (length, closeness to the others).
Withheld items stay norms' material (training, violation detection) and are left out of the one-right-answer forms. The list is a reviewed file of
the package, so that building needs no model. The figure that `primum bank check` reports comes from other models, features and folds than those
that filter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from primum.bank.quality.giveaway import hits_of, option_signs, question_signs
from primum.hashing import derived_seed
from primum.schema.base import LANGUAGES, Language
from primum.schema.item import LETTERS, Item

METHOD: Final = "adversarial filtering (AFLite): linear models on option wording, trained on other norms, find these without the question"
_ROUNDS: Final = 8
Votes = Callable[[Sequence[Item], Language, int], np.ndarray]
_SLICE: Final = 0.04
_FEATURES: Final[dict[Language, dict[str, Any]]] = {
    "zh": {"analyzer": "char", "ngram_range": (1, 2), "min_df": 2},
    "en": {"analyzer": "word", "ngram_range": (1, 1), "min_df": 2},
}


def judged(item: Item) -> bool:
    """True for judgements, whose question's outward form must not tell the verdict."""
    return item.form == "judgement"


def screen(
    items: Mapping[Language, Sequence[Item]],
    *,
    target: float,
    most: float,
    seed: int,
    report: Callable[[int, float], None] = lambda left, share: None,
    votes_of: Votes | None = None,
) -> list[str]:
    """Ids of items to withhold, sorted.

    Args:
        items: The same one-right-answer items in both languages, in the same order.
        target: Stop when the voting models are right on at most this share in both languages.
        most: Never withhold more than this share.
        seed: Of the random halves.
        report: Told, round by round, how many items are left and the larger share of hits.
        votes_of: How often each item is found: from its options, or (:func:`form_votes`) from the outward form of its question.
    """
    left = list(range(len(items["zh"])))
    withheld: list[int] = []
    while len(withheld) < most * len(items["zh"]):
        votes = {language: (votes_of or option_votes)([items[language][place] for place in left], language, seed) for language in LANGUAGES}
        report(len(left), max(float(share.mean()) for share in votes.values()))
        if all(float(share.mean()) <= target for share in votes.values()):
            break
        # An item must go when either language gives it away.
        worst = np.maximum(votes["zh"] - float(votes["zh"].mean() <= target), votes["en"] - float(votes["en"].mean() <= target))
        size = max(1, int(_SLICE * len(left)))
        order = sorted(range(len(left)), key=lambda place: (-worst[place], derived_seed("screen", seed, items["zh"][left[place]].id)))
        gone = set(order[:size])
        withheld += [left[place] for place in gone]
        left = [number for place, number in enumerate(left) if place not in gone]
    return sorted(items["zh"][number].id for number in withheld)


def form_votes(items: Sequence[Item], language: Language, seed: int) -> np.ndarray:
    """As :func:`option_votes`, for a solver that sees only the outward form of a question and says allowed or not."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    signs = StandardScaler().fit_transform(np.array([question_signs(item.question, language) for item in items]))
    verdicts = np.array([item.groups["verdict"] == "forbidden" for item in items])

    def hits(number: int, trained: np.ndarray) -> np.ndarray:
        model = LogisticRegression(max_iter=300).fit(signs[trained], verdicts[trained])
        return np.asarray(model.predict(signs) == verdicts)

    return _share_found(items, language, seed, hits)


def option_votes(items: Sequence[Item], language: Language, seed: int) -> np.ndarray:
    """Share of rounds in which an item outside the training half was found from its options alone, shape ``(items,)``."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    owner = np.repeat(np.arange(len(items)), [len(item.options) for item in items])
    right = np.array([letter in item.answer for item in items for letter in LETTERS[: len(item.options)]])
    words = TfidfVectorizer(sublinear_tf=True, **_FEATURES[language]).fit_transform([option for item in items for option in item.options])
    signs = csr_matrix(np.array([row for item in items for row in option_signs(item.options, language)]))

    def hits(number: int, trained: np.ndarray) -> np.ndarray:
        seen = words if number // 2 % 2 == 0 else hstack([words, signs]).tocsr()
        model = LogisticRegression(C=1.0, max_iter=300, class_weight="balanced").fit(seen[trained[owner]], right[trained[owner]])
        return hits_of(model.decision_function(seen), owner, right, len(items))

    return _share_found(items, language, seed, hits)


def _share_found(items: Sequence[Item], language: Language, seed: int, hits: Callable[[int, np.ndarray], np.ndarray]) -> np.ndarray:
    """Of the rounds that did not train on an item, the share that found it; ``hits`` is given the round and what it trains on."""
    found, tried = np.zeros(len(items)), np.zeros(len(items))
    for number, trained in enumerate(_halves(items, language, seed)):
        found += hits(number, trained) & ~trained
        tried += ~trained
    return np.asarray(found / np.maximum(tried, 1))


def _halves(items: Sequence[Item], language: Language, seed: int) -> Iterator[np.ndarray]:
    """Which items a round trains on: random halves of the norms, each followed by its complement."""
    norms = sorted({item.norm for item in items})
    for number in range(_ROUNDS):
        rng = np.random.default_rng(derived_seed("halves", seed, language, number // 2))
        half = set(rng.permutation(norms)[: len(norms) // 2])
        if number % 2:
            half = set(norms) - half
        yield np.array([item.norm in half for item in items])
