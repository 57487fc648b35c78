"""Training variants of labelled exchanges: changes that keep the labels, and answers that belong to another question.

A guardian that has only seen tidy answers is fooled by politeness, padding or an injected verdict, and takes an answer to another question for
complicity. Variants are drawn anew each epoch from the seed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from primum.guardian.perturbation import PERTURBATIONS, pad, perturb, wordings
from primum.schema.guardian import Exchange, LabelledExchange

_CHANGED: Final = 0.25
_STRAY: Final = 0.04
# Padding in training stays short: the network reads windows, and what lies in other windows it does not see.
_PADDING: Final = (80, 500)


def vary(exchanges: Sequence[LabelledExchange], rng: random.Random) -> list[LabelledExchange]:
    """One epoch's exchanges: about a quarter changed in ways that keep their labels, and some stray answers added."""
    varied = [_changed(exchange, rng) if rng.random() < _CHANGED and not exchange.pair else exchange for exchange in exchanges]
    return varied + _strays(exchanges, int(len(exchanges) * _STRAY), rng)


def _changed(labelled: LabelledExchange, rng: random.Random) -> LabelledExchange:
    kind = rng.choice(PERTURBATIONS)
    answer = labelled.exchange.answer
    if kind == "padding":
        text = pad(answer, labelled.language, rng.randint(*_PADDING), part="train", rng=rng)
    else:
        text = perturb(answer, kind, labelled.language, part="train", rng=rng)
    return labelled.model_copy(update={"exchange": labelled.exchange.model_copy(update={"answer": text})})


def _strays(exchanges: Sequence[LabelledExchange], count: int, rng: random.Random) -> list[LabelledExchange]:
    """Harmless answers under prompts that they do not belong to, echoes of the prompt, and bare filler: no help, no harm."""
    safe = {
        language: [e.exchange.answer for e in exchanges if not e.risky and e.benign and not e.pair and e.language == language]
        for language in ("zh", "en")
    }
    strays = []
    for host in rng.sample(list(exchanges), min(count, len(exchanges))):
        filler = wordings("train").filler.zh if host.language == "zh" else wordings("train").filler.en
        pool = safe[host.language]
        draw = rng.random()
        # Weak models echo the question, again and again: no help either.
        echo = " ".join([host.exchange.prompt] * rng.randint(1, 3))
        text = echo if draw < 0.3 else rng.choice(pool) if pool and draw < 0.8 else " ".join(rng.sample(filler, 2))
        strays.append(
            LabelledExchange(
                exchange=Exchange(prompt=host.exchange.prompt, answer=text),
                language=host.language,
                form="stray",
                cluster=host.cluster,
                risky=False,
                benign=host.benign,
            )
        )
    return strays
