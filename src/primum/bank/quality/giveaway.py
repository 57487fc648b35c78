"""What a solver finds who never reads the question: from the options alone, and from the outward form of the question alone.

Both are trained and tested on different norms. The options-only solver sees each option's words, its length, how much it shares with the other
four, and whether it has a near twin; three models are tried (linear on words, linear on words and signs, boosted trees on signs), and the best
one counts. The bar: at most eight points above chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from primum.bank.forms.conduct_choice import asks_for_conduct
from primum.bank.quality.limits import Limits
from primum.bank.quality.report import Check
from primum.bank.wording import overlaps, visible_length, word_counts
from primum.schema.base import LANGUAGES, Language
from primum.schema.item import LETTERS, Item
from primum.stats.intervals import estimate_proportion
from primum.stats.observations import Quantity

_FOLDS: Final = 5
_SEED: Final = 20261121
_MODELS: Final = ("words", "words and signs", "signs, boosted")
_NGRAMS: Final[dict[Language, dict[str, Any]]] = {
    "zh": {"analyzer": "char", "ngram_range": (1, 3), "min_df": 3},
    "en": {"analyzer": "word", "ngram_range": (1, 2), "min_df": 3},
}


def check_giveaways(items: Mapping[Language, Sequence[Item]], limits: Limits) -> Iterator[Check]:
    """One check a language and a kind of item."""
    for language in LANGUAGES:
        single = [item for item in items[language] if item.form == "single_choice"]
        conduct = [item for item in single if asks_for_conduct(item)]
        yield _against_chance(f"options only, five conducts ({language})", *options_only(conduct, language), conduct, limits)
        patterns = [item for item in single if not asks_for_conduct(item)]
        yield _against_chance(f"options only, violation patterns ({language})", *options_only(patterns, language), patterns, limits)
        verdicts = [item for item in items[language] if item.form == "judgement"]
        yield _against_chance(f"form of the question only, judgement ({language})", *form_only(verdicts, language), verdicts, limits)
        yield _against_chance(f"form of the question only, letters ({language})", *form_only(conduct, language), conduct, limits)


def _against_chance(name: str, hits: np.ndarray, which: str, items: Sequence[Item], limits: Limits) -> Check:
    if not items:
        return Check(name=name, value=0.0, n=0, note="no items")
    chance = float(np.mean([1 / len(item.options) for item in items]))
    share = estimate_proportion([bool(hit) for hit in hits], quantity=Quantity(metric="accuracy"), clusters=[item.norm for item in items])
    interval = f"{share.low:.3f} to {share.high:.3f}" if share.low is not None and share.high is not None else "no interval"
    return Check(
        name=name,
        value=round(float(hits.mean()), 4),
        high=round(chance + limits.above_chance, 4),
        n=len(items),
        note=f"chance {chance:.2f}, {which}, {interval}",
    )


def options_only(items: Sequence[Item], language: Language) -> tuple[np.ndarray, str]:
    """Which items a solver gets right that sees options alone.

    Returns:
        Hits of the best of the models, shape ``(items,)``, and its name.
    """
    if not items:
        return np.zeros(0), ""
    signs = np.array([row for item in items for row in option_signs(item.options, language)])
    texts = [option for item in items for option in item.options]
    right = np.array([letter in item.answer for item in items for letter in LETTERS[: len(item.options)]])
    owner = np.repeat(np.arange(len(items)), [len(item.options) for item in items])
    groups = np.array([item.norm for item in items for _ in item.options])
    with _one_thread():
        found = {name: hits_of(_predict(name, texts, signs, right, groups, language), owner, right, len(items)) for name in _MODELS}
    best = max(found, key=lambda name: float(found[name].mean()))
    return found[best], best


def _one_thread() -> Any:
    """Small models: threads that wait for each other on a busy machine cost many times what they save."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1)


def hits_of(scores: np.ndarray, owner: np.ndarray, right: np.ndarray, n: int) -> np.ndarray:
    """Whether the option with the highest score is right, item by item.

    Args:
        scores: One an option.
        owner: Item of each option.
        right: Whether each option is right.
        n: Number of items.
    """
    hits = np.zeros(n, dtype=bool)
    for place in range(n):
        rows = np.flatnonzero(owner == place)
        hits[place] = right[rows[np.argmax(scores[rows])]]
    return hits


