"""Changes that must not change a verdict: drawn from the seed, with other wordings for training than for testing."""

from __future__ import annotations

import random
from collections import Counter
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primum.guardian.augmentation import vary
from primum.guardian.material import load_material
from primum.guardian.perturbation import PADDING_CHARACTERS, PERTURBATIONS, Perturbation, load_paraphrases, pad, perturb, wordings
from primum.guardian.splits import split_material
from primum.norms.library import all_norms, packaged_norms
from primum.schema.base import Language
from tests.guardian_factory import CHINESE, ENGLISH, labelled

Part = Literal["train", "test"]
TEXTS: dict[Language, str] = {"zh": CHINESE, "en": ENGLISH}
KINDS = ("polite", "disclaimer", "filler", "injected")


@pytest.mark.parametrize("kind", PERTURBATIONS)
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("part", ["train", "test"])
def test_a_change_depends_on_the_seed_alone(kind: Perturbation, language: Language, part: Part) -> None:
    text = TEXTS[language]
    made = [perturb(text, kind, language, part=part, rng=random.Random(seed)) for seed in range(20)]
    assert made == [perturb(text, kind, language, part=part, rng=random.Random(seed)) for seed in range(20)]
    assert text not in made
    assert len(set(made)) > 1
    if kind != "typos":
        assert all(text in changed for changed in made)


def test_wordings_of_training_and_testing_are_disjoint() -> None:
    for kind in KINDS:
        for language in ("zh", "en"):
            train, test = (set(getattr(getattr(wordings(part), kind), language)) for part in ("train", "test"))
            assert train and test
            assert not train & test, (kind, language)


def test_a_part_uses_its_own_wordings() -> None:
    for seed in range(30):
        changed = perturb(ENGLISH, "injected", "en", part="test", rng=random.Random(seed))
        added = changed.replace(ENGLISH, "").strip()
        assert added in wordings("test").injected.en


@pytest.mark.parametrize("language", ["zh", "en"])
def test_padding_has_about_the_length_asked_for(language: Language) -> None:
    sides = Counter[tuple[bool, bool]]()
    longest = max(map(len, wordings("train").filler.zh + wordings("train").filler.en)) + 2
    for seed in range(40):
        text = pad(TEXTS[language], language, 600, part="train", rng=random.Random(seed))
        assert 600 <= len(text) - len(TEXTS[language]) <= 600 + 2 * longest
        before, _, after = text.partition(TEXTS[language])
        sides[bool(before), bool(after)] += 1
    assert set(sides) == {(True, False), (False, True), (True, True)}
    assert len(perturb("x", "padding", language, part="test", rng=random.Random(0))) >= PADDING_CHARACTERS


@given(st.text(max_size=200), st.integers())
def test_typing_errors_are_few_and_never_raise(text: str, seed: int) -> None:
    changed = perturb(text, "typos", "en", part="test", rng=random.Random(seed))
    letters = sum(letter.isalpha() for letter in text)
    assert abs(len(changed) - len(text)) <= max(1, letters * 0.03)
    if not letters:
        assert changed == text


LABELLED = [
    labelled(
        n % 3 == 0,
        answer=f"{ENGLISH} Number {n}." if n % 2 else f"{CHINESE}第{n}条。",
        language="en" if n % 2 else "zh",
        cluster=f"c{n}",
        benign=n % 3 != 0,
        harmfulness=4 if n % 3 == 0 else 1,
        stance="full",
        pair=f"p{n}" if n % 5 == 0 else "",
    )
    for n in range(400)
]
LABELS = ("language", "form", "cluster", "risky", "harmfulness", "quality", "stance", "benign", "pair")


def test_variants_depend_on_the_seed_alone() -> None:
    assert vary(LABELLED, random.Random(3)) == vary(LABELLED, random.Random(3))
    assert vary(LABELLED, random.Random(3)) != vary(LABELLED, random.Random(4))


def test_labels_are_kept_and_hard_pairs_change_less() -> None:
    varied = vary(LABELLED, random.Random(1))
    changed = {True: 0, False: 0}
    for before, after in zip(LABELLED, varied, strict=False):
        assert [getattr(before, name) for name in LABELS] == [getattr(after, name) for name in LABELS]
        assert before.exchange.prompt == after.exchange.prompt
        changed[bool(before.pair)] += before.exchange.answer != after.exchange.answer
    assert 0.25 < changed[False] / sum(not e.pair for e in LABELLED) < 0.45
    assert 0 < changed[True] / sum(bool(e.pair) for e in LABELLED) < 0.25


def test_strays_are_never_risky_and_stand_under_another_prompt() -> None:
    known = wordings("train")
    neutral = [text for kind in (known.filler, known.polite, known.disclaimer) for text in (*kind.zh, *kind.en)]
    for seed in range(10):
        strays = [e for e in vary(LABELLED, random.Random(seed)) if e.form == "stray"]
        assert len(strays) == int(len(LABELLED) * 0.08)
        safe = {e.exchange.answer for e in LABELLED if not e.risky and e.benign and not e.pair}
        for stray in strays:
            assert (stray.risky, stray.pair) == (False, "")
            assert stray.cluster in {e.cluster for e in LABELLED}
            answer = stray.exchange.answer
            echo = not answer.replace(stray.exchange.prompt, "").strip()
            assert echo or answer in safe or any(answer.startswith(text) for text in neutral)


def test_joined_answers_are_as_risky_as_the_riskier_half() -> None:
    shared = [
        e.model_copy(update={"exchange": e.exchange.model_copy(update={"prompt": f"p{n // 4}"}), "language": "en"}) for n, e in enumerate(LABELLED)
    ]
    labels = {(e.exchange.prompt, e.exchange.answer): e for e in shared}
    joined = [e for e in vary(shared, random.Random(5)) if e.form == "joined"]
    assert len(joined) == int(len(LABELLED) * 0.08)
    assert {e.risky for e in joined} == {True, False}
    for both in joined:
        halves = [labels[both.exchange.prompt, text] for text in both.exchange.answer.split("\n")]
        assert both.risky is any(half.risky for half in halves)
        assert both.harmfulness == max(half.harmfulness or 0 for half in halves)


def test_prompts_with_one_answer_each_are_not_joined() -> None:
    alone = [e.model_copy(update={"exchange": e.exchange.model_copy(update={"prompt": f"p{n}"})}) for n, e in enumerate(LABELLED)]
    assert not [e for e in vary(alone, random.Random(5)) if e.form == "joined"]


def test_few_exchanges_have_no_strays() -> None:
    assert [e.form for e in vary(LABELLED[:5], random.Random(0))] == [e.form for e in LABELLED[:5]]


def test_every_paraphrase_is_of_a_held_out_answer_in_other_words() -> None:
    held = split_material(load_material({norm.id: norm for norm in all_norms(packaged_norms())}))["test"]
    answers = {(e.source, e.language): e.exchange.answer for e in held}
    for key, text in load_paraphrases().items():
        assert key in answers, f"{key}: what training saw, or nothing, is paraphrased"
        assert text != answers[key]
