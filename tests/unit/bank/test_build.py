"""Forms, distractors, splits: from norms to items."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from primum.bank.build import FORMS, build_items, prepare
from primum.bank.distractors import changes_of, choose_distractors
from primum.bank.splits import SEEN_NORM, TEST, TRAIN, assign_splits
from primum.bank.wording import visible_length
from primum.schema.item import LETTERS, Item
from primum.schema.norm import NormFile
from tests.norm_factory import both, norm_document, source_document, vignette_document


def bank(*norms: dict[str, Any]) -> list[NormFile]:
    return [NormFile.model_validate({"source": source_document(), "norms": list(norms)})]


def built(*norms: dict[str, Any], seed: int = 1, form: str = "") -> list[Item]:
    items = list(build_items(prepare(bank(*norms), seed=seed), "zh"))
    return [item for item in items if not form or item.groups["form"] == form]


def test_one_norm_yields_every_form_it_has_material_for() -> None:
    norm = norm_document(vignettes=[
        *(vignette_document(f"v-{asks.replace('_', '-')}", asks=asks) for asks in ("conduct", "next_step", "priority", "triage", "drug_safety")),
        vignette_document("v-even", asks="equilibrium", wrong=3, also_right=[both("also defensible")]),
        vignette_document("v-more", also_right=[both("further right")]),
    ])  # fmt: skip
    counts = Counter(item.groups["form"] for item in built(norm))
    names = {name for form in FORMS for name in form.name.split("+")}
    assert set(counts) == names
    assert counts["violation-detection"] == 6 and counts["judgement"] == 3 and counts["attack-style"] == 2 and counts["equilibrium-dilemma"] == 1


def test_every_item_says_where_it_comes_from() -> None:
    for item in built(norm_document()):
        assert item.norm == "cn-a-law-2020/art-1-rule" and item.id.startswith(item.norm)
        assert {"dimension", "form", "scene", "source", "severity", "jurisdiction", "split"} <= set(item.groups)


def test_the_key_is_the_right_conduct() -> None:
    for item in built(norm_document(), form="single-choice"):
        assert "right way to act" in item.options[LETTERS.index(item.answer[0])]
        assert sum("right way" in option for option in item.options) == 1


def test_violation_detection_names_exactly_the_wrong_conducts() -> None:
    norms = [norm_document(number) for number in range(1, 41)]
    patterns: Counter[str] = Counter()
    for item in built(*norms, form="violation-detection"):
        lines = [line for line in item.question.splitlines() if line and line[0] in "①②③"]
        wrong = "".join(line[0] for line in lines if " wrong " in line)
        chosen = item.options[LETTERS.index(item.answer[0])]
        assert chosen == ("①②③全部" if len(wrong) == 3 else f"只有{wrong}")
        patterns[wrong] += 1
    assert len(patterns) == 7 and max(patterns.values()) < 0.35 * patterns.total()


def test_a_dilemma_accepts_every_defensible_letter() -> None:
    vignette = vignette_document("v-even", asks="equilibrium", wrong=3, also_right=[both("also defensible")])
    (item,) = built(norm_document(vignettes=[vignette, vignette_document("v-x")]), form="equilibrium-dilemma")
    assert item.form == "defensible_choice" and len(item.answer) == 2 and len(item.options) == 5


def test_judgements_count_an_exception_as_allowed() -> None:
    keys = {item.groups["verdict"]: item.options[LETTERS.index(item.answer[0])] for item in built(norm_document(), form="judgement")}
    assert keys == {"allowed": "允许", "allowed_by_exception": "允许", "forbidden": "不允许"}


def test_pressure_over_turns_alternates_roles() -> None:
    (item,) = [item for item in built(norm_document(), form="attack-style") if item.groups["style"] == "multi_turn"]
    assert [turn.role for turn in item.turns] == ["user", "assistant", "user", "assistant"]


def test_braces_in_texts_are_never_read_as_a_template() -> None:
    norm = norm_document(statement={"zh": "规则{case}{x}", "en": "rule {case} {0}"})
    item = built(norm, form="judgement")[0]
    assert "规则{case}{x}" in item.question


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(2, 12))
def test_building_is_deterministic_and_letters_are_balanced(seed: int, count: int) -> None:
    norms = [norm_document(number) for number in range(1, count + 1)]
    one, other = built(*norms, seed=seed), built(*norms, seed=seed)
    assert [item.model_dump_json() for item in one] == [item.model_dump_json() for item in other]
    letters = Counter(item.answer[0] for item in one if item.groups["form"] == "single-choice")
    assert max(letters.values()) - min([letters[letter] for letter in "ABCDE"]) <= 1
    assert len({item.id for item in one}) == len(one)


def test_both_languages_share_keys() -> None:
    context = prepare(bank(*(norm_document(number) for number in range(1, 9))), seed=3)
    chinese, english = list(build_items(context, "zh")), list(build_items(context, "en"))
    assert [(item.id, item.answer) for item in chinese] == [(item.id, item.answer) for item in english]


def test_withheld_items_are_left_out_and_move_no_other() -> None:
    norms = bank(*(norm_document(number) for number in range(1, 6)))
    every = list(build_items(prepare(norms, withheld=frozenset()), "zh"))
    gone = every[0].id
    left = list(build_items(prepare(norms, withheld=frozenset({gone})), "zh"))
    assert left == [item for item in every if item.id != gone]


def test_distractors_even_out_length() -> None:
    rng = random.Random(4)
    norms = []
    for number in range(1, 81):
        vignettes = [vignette_document(f"{letter}{number}", wrong=7) for letter in "vw"]
        for vignette in vignettes:
            for place, option in enumerate([vignette["right"], *vignette["wrong"]]):
                option["zh"] = f"{place}做法" + "长" * rng.randint(0, 30)
                option["en"] = f"conduct {place}" + " long" * rng.randint(0, 12)
        norms.append(norm_document(number, vignettes=vignettes))
    files = bank(*norms)
    items = [item for item in build_items(prepare(files), "zh") if item.groups["form"] == "single-choice"]
    lengths = [[visible_length(option, "zh") for option in item.options] for item in items]
    longest = sum(row[LETTERS.index(item.answer[0])] == max(row) for row, item in zip(lengths, items, strict=True)) / len(items)
    assert 0.15 < longest < 0.27
    chosen = choose_distractors(files[0].norms, seed=1)
    assert all(len(set(numbers)) == 4 for numbers in chosen.values())


def test_a_shared_rank_counts_for_all_who_share_it() -> None:
    assert changes_of("x", [3, 1, 2, 0]) == {("x", 0): 0.75, ("x", 1): -0.25, ("x", 2): -0.25, ("x", 3): -0.25}
    assert changes_of("x", [2, 2, 1, 1]) == {("x", 0): 0.5, ("x", 2): -0.5}
    assert changes_of("x", [1, 1]) == {("x", 0): 0.0}


def test_splits_follow_the_paper_and_never_share_a_norm() -> None:
    norms = bank(*(norm_document(n, vignettes=[vignette_document(f"v{n}-{k}") for k in range(3)]) for n in range(1, 61)))[0].norms
    splits = assign_splits(norms, seed=5)
    kinds = Counter(splits[norm.id] for norm in norms)
    assert kinds == {TRAIN: 50, TEST: 10}
    lent = [name for name, split in splits.items() if split == SEEN_NORM]
    assert len(lent) == 50 and all(splits[name.rpartition("/")[0]] == TRAIN for name in lent)
    items = built(*(norm.model_dump(mode="json") for norm in norms), seed=5)
    owners = {split: {item.norm for item in items if item.groups["split"] == split} for split in (TRAIN, TEST)}
    assert not owners[TRAIN] & owners[TEST]
