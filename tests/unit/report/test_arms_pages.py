"""The pages of arms, doses and repeated experiments: whole in both languages, safe with hostile text, the same every time."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from primum.report.arms_page import render_arms
from primum.report.arms_wording import arms_phrases
from primum.report.dose_page import draw_dose_file, render_dose
from primum.report.dose_pictures import DoseMark, dose_plot
from primum.report.pictures import Axis
from primum.report.reproduction_page import render_reproduction
from primum.schema.base import LANGUAGES, Bilingual
from tests.unit.report.arms_results import cards, make_arms, make_dose, make_reproduction, make_spec
from tests.unit.report.factory import HOSTILE


def test_every_arm_and_metric_is_shown_in_both_languages() -> None:
    page = render_arms(make_arms())
    for text in (
        "监督微调 + 偏好优化",
        "SFT + DPO",
        "Base + retrieved norms",
        "原模型 + 检索规范",
        "Over-refusal",
        "过度拒绝",
        "200 demonstrations: bank 100",
    ):
        assert text in page
    assert page.count('aria-labelledby="arms-') == 2 * 5
    assert "The norms behind held-out items are in the library" in page
    assert page == render_arms(make_arms())


def test_what_no_arm_needs_is_not_explained() -> None:
    result = make_arms()
    assert "held-out items are in the library" not in render_arms(result.model_copy(update={"arms": (result.arms[0], result.arms[2])}))


def test_doses_are_drawn_with_seeds_and_as_a_file() -> None:
    result = make_dose()
    page = render_dose(result)
    assert "Dose and response" in page
    assert "示范数量与效果" in page
    assert "7, 8, 9" in page
    for language in LANGUAGES:
        drawn = draw_dose_file(result, language)
        root = ElementTree.fromstring(drawn)  # noqa: S314 - our own drawing
        assert root.tag.endswith("svg")
        assert len([child for child in root if child.tag.endswith("svg")]) == 5
        assert drawn == draw_dose_file(result, language)


def test_dose_0_has_a_place_and_near_labels_give_way() -> None:
    axis = Axis(low=0, high=1, ticks=((0.0, "0"), (1.0, "1")))
    spec = dose_plot([DoseMark(dose, 0.1, 0.2, 0.3, 0) for dose in (0, 200, 880, 900)], axis, label="d")
    labels = next(data["values"] for data in spec["data"] if data["name"] == "doses")
    assert [label["text"] for label in labels] == ["0", "200", "", "900"]
    assert [label["x"] for label in labels] == sorted(label["x"] for label in labels)


@pytest.mark.parametrize("paper", ["a", "b", "c"])
def test_published_figures_stand_beside_ours(paper: str) -> None:
    page = render_reproduction(make_reproduction(paper))
    assert "not comparable" in page
    assert "不可比" in page
    wanted = {"a": ("42.7%", "50.8%", "60.0%", "+8.1"), "b": ("16.2%", "FinalScore, weighted", "deepseek-r1-7b-rag"), "c": ("1.33", "SafeMed-R1")}
    for text in wanted[paper]:
        assert text in page
    assert ("dose.html" in page) == (paper == "c")
    assert page == render_reproduction(make_reproduction(paper))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_harmless(text: str) -> None:
    hostile = Bilingual(zh=text, en=text)
    spec, tasks = make_spec(model=text, suite=text), cards(**{"primum-requests": hostile})
    pages = (
        render_arms(make_arms(spec=spec, tasks=tasks, notes=(hostile,))),
        render_dose(make_dose((0, 50), spec=spec, tasks=tasks, notes=(hostile,))),
        render_reproduction(make_reproduction("a", spec=spec, notes=(hostile,))),
    )
    for page in pages:
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "\u202e" not in page
        assert page.count("<script>") == 1
    for language in LANGUAGES:
        ElementTree.fromstring(draw_dose_file(make_dose((0, 50), tasks=tasks), language))  # noqa: S314 - our own drawing


def test_both_languages_say_everything() -> None:
    assert all(phrase.zh and phrase.en for phrase in arms_phrases().values())
