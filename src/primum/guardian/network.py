"""The guardian's network, in NumPy: what training learnt, run without torch.

The layers of the universal sentence encoder (multilingual, version 3; Yang et al. 2019, arXiv 1907.04307) are fine-tuned; its table of token
vectors is used as it comes in the encoder's own package, so it is not among the weights. Three n-gram convolutions read each token with its
neighbours; attention heads, a maximum and the encoder's own sentence vector make one vector of each text, whatever its length; prompt and answer
meet in the last layers. Fourteen outputs: risk, four harmfulness thresholds, Q1..Q4, three stances, over-refusal, and how harmful the prompt is.

Texts are laid end to end, not padded: a short text beside a long one costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from primum.norms.sentence_encoder import token_vectors

OUTPUTS: Final = 14
RISK: Final = 0
HARM: Final = slice(1, 5)
QUALITY: Final = slice(5, 9)
STANCE: Final = slice(9, 12)
OVER_REFUSAL: Final = 12
HARMFUL_PROMPT: Final = 13
# (order, tokens to the left) of the encoder's three convolutions, and the width of each.
ORDERS: Final = ((2, 0), (3, 1), (5, 2))
CHANNELS: Final = 256
VECTOR: Final = 512
HEADS: Final = 4
_EPS: Final = 1e-12
_LEFT: Final = 2
_WIDEST: Final = 5

Weights = Mapping[str, np.ndarray]


class Texts(NamedTuple):
    """Several texts, end to end.

    Attributes:
        ids: Token ids of all texts, (tokens,).
        starts: Where each text begins, (texts,).
        lengths: How many tokens each has, at least 1, (texts,).
    """

    ids: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray


class Output(NamedTuple):
    """What the network makes of (prompt, answer) pairs.

    Attributes:
        logits: (pairs, 14).
        sentences: Sentence vectors of prompt and answer side by side, unit length, (pairs, 1024).
    """

    logits: np.ndarray
    sentences: np.ndarray


def lay_out(tokens: Sequence[Sequence[int]]) -> Texts:
    """Token lists, each with at least one token, end to end."""
    lengths = np.fromiter(map(len, tokens), dtype=np.int64, count=len(tokens))
    starts = np.zeros(len(tokens), dtype=np.int64)
    np.cumsum(lengths[:-1], out=starts[1:])
    ids = np.fromiter((identifier for text in tokens for identifier in text), dtype=np.int64, count=int(lengths.sum()))
    return Texts(ids, starts, lengths)


def window_index(texts: Texts) -> np.ndarray:
    """For each token the places of its neighbours, two to the left to two to the right; outside the text, the place after the last token."""
    size = len(texts.ids)
    places = np.arange(size, dtype=np.int64)[:, None] + np.arange(-_LEFT, _WIDEST - _LEFT)
    first = np.repeat(texts.starts, texts.lengths)[:, None]
    last = np.repeat(texts.starts + texts.lengths, texts.lengths)[:, None]
    return np.where((places >= first) & (places < last), places, size)


def gapped_rows(texts: Texts) -> tuple[np.ndarray, int]:
    """Where each token stands when two empty rows precede each text and follow the last, and how many rows that makes.

    Neighbours are then slices of one matrix, and the empty rows keep texts apart: no gathering, and no text reaches into the next.
    """
    gaps = np.repeat(np.arange(1, len(texts.lengths) + 1) * _LEFT, texts.lengths)
    return np.arange(len(texts.ids)) + gaps, len(texts.ids) + (len(texts.lengths) + 1) * _LEFT


def forward(weights: Weights, prompts: Texts, answers: Texts, prompt_of: np.ndarray) -> Output:
    """Judge pairs.

    Args:
        weights: By name, as :mod:`primum.guardian.torch_network` stores them.
        prompts: Distinct prompts.
        answers: One answer a pair.
        prompt_of: Which prompt each answer belongs to, (pairs,).
    """
    prompt_vectors, prompt_sentences = _read(weights, prompts)
    answer_vectors, answer_sentences = _read(weights, answers)
    p = _relu(_linear(weights, "prompt", prompt_vectors))[prompt_of]
    a = _relu(_linear(weights, "answer", answer_vectors))
    joined = _normalise(np.concatenate([p, a, p * a], axis=1), weights["norm.weight"], weights["norm.bias"])
    out = _linear(weights, "out", _relu(_linear(weights, "joint", joined)))
    logits = np.concatenate([out, _linear(weights, "harmful_prompt", p)], axis=1)
    sentences = np.concatenate([prompt_sentences[prompt_of], answer_sentences], axis=1) / np.float32(np.sqrt(2))
    return Output(logits, sentences)


def _read(weights: Weights, texts: Texts) -> tuple[np.ndarray, np.ndarray]:
    """One vector of each text for the last layers, and its sentence vector."""
    features = _token_features(weights, texts)
    sentence = _sentence(weights, features, texts)
    hidden = _relu(_linear(weights, "token", features))
    attention = np.exp(np.clip(_linear(weights, "attention", features), -15, 15))
    share = attention / np.repeat(np.add.reduceat(attention, texts.starts, axis=0), texts.lengths, axis=0)
    averages = [np.add.reduceat(hidden * share[:, [head]], texts.starts, axis=0) for head in range(HEADS)]
    highest = np.maximum.reduceat(hidden, texts.starts, axis=0)
    return np.concatenate([sentence * 10, *averages, highest], axis=1), sentence


def _token_features(weights: Weights, texts: Texts) -> np.ndarray:
    """Each token's own vector and the three convolutions over its neighbourhood, normalised; (tokens, 1280)."""
    size = len(texts.ids)
    features = np.empty((size, VECTOR + len(ORDERS) * CHANNELS), dtype=np.float32)
    features[:, :VECTOR] = token_vectors(texts.ids)
    projected = _normalise(
        features[:, :VECTOR] @ weights["projection.weight"] + weights["projection.bias"], weights["inner.weight"], weights["inner.bias"]
    )
    places, rows = gapped_rows(texts)
    for branch, (order, left) in enumerate(ORDERS):
        own = np.zeros((rows, CHANNELS), dtype=np.float32)
        own[places] = projected[:, branch * CHANNELS : (branch + 1) * CHANNELS]
        first = _relu(_slide(weights, f"first.{branch}", own, order, left)) + own
        kept = np.zeros_like(first)
        kept[places] = first[places]
        second = _relu(_slide(weights, f"second.{branch}", kept, order, left)) + kept
        features[:, VECTOR + branch * CHANNELS : VECTOR + (branch + 1) * CHANNELS] = second[places]
    return _normalise(features, weights["outer.weight"], weights["outer.bias"])


