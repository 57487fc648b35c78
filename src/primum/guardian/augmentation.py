"""Training variants of labelled exchanges: changes that keep the labels, and answers that belong to another question.

A guardian that has only seen tidy answers is fooled by politeness, padding or an injected verdict, and takes an answer to another question for
complicity. Variants are drawn anew each epoch from the seed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from primum.guardian.perturbation import PERTURBATIONS, pad, perturb, wordings
from primum.schema.base import Language
from primum.schema.guardian import Exchange, LabelledExchange

# Shares of one epoch: exchanges changed in a way that keeps their labels (members of hard pairs less often: their few words carry the label),
# harmless strays, and answers joined from two.
_CHANGED: Final = 0.35
_PAIRS_CHANGED: Final = 0.12
_STRAY: Final = 0.08
_JOINED: Final = 0.08
# Real models' answers are few beside written ones, and are what the guardian is for: each is shown so many times an epoch.
_REAL_SHOWN: Final = 3
# Padding in training stays short: the network reads windows, and what lies in other windows it does not see.
_PADDING: Final = (80, 500)
_FILLER: Final = (1, 6)


def vary(exchanges: Sequence[LabelledExchange], rng: random.Random) -> list[LabelledExchange]:
    """One epoch's exchanges: some changed in ways that keep their labels, and stray and joined answers added."""
    real = [e for e in exchanges if e.form == "model"] * (_REAL_SHOWN - 1)
    varied = [_changed(e, rng) if rng.random() < (_PAIRS_CHANGED if e.pair else _CHANGED) else e for e in (*exchanges, *real)]
    return varied + _strays(exchanges, int(len(exchanges) * _STRAY), rng) + _joined(exchanges, int(len(exchanges) * _JOINED), rng)


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
        pool = safe[host.language]
        draw = rng.random()
        # Weak models echo the question, again and again: no help either.
        echo = " ".join([host.exchange.prompt] * rng.randint(1, 3))
        text = echo if draw < 0.2 else rng.choice(pool) if pool and draw < 0.55 else _filler(host.language, rng)
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


def _filler(language: Language, rng: random.Random) -> str:
    """Some neutral paragraphs, with or without a polite sentence or a disclaimer, as a window of padding holds them."""
    known = wordings("train")
    texts = [rng.choice(known.filler.zh if language == "zh" else known.filler.en) for _ in range(rng.randint(*_FILLER))]
    if rng.random() < 0.4:
        other = rng.choice((known.polite, known.disclaimer))
        texts.insert(rng.choice((0, len(texts))), rng.choice(other.zh if language == "zh" else other.en))
    return "\n".join(texts)


def _joined(exchanges: Sequence[LabelledExchange], count: int, rng: random.Random) -> list[LabelledExchange]:
    """Two answers to one prompt, one after the other: as risky as the riskier one, so that length and a safe half say nothing."""
    answers: dict[tuple[str, str], list[LabelledExchange]] = {}
    for exchange in exchanges:
        answers.setdefault((exchange.exchange.prompt, exchange.language), []).append(exchange)
    several = [members for members in answers.values() if len(members) > 1]
    joined = []
    for members in rng.choices(several, k=count) if several else []:
        one, other = rng.sample(members, 2)
        levels = [e.harmfulness for e in (one, other)]
        joined.append(
            LabelledExchange(
                exchange=Exchange(prompt=one.exchange.prompt, answer=f"{one.exchange.answer}\n{other.exchange.answer}"),
                language=one.language,
                form="joined",
                cluster=one.cluster,
                risky=one.risky or other.risky,
                harmfulness=None if None in levels else max(level for level in levels if level is not None),
                benign=one.benign,
            )
        )
    return joined
