"""The guardian's second member: a linear model on hashed n-grams of the encoder's tokens, of prompt and answer.

It sees exact wording ("afterwards", "need not", names of documents) that pooled vectors blur; where it and the network disagree, the guardian is
less sure. Tokens are hashed as numbers, which takes a tenth of a millisecond where hashing characters took six.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from primum.guardian.batches import Pairs

ANSWER_BITS: Final = 18
PROMPT_BITS: Final = 17
_ANSWER_ORDER, _PROMPT_ORDER = 3, 2
# Multiplicative hashing (Knuth); the salts keep prompt and answer apart.
_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)
_SALTS: Final = (np.uint64(1), np.uint64(2))


def ngram_counts(pairs: Pairs) -> tuple[Any, Any]:
    """Log-scaled counts of hashed n-grams: answers (n, 2^18), prompts (n, 2^17), sparse."""
    answers = _hashed(pairs.answers, _ANSWER_ORDER, ANSWER_BITS, _SALTS[0])
    prompts = _hashed(pairs.prompts, _PROMPT_ORDER, PROMPT_BITS, _SALTS[1])
    return answers, prompts[pairs.prompt_of]


def ngram_features(pairs: Pairs, idf: np.ndarray) -> Any:
    """Rows for the linear model: counts weighted by ``idf`` of all columns, each text's part of unit length; sparse, (n, 2^18 + 2^17)."""
    import scipy.sparse as sparse

    answers, prompts = ngram_counts(pairs)
    parts = [_weighted(answers, idf[: 1 << ANSWER_BITS]), _weighted(prompts, idf[1 << ANSWER_BITS :])]
    return sparse.hstack(parts, format="csr", dtype=np.float32)


def ngram_logits(weights: Mapping[str, np.ndarray], pairs: Pairs) -> np.ndarray:
    """Logit of risk, shape (n,)."""
    return np.asarray(ngram_features(pairs, weights["ngram.idf"]) @ weights["ngram.coef"] + weights["ngram.intercept"], dtype=np.float32)


def _hashed(texts: Sequence[Sequence[int]], order: int, bits: int, salt: np.uint64) -> Any:
    import scipy.sparse as sparse

    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    flat = np.fromiter((token for text in texts for token in text), dtype=np.uint64, count=int(lengths.sum()))
    row = np.repeat(np.arange(len(texts)), lengths)
    end = np.repeat(np.cumsum(lengths), lengths)
    place = np.arange(len(flat))
    state = np.full(len(flat), salt, dtype=np.uint64)
    rows, columns = [], []
    for size in range(1, order + 1):
        following = np.zeros_like(flat)
        following[: max(len(flat) - size + 1, 0)] = flat[size - 1 :]
        state = (state ^ following) * _MULTIPLIER
        state ^= state >> np.uint64(29)
        whole = place + size <= end
        rows.append(row[whole])
        columns.append(((state[whole] * _MULTIPLIER) >> np.uint64(64 - bits)).astype(np.int64))
    keys, counts = np.unique((np.concatenate(rows) << bits) + np.concatenate(columns), return_counts=True)
    cells = (np.log1p(counts).astype(np.float32), (keys >> bits, keys & ((1 << bits) - 1)))
    return sparse.csr_matrix(cells, shape=(len(texts), 1 << bits))


def _weighted(counts: Any, idf: np.ndarray) -> Any:
    weighted = counts.copy()
    weighted.data *= idf[weighted.indices]
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    weighted.data /= np.repeat(np.maximum(lengths, 1e-12), np.diff(weighted.indptr)).astype(np.float32)
    return weighted