def _slide(weights: Weights, name: str, values: np.ndarray, order: int, left: int) -> np.ndarray:
    """An n-gram convolution as one product a neighbour, on shifted slices."""
    weight = weights[f"{name}.weight"]
    out = np.zeros((len(values), weight.shape[1]), dtype=np.float32)
    out += weights[f"{name}.bias"]
    for place in range(order):
        shift, block = place - left, weight[place * CHANNELS : (place + 1) * CHANNELS]
        if shift < 0:
            out[-shift:] += values[:shift] @ block
        elif shift > 0:
            out[:-shift] += values[shift:] @ block
        else:
            out += values @ block
    return out


def _sentence(weights: Weights, features: np.ndarray, texts: Texts) -> np.ndarray:
    """The encoder's deep averaging network; unit vectors, (texts, 512)."""
    lengths = texts.lengths[:, None].astype(np.float32)
    mean = (np.add.reduceat(features, texts.starts, axis=0) @ weights["mean.weight"] + lengths * weights["mean.bias"]) / np.sqrt(lengths)
    deep = _relu(mean @ weights["deep.shortcut"] + _relu(mean @ weights["deep.0"]) @ weights["deep.1"])
    out = np.tanh(deep @ weights["deep.exit"] + _relu(deep @ weights["deep.2"]) @ weights["deep.3"])
    return np.asarray(out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), np.float32(1e-12)))


def _linear(weights: Weights, name: str, x: np.ndarray) -> np.ndarray:
    return np.asarray(x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"])


def _normalise(x: np.ndarray, gain: np.ndarray, bias: np.ndarray) -> np.ndarray:
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = np.einsum("ij,ij->i", centred, centred)[:, None] / np.float32(x.shape[-1])
    centred /= np.sqrt(variance + np.float32(_EPS))
    centred *= gain
    centred += bias
    return np.asarray(centred)


def _relu(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(x, 0))
