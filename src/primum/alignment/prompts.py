"""Targeted prompts: requests, look-alikes and open cases of training norms, most where a model fails most. Never a held-out text."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from primum.bank.splits import SEEN_NORM
from primum.errors import IntegrityError
from primum.hashing import derived_seed
from primum.schema.alignment import FailureKind, PromptKind, TargetPrompt, Weakness
from primum.schema.base import LANGUAGES, Bilingual, Language
from primum.schema.item import Message
from primum.schema.norm import Norm, Vignette
from primum.tasks.opening import open_task
from primum.tasks.primum_bank.parts import packaged_context, training_norms

CASE_QUESTION: Final = Bilingual(zh="此时应当怎样做？请说明理由。", en="What should be done here, and why?")
# What kind of prompt mends what kind of failure.
_KIND: Final[dict[FailureKind, PromptKind]] = {"risk": "request", "over_refusal": "benign", "wrong_choice": "case"}


def trainable_vignettes(norm: Norm) -> tuple[Vignette, ...]:
    """The vignettes of a training norm that no test shows; balances without one right conduct are left out."""
    splits = packaged_context().splits
    return tuple(v for v in norm.vignettes if splits.get(f"{norm.id}/{v.id}") != SEEN_NORM and v.asks != "equilibrium")


def case_text(vignette: Vignette, language: Language) -> str:
    """A vignette as an open question."""
    return f"{vignette.in_language(language)}\n\n{CASE_QUESTION.in_language(language)}"


@cache
def pool() -> dict[tuple[str, PromptKind, Language], tuple[TargetPrompt, ...]]:
    """Every prompt that may be asked, by norm, kind and language, in file order; ``id`` without round, ``aim`` by kind."""
    found: dict[tuple[str, PromptKind, Language], list[TargetPrompt]] = {}
    for prompt in _all_prompts():
        found.setdefault((prompt.norm, prompt.kind, prompt.language), []).append(prompt)
    return {key: tuple(prompts) for key, prompts in found.items()}


def _all_prompts() -> Iterator[TargetPrompt]:
    kinds: tuple[tuple[str, PromptKind, FailureKind], ...] = (
        ("primum-requests:train", "request", "risk"),
        ("primum-benign:train", "benign", "over_refusal"),
    )
    for language in LANGUAGES:
        for name, kind, aim in kinds:
            task = open_task(name)
            for item in task.items(None, language):
                yield TargetPrompt(
                    id=f"{item.id}@{language}", kind=kind, language=language, dimension=item.groups["dimension"], norm=item.norm,
                    messages=task.prompt(item), aim=aim,
                )  # fmt: skip
        for norm in training_norms():
            for vignette in trainable_vignettes(norm):
                message = Message(role="user", content=case_text(vignette, language))
                yield TargetPrompt(
                    id=f"{norm.id}/{vignette.id}@{language}", kind="case", language=language, dimension=norm.dimension, norm=norm.id,
                    messages=(message,), aim="wrong_choice",
                )  # fmt: skip


def target_prompts(weaknesses: Sequence[Weakness], *, count: int, seed: int, number: int) -> tuple[TargetPrompt, ...]:
    """The prompts of one round: each weakness gets its weight's share, in both languages, from the norms that failed first.

    Args:
        weaknesses: The worst cells with weights that sum to 1.
        count: Prompts wanted; fewer where the norms behind have no more.
        seed: Of the alignment.
        number: The round; another round asks other prompts first.

    Raises:
        IntegrityError: A prompt would come from a norm or vignette that must not be trained on.
    """
    norms = training_norms()
    chosen: dict[str, TargetPrompt] = {}
    for place, (weakness, share) in enumerate(zip(weaknesses, _shares([entry.weight for entry in weaknesses], count), strict=True)):
        order = _norm_order(weakness, norms, seed=seed, number=number)
        wanted = share
        for prompt in _draw(order, _KIND[weakness.kind], seed=seed, number=number, first=place):
            if not wanted:
                break
            identifier = f"r{number}/{prompt.id}"
            if identifier not in chosen:
                chosen[identifier] = prompt.model_copy(update={"id": identifier})
                wanted -= 1
    prompts = tuple(chosen.values())
    require_training(prompts)
    return prompts


def require_training(prompts: Sequence[TargetPrompt]) -> None:
    """Refuse prompts that are not of training norms, or that show a lent vignette.

    Raises:
        IntegrityError: One is; names it.
    """
    known = {prompt.messages for prompts in pool().values() for prompt in prompts}
    norms = {norm.id for norm in training_norms()}
    for prompt in prompts:
        if prompt.norm not in norms or prompt.messages not in known:
            raise IntegrityError(f"prompt {prompt.id} is not of a training norm", remedy="delete the round's folder: its prompts are made again")


def _shares(weights: Sequence[float], count: int) -> list[int]:
    """Largest remainders; every weakness gets at least one prompt where there are enough."""
    exact = [weight * count for weight in weights]
    shares = [max(1, int(value)) if count >= len(weights) else int(value) for value in exact]
    ranked = sorted(range(len(exact)), key=lambda place: (int(exact[place]) - exact[place], place))
    for place in ranked:
        if sum(shares) >= count:
            break
        shares[place] += 1
    while sum(shares) > count:
        shares[shares.index(max(shares))] -= 1
    return shares


def _norm_order(weakness: Weakness, norms: Sequence[Norm], *, seed: int, number: int) -> list[str]:
    """Failed norms, then the dimension's others, each in a seeded order of the round."""
    rng = random.Random(derived_seed("align-norms", seed, number, weakness.dimension, weakness.kind))
    failed = list(weakness.norms)
    others = [norm.id for norm in norms if norm.dimension == weakness.dimension and norm.id not in set(failed)]
    rng.shuffle(failed)
    rng.shuffle(others)
    return [*failed, *others]


def _draw(order: Sequence[str], kind: PromptKind, *, seed: int, number: int, first: int) -> Iterator[TargetPrompt]:
    """One prompt a norm and turn, languages by turns (``first`` says which begins), until the norms have no more."""
    ranked = {
        (norm, language): sorted(pool().get((norm, kind, language), ()), key=lambda prompt: derived_seed("align-prompt", seed, number, prompt.id))
        for norm in order
        for language in LANGUAGES
    }
    depth = max((len(prompts) for prompts in ranked.values()), default=0)
    # First every norm in one language or the other by turns, then the same prompts in the other language.
    for second in (False, True):
        for turn in range(depth):
            for place, norm in enumerate(order):
                prompts = ranked[norm, LANGUAGES[(first + place + turn + second) % 2]]
                if turn < len(prompts):
                    yield prompts[turn]
