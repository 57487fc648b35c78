"""Checks that must notice what they are there for."""

from __future__ import annotations

import random
from typing import Any

import pytest

from primum.bank.build import build_items, prepare
from primum.bank.quality.check import check_bank
from primum.bank.quality.extent import check_extent
from primum.bank.quality.giveaway import check_giveaways, option_signs, options_only
from primum.bank.quality.limits import packaged_limits
from primum.bank.quality.parity import check_parity
from primum.bank.quality.report import Check
from primum.bank.quality.screening import screen
from primum.bank.quality.structure import check_structure
from primum.bank.quality.surface import check_surface, reading_grade
from primum.schema.item import Item
from primum.schema.norm import Norm, NormFile
from tests.norm_factory import both, norm_document, source_document, vignette_document

LIMITS = packaged_limits()


def bank(*norms: dict[str, Any]) -> list[NormFile]:
    return [NormFile.model_validate({"source": source_document(), "norms": list(norms)})]


def named(checks: Any, part: str) -> Check:
    return next(check for check in checks if part in check.name)


def items_of(files: list[NormFile]) -> dict[Any, list[Item]]:
    context = prepare(files, seed=1)
    return {language: list(build_items(context, language)) for language in ("zh", "en")}


def test_extent_counts_what_is_missing() -> None:
    files = bank(norm_document())
    checks = list(check_extent(files, items_of(files)["zh"], LIMITS.extent))
    assert not named(checks, "norms").passed and "E2: 0" in named(checks, "smallest dimension").examples


def test_structure_sees_a_key_that_differs_between_languages() -> None:
    files = bank(norm_document())
    items = items_of(files)
    broken = [items["en"][0].model_copy(update={"answer": ("E",) if items["en"][0].answer != ("E",) else ("A",)}), *items["en"][1:]]
    assert named(check_structure(files, items["zh"], items["en"]), "differ in structure").passed
    assert named(check_structure(files, items["zh"], broken), "differ in structure").value == 1
    doubled = [*items["zh"], items["zh"][0]]
    assert named(check_structure(files, doubled, items["en"]), "stand twice").value == 1


@pytest.mark.parametrize(
    ("zh", "en", "part", "differs"),
    [
        ("等2小时", "wait 2 hours", "numbers", False),
        ("等两小时", "wait 2 hours", "numbers", False),
        ("等2小时", "wait two hours", "numbers", False),
        ("赔3.5万元", "pay 35,000 yuan", "numbers", False),
        ("等2小时", "wait 3 hours", "numbers", True),
        ("做MRI检查", "get an MRI", "names", False),
        ("做MRI检查", "get a scan", "names", True),
        ("不给药", "do not give it", "negates", False),
        ("不给药", "give it", "negates", True),
    ],
)
def test_parity(zh: str, en: str, part: str, differs: bool) -> None:
    norm = norm_document()
    norm["vignettes"][0]["right"] = {"zh": zh, "en": en}
    found = named(check_parity([Norm.model_validate(norm)], LIMITS), part)
    assert any(zh in example for example in found.examples) is differs


def _telling(number: int, rng: random.Random, *, tell: bool) -> dict[str, Any]:
    words = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet"]

    def option(mark: str) -> dict[str, str]:
        text = " ".join(rng.sample(words, 6)) + f" {number}{rng.randint(0, 999)}"
        return {"en": f"{text} {mark}".strip(), "zh": f"{text} {mark}".strip()}

    vignettes = []
    for which in ("a", "b"):
        wrong = [{**option(""), "why": both("why")} for _ in range(5)]
        vignettes.append({"id": f"v{number}-{which}", **both(f"case {number}{which}"), "right": option("document" if tell else ""), "wrong": wrong})
    return norm_document(number, vignettes=vignettes)


@pytest.mark.parametrize("tell", [True, False])
def test_an_options_only_solver_finds_a_telling_word_and_nothing_else(tell: bool) -> None:
    rng = random.Random(3)
    files = bank(*(_telling(number, rng, tell=tell) for number in range(1, 81)))
    checks = list(check_giveaways(items_of(files), LIMITS))
    found = named(checks, "five conducts (en)")
    assert (found.value > 0.9) if tell else (found.value < 0.34)
    assert found.passed is not tell or not tell


def test_screening_withholds_what_gives_itself_away() -> None:
    rng = random.Random(5)
    files = bank(*(_telling(number, rng, tell=number <= 30) for number in range(1, 101)))
    items: dict[Any, list[Item]] = {
        language: [item for item in chosen if item.groups["form"] == "single-choice"] for language, chosen in items_of(files).items()
    }
    gone = screen(items, target=0.25, most=0.6, seed=1)
    assert gone == screen(items, target=0.25, most=0.6, seed=1)
    telling = {item.id for item in items["en"] if int(item.norm.split("art-")[1].split("-")[0]) <= 30}
    assert len(set(gone) & telling) / len(telling) >= 0.75
    left = [item for item in items["en"] if item.id not in gone]
    before, after = options_only(items["en"], "en")[0].mean(), options_only(left, "en")[0].mean()
    assert after < before - 0.1


def test_signs_know_the_longest_and_the_most_central() -> None:
    signs = option_signs(["one two three", "one two three four five", "one two", "six seven eight", "one two nine"], "en")
    assert signs[1][1] == 0 and signs[0][3] < signs[3][3] == 1 and signs[3][2] < 0


def test_surface_sees_length_letters_and_forbidden_words() -> None:
    norms = []
    for number in range(1, 31):
        vignette = vignette_document(f"v{number}", wrong=5)
        vignette["right"] = {"zh": "很长" * 40, "en": "very long " * 40 + str(number)}
        norms.append(norm_document(number, vignettes=[vignette, vignette_document(f"w{number}")]))
    norms[0]["vignettes"][0]["wrong"][0]["en"] = "All of the above"
    files = bank(*norms)
    checks = list(check_surface([norm for file in files for norm in file.norms], items_of(files), LIMITS))
    assert not named(checks, "longest of five (zh)").passed
    assert not named(checks, "forbidden").passed and "All of the above" in named(checks, "forbidden").examples[0]
    assert named(checks, "5 options (zh)").passed


def test_reading_grade_orders_texts() -> None:
    assert (
        reading_grade("The cat sat. It ran.")
        < 3
        < reading_grade("Notwithstanding institutional considerations, interdisciplinary collaboration necessitates documentation.")
    )


def test_all_checks_run_on_a_small_bank() -> None:
    checks = list(check_bank(bank(*(norm_document(number) for number in range(1, 9))), LIMITS, similarity=False))
    assert len(checks) > 25 and any(not check.passed for check in checks)
    assert Check(name="x", value=1).passed and Check(name="x", value=1).limits == "reported"
    assert Check(name="x", value=1, low=2).limits == "at least 2" and not Check(name="x", value=1, low=2).passed