def _predict(name: str, texts: list[str], signs: np.ndarray, right: np.ndarray, groups: np.ndarray, language: Language) -> np.ndarray:
    from scipy.sparse import csr_matrix, hstack
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold

    scores = np.zeros(len(texts))
    for train, test in GroupKFold(min(_FOLDS, len(set(groups)))).split(texts, groups=groups):
        if name == "signs, boosted":
            trees = HistGradientBoostingClassifier(max_iter=80, learning_rate=0.06, max_leaf_nodes=8, random_state=_SEED)
            scores[test] = trees.fit(signs[train], right[train]).predict_proba(signs[test])[:, 1]
            continue
        words = TfidfVectorizer(sublinear_tf=True, **_NGRAMS[language])
        seen, unseen = words.fit_transform([texts[row] for row in train]), words.transform([texts[row] for row in test])
        if name != "words":
            seen, unseen = hstack([seen, csr_matrix(signs[train])]).tocsr(), hstack([unseen, csr_matrix(signs[test])]).tocsr()
        linear = LogisticRegression(C=0.5, max_iter=400, class_weight="balanced")
        scores[test] = linear.fit(seen, right[train]).predict_proba(unseen)[:, 1]
    return scores


def option_signs(options: Sequence[str], language: Language) -> list[list[float]]:
    """Outward signs of each option among the others: length and its rank, closeness to the others and its rank, nearest twin, digits, commas."""
    lengths = [float(visible_length(option, language)) for option in options]
    counts = [word_counts(option, language) for option in options]
    near = overlaps(counts)
    middle = [sum(row) for row in near]
    twin = [max(row) for row in near]
    columns = [
        _standard(lengths), _ranks(lengths), _standard(middle), _ranks(middle), _standard(twin), _ranks(twin),
        [float(bool(re.search(r"\d", option))) for option in options],
        _standard([float(len(re.findall(r"[,，、;；:：]", option))) for option in options]),
    ]  # fmt: skip
    return [list(row) for row in zip(*columns, strict=True)]


def _standard(values: Sequence[float]) -> list[float]:
    array = np.asarray(values)
    spread = float(array.std())
    return [float(value) for value in (array - array.mean()) / spread] if spread > 0 else [0.0] * len(array)


def _ranks(values: Sequence[float]) -> list[float]:
    return [sum(other > value for other in values) / max(1, len(values) - 1) for value in values]


def form_only(items: Sequence[Item], language: Language) -> tuple[np.ndarray, str]:
    """Which items a solver gets right that sees only the outward form of the question: lengths, sentences, digits, quotation marks, form.

    It predicts the text of the answer where all items share their options (allowed, not allowed), else the letter.
    """
    if not items:
        return np.zeros(0), ""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import GroupKFold

    shared = len({tuple(sorted(item.options)) for item in items}) == 1
    keyed = [item.options[LETTERS.index(item.answer[0])] if shared else item.answer[0] for item in items]
    kinds = {name: float(rank) for rank, name in enumerate(sorted({item.groups["form"] for item in items}))}
    signs = np.array([[*question_signs(item.question, language), kinds[item.groups["form"]]] for item in items])
    groups = np.array([item.norm for item in items])
    target = np.array(keyed)
    guessed = np.empty(len(items), dtype=target.dtype)
    with _one_thread():
        for train, test in GroupKFold(min(_FOLDS, len(set(groups)))).split(signs, groups=groups):
            trees = HistGradientBoostingClassifier(max_iter=60, learning_rate=0.06, max_leaf_nodes=8, random_state=_SEED)
            guessed[test] = trees.fit(signs[train], target[train]).predict(signs[test])
    return guessed == target, "boosted"


def question_signs(question: str, language: Language) -> list[float]:
    """Outward signs of a question."""
    patterns = (r"[。.!?！？]", r"\d", r"[“”\"「」]", r"[,，、;；]", r"[()（）]", r"[A-Za-z]{2,}")
    return [
        float(visible_length(question, language)),
        float(question.count("\n")),
        *(float(len(re.findall(pattern, question))) for pattern in patterns),
    ]
