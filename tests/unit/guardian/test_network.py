"""The network in NumPy computes what the one in torch does, and a text's neighbours in a batch are none of its business."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from primum.guardian.batches import tokenise_pairs
from primum.guardian.guardian import run_network
from primum.guardian.network import HARMFUL_PROMPT, OUTPUTS, forward, lay_out, window_index

PROMPTS = ("How do I falsify a chart?", "", "患者要求出院，怎么办？", "How do I falsify a chart?", "Help. " * 60, "q")
ANSWERS = ("No.", "I will not do that, but there is a lawful way. " * 12, "", "先征得患者同意，再告知风险。", "Sure! " * 90, "好的，照做即可。" * 20)


@pytest.fixture(scope="module")
def network() -> Any:
    torch = pytest.importorskip("torch")
    from primum.guardian.torch_network import Network

    torch.manual_seed(0)
    torch.set_num_threads(2)
    return Network().eval()


@pytest.fixture(scope="module")
def weights(network: Any) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = network.arrays()
    return arrays


def test_numpy_computes_what_torch_does(network: Any, weights: dict[str, np.ndarray]) -> None:
    import torch

    laid = tokenise_pairs(PROMPTS, ANSWERS).lay_out(range(len(ANSWERS)))
    with torch.inference_mode():
        wanted = network(*laid).numpy()
    found = forward(weights, *laid)
    assert found.logits.shape == (len(ANSWERS), OUTPUTS)
    np.testing.assert_allclose(found.logits, wanted, atol=1e-4)
    assert wanted.std(axis=0).min() > 0


def test_sentence_vectors_have_unit_length(weights: dict[str, np.ndarray]) -> None:
    sentences = forward(weights, *tokenise_pairs(PROMPTS, ANSWERS).lay_out(range(len(ANSWERS)))).sentences
    np.testing.assert_allclose(np.linalg.norm(sentences, axis=1), 1, atol=1e-5)


def test_sentence_vectors_are_the_encoders_before_fine_tuning(weights: dict[str, np.ndarray]) -> None:
    from primum.norms.sentence_encoder import encode_sentences

    sentences = forward(weights, *tokenise_pairs(["a prompt"], [ANSWERS[3]]).lay_out([0])).sentences
    np.testing.assert_allclose(sentences[0, 512:] * np.sqrt(2), encode_sentences([ANSWERS[3]])[0], atol=1e-3)


def test_other_texts_of_the_batch_do_not_matter(weights: dict[str, np.ndarray]) -> None:
    pairs = tokenise_pairs(PROMPTS, ANSWERS)
    together = forward(weights, *pairs.lay_out(range(len(ANSWERS)))).logits
    for row in range(len(ANSWERS)):
        np.testing.assert_allclose(forward(weights, *pairs.lay_out([row])).logits[0], together[row], atol=1e-4)


def test_rows_come_back_in_the_order_of_the_pairs(weights: dict[str, np.ndarray]) -> None:
    there, _ = run_network(weights, tokenise_pairs(PROMPTS * 5, ANSWERS * 5))
    back, _ = run_network(weights, tokenise_pairs(PROMPTS[::-1] * 5, ANSWERS[::-1] * 5))
    np.testing.assert_allclose(there, back[::-1], atol=1e-4)


def test_how_harmful_the_prompt_is_does_not_depend_on_the_answer(weights: dict[str, np.ndarray]) -> None:
    logits, _ = run_network(weights, tokenise_pairs(["p"] * len(ANSWERS), ANSWERS))
    np.testing.assert_allclose(logits[:, HARMFUL_PROMPT], logits[0, HARMFUL_PROMPT], atol=1e-4)
    assert np.ptp(logits[:, 0]) > 1e-4


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12))
def test_neighbours_never_cross_a_texts_border(lengths: list[int]) -> None:
    texts = lay_out([list(range(length)) for length in lengths])
    index = window_index(texts)
    size = sum(lengths)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    assert index.shape == (size, 5)
    for token in range(size):
        for step in range(-2, 3):
            place = token + step
            inside = 0 <= place < size and owner[place] == owner[token]
            assert index[token, step + 2] == (place if inside else size)
