"""Architectures for the guardian, trained on the same exchanges and tested on the same unseen norms; the table behind docs/decisions/0005.

usage: python bench/guardian_architectures.py [--scratch] [--embedded 1200]

--scratch trains the guardian's network from random layers as well (as long as `primum guardian train`); --embedded N puts a linear head on the
embedded model's mean hidden state, on N training exchanges and N/3 test ones (minutes), with the n-gram model on the same ones beside it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from primum.guardian.guardian import Guardian, form_opinions
from primum.guardian.material import HARD_FORMS, load_material
from primum.guardian.measurement.unseen import BEARING
from primum.guardian.network import RISK
from primum.guardian.ngrams import ngram_features
from primum.guardian.splits import split_material
from primum.norms.library import all_norms, packaged_norms
from primum.norms.sentence_encoder import encode_sentences
from primum.schema.guardian import LabelledExchange

Exchanges = Sequence[LabelledExchange]


def main() -> None:
    """Train each and print one line of figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scratch", action="store_true")
    parser.add_argument("--embedded", type=int, default=0)
    wanted = parser.parse_args()
    parts = split_material(load_material({norm.id: norm for norm in all_norms(packaged_norms())}))
    train, test = parts["train"], parts["test"]
    print(f"{len(train)} exchanges to train, {len(test)} to test on (norms and topics apart)")
    print("architecture | answers to requests | all | hard pairs | pairs ordered | seconds to train")
    report("character n-grams, logistic regression", test, train, ngrams_linear)
    report("frozen sentence encoder, logistic regression", test, train, encoder_linear)
    report("frozen sentence encoder, perceptron", test, train, encoder_perceptron)
    guardian = Guardian.load()
    opinion = form_opinions(guardian.weights, [e.exchange.prompt for e in test], [e.exchange.answer for e in test])
    line("fine-tuned sentence encoder (the guardian's network)", test, opinion.logits[:, RISK], float("nan"))
    line("the same fused with n-grams (the guardian)", test, guardian.risk_logit(opinion), float("nan"))
    if wanted.scratch:
        report("the same network, layers from scratch", test, train, from_scratch)
    if wanted.embedded:
        some, others = train[:: max(1, len(train) // wanted.embedded)], test[:: max(1, 3 * len(test) // wanted.embedded)]
        report(f"n-grams on {len(some)}/{len(others)} exchanges", others, some, ngrams_linear)
        report(f"embedded model with a head, {len(some)}/{len(others)}", others, some, embedded_linear)


def report(name: str, test: Exchanges, train: Exchanges, fit: Callable[[Exchanges, Exchanges], np.ndarray]) -> None:
    """Train, predict, print."""
    started = time.monotonic()
    logits = fit(train, test)
    line(name, test, logits, time.monotonic() - started)


def line(name: str, test: Exchanges, logits: np.ndarray, seconds: float) -> None:
    """One row of the table."""
    right = (logits > 0) == np.array([e.risky for e in test])
    bearing, hard = np.array([e.form in BEARING for e in test]), np.array([e.form in HARD_FORMS for e in test])
    pairs: dict[str, dict[bool, float]] = {}
    for exchange, logit in zip(test, logits, strict=True):
        if exchange.pair:
            pairs.setdefault(exchange.pair, {})[exchange.risky] = float(logit)
    order = [pair[True] > pair[False] for pair in pairs.values() if len(pair) == 2]
    figures = " | ".join(f"{value:.3f}" for value in (right[bearing].mean(), right.mean(), right[hard].mean(), np.mean(order)))
    print(f"{name} | {figures} | {seconds:.0f}", flush=True)


def logistic(train: Any, labels: list[bool], test: Any) -> np.ndarray:
    """Logit of risk by a linear model."""
    from sklearn.linear_model import LogisticRegression

    dual = train.shape[1] > train.shape[0]
    model = LogisticRegression(C=12.0, solver="liblinear" if dual else "lbfgs", dual=dual, max_iter=300, random_state=0).fit(train, labels)
    return np.asarray(model.decision_function(test))


def labels_of(exchanges: Exchanges) -> list[bool]:
    return [e.risky for e in exchanges]


def ngrams_linear(train: Exchanges, test: Exchanges) -> np.ndarray:
    def features(exchanges: Exchanges) -> Any:
        return ngram_features([e.exchange.prompt for e in exchanges], [e.exchange.answer for e in exchanges])

    return logistic(features(train), labels_of(train), features(test))


def encoded(exchanges: Exchanges) -> np.ndarray:
    prompts = encode_sentences([e.exchange.prompt for e in exchanges])
    answers = encode_sentences([e.exchange.answer for e in exchanges])
    return np.concatenate([prompts, answers, prompts * answers * 8], axis=1) * 8


def encoder_linear(train: Exchanges, test: Exchanges) -> np.ndarray:
    return logistic(encoded(train), labels_of(train), encoded(test))


def encoder_perceptron(train: Exchanges, test: Exchanges) -> np.ndarray:
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier((128,), alpha=3e-3, early_stopping=True, max_iter=60, random_state=0).fit(encoded(train), labels_of(train))
    chance = np.clip(model.predict_proba(encoded(test))[:, 1], 1e-6, 1 - 1e-6)
    return np.log(chance / (1 - chance))


def from_scratch(train: Exchanges, test: Exchanges) -> np.ndarray:
    import tempfile
    from pathlib import Path

    import torch

    from primum.guardian import training
    from primum.guardian.batches import tokenise_pairs
    from primum.guardian.guardian import run_network
    from primum.guardian.torch_network import Network

    class Scratch(Network):
        def __init__(self) -> None:
            super().__init__()
            for name, parameter in self.encoder.named_parameters():
                if parameter.dim() == 2:
                    torch.nn.init.kaiming_uniform_(parameter.data.T, a=5**0.5)
                elif name.endswith("weight"):
                    parameter.data.fill_(1.0)
                else:
                    parameter.data.zero_()

    training.Network = Scratch  # type: ignore[misc]
    recipe = training.Recipe(encoder_rate=1e-3)
    with tempfile.TemporaryDirectory() as folder:
        network = training.fit_network(train, recipe, Path(folder) / "checkpoint.pt", training.TrainingProgress())
    logits, _ = run_network(network.arrays(), tokenise_pairs([e.exchange.prompt for e in test], [e.exchange.answer for e in test]))
    return logits[:, RISK]


def embedded_linear(train: Exchanges, test: Exchanges) -> np.ndarray:
    import torch
    from transformers import AutoModel, AutoTokenizer

    from primum.config import Settings

    folder = Settings.from_environment().home / "models" / "smollm2-135m"
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder, dtype=torch.float32).eval()

    def hidden(exchanges: Exchanges) -> np.ndarray:
        rows = []
        for exchange in exchanges:
            text = f"Question: {exchange.exchange.prompt}\nAnswer: {exchange.exchange.answer}"
            tokens = tokenizer(text, return_tensors="pt", truncation=True, max_length=384)
            with torch.no_grad():
                states = model(**tokens).last_hidden_state[0]
            rows.append(torch.cat([states.mean(0), states[-1]]).numpy())
        return np.stack(rows)

    states, others = hidden(train), hidden(test)
    mean, spread = states.mean(0), states.std(0) + 1e-6
    return logistic((states - mean) / spread / 10, labels_of(train), (others - mean) / spread / 10)


if __name__ == "__main__":
    main()
