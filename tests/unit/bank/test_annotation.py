"""Blind sheets, agreement, adjudication."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from openpyxl import load_workbook

from primum.bank.annotation.agreement import judge
from primum.bank.annotation.project import KeyAmendment, Label, Plan, Project, row_code
from primum.bank.annotation.sheets import amendments_of, draw, read_labels, sheet_rows, write_sheet
from primum.bank.build import build_items, prepare
from primum.errors import DataFormatError, DataMissingError, InputError, UsageError
from primum.schema.item import Item
from primum.schema.norm import NormFile
from tests.norm_factory import norm_document, source_document

NORMS = [norm_document(n, dimensions=["E1" if n % 2 else "S1"]) for n in range(1, 13)]
ITEMS = [
    item
    for item in build_items(prepare([NormFile.model_validate({"source": source_document(), "norms": NORMS})], seed=2), "zh")
    if item.form == "single_choice"
]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    home = Project(tmp_path / "project")
    home.begin(ITEMS, language="zh", seed=7, version="1")
    return home


def by_id() -> dict[str, Item]:
    return {item.id: item for item in ITEMS}


def sheet(path: Path, plan: Plan, rater: str, answers: dict[str, str]) -> Path:
    rows = sheet_rows(plan, ITEMS, rater)
    codes = {row_code(plan, rater, item.id): item.id for item in ITEMS}
    for row in rows:
        row["answer"] = answers.get(codes[row["row"]], "")
    write_sheet(path, rows, "zh")
    return path


def test_sheets_are_blind_and_in_orders_of_their_own(project: Project, tmp_path: Path) -> None:
    plan = project.plan()
    one, other = sheet_rows(plan, ITEMS, "R1"), sheet_rows(plan, ITEMS, "R2")
    assert [row["question"] for row in one] != [row["question"] for row in other]
    assert not {row["row"] for row in one} & {row["row"] for row in other}
    text = str(one)
    assert not any(item.id in text or item.norm in text for item in ITEMS)
    assert all(row["answer"] == "" for row in one) and set(one[0]) <= {
        "row",
        "question",
        *(f"option_{c}" for c in "ABCDEF"),
        "answer",
        "unsure",
        "comment",
    }


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_sheet_comes_back_whole(project: Project, tmp_path: Path, ending: str) -> None:
    plan = project.plan()
    answers = {item.id: item.answer[0].lower() + " " for item in ITEMS[:-1]}
    labels, unanswered = read_labels(sheet(tmp_path / f"s.{ending}", plan, "R1", answers), plan, by_id(), "R1", role="rater", when="2026-11-21")
    assert {label.item: label.letters for label in labels} == {item.id: item.answer for item in ITEMS[:-1]}
    assert unanswered == [ITEMS[-1].id]


def test_a_cell_that_looks_like_a_formula_stays_text(project: Project, tmp_path: Path) -> None:
    rows = sheet_rows(project.plan(), ITEMS[:1], "R1")
    rows[0]["question"] = "=1+1"
    write_sheet(tmp_path / "s.xlsx", rows, "en")
    assert load_workbook(tmp_path / "s.xlsx")["items"]["B2"].data_type == "s"


def test_a_sheet_is_never_overwritten(tmp_path: Path, project: Project) -> None:
    (tmp_path / "s.csv").write_text("work")
    with pytest.raises(UsageError, match="may hold answers"):
        write_sheet(tmp_path / "s.csv", sheet_rows(project.plan(), ITEMS, "R1"), "zh")


def _edit(path: Path, **change: str) -> Path:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    rows[3].update(change)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [({"row": "deadbeef0000"}, "is not one of this rater's"), ({"answer": "G"}, "not among the options"), ({"answer": "AB"}, "2 letters")],
)
def test_edited_sheets_are_refused_with_their_row(project: Project, tmp_path: Path, change: dict[str, str], message: str) -> None:
    plan = project.plan()
    path = _edit(sheet(tmp_path / "s.csv", plan, "R1", {item.id: "A" for item in ITEMS}), **change)
    with pytest.raises(DataFormatError, match=message) as caught:
        read_labels(path, plan, by_id(), "R1", role="rater", when="x")
    assert "row 5" in str(caught.value)
    assert project.labels() == []


def test_another_raters_sheet_is_refused(project: Project, tmp_path: Path) -> None:
    plan = project.plan()
    path = sheet(tmp_path / "s.csv", plan, "R1", {item.id: "A" for item in ITEMS})
    with pytest.raises(DataFormatError):
        read_labels(path, plan, by_id(), "R2", role="rater", when="x")


def labels(rater: str, letters: dict[str, str]) -> list[Label]:
    return [Label(item=name, rater=rater, letters=(letter,), when="2026-11-21") for name, letter in letters.items()]


def other_letter(item: Item) -> str:
    return "B" if item.answer[0] != "B" else "C"


def test_agreement_disagreement_and_what_may_be_certified() -> None:
    right = {item.id: item.answer[0] for item in ITEMS}
    differs, both_off = ITEMS[0], ITEMS[1]
    one = {**right, both_off.id: other_letter(both_off)}
    two = {**right, both_off.id: other_letter(both_off), differs.id: other_letter(differs)}
    outcome = judge(ITEMS, [*labels("R1", one), *labels("R2", two)], [])
    assert set(outcome.disagreements) == {differs.id, both_off.id}
    assert outcome.withheld[differs.id] == "raters differ" and outcome.withheld[both_off.id] == "both raters differ from the key"
    whole = outcome.agreements[0]
    assert whole.group == "all" and whole.percent.value == pytest.approx(1 - 1 / len(ITEMS)) and whole.kappa.low is not None
    settled = KeyAmendment(item=differs.id, before=differs.answer, after=differs.answer, who="R3", when="x", why="confirmed")
    again = judge(ITEMS, [*labels("R1", one), *labels("R2", two)], [settled])
    assert differs.id in again.certified and again.disagreements == (both_off.id,)


def test_a_dimension_below_the_bar_is_withheld() -> None:
    weak = [item for item in ITEMS if item.groups["dimension"] == "S1"]
    one = {item.id: item.answer[0] for item in ITEMS}
    two = {**one, **{item.id: other_letter(item) for item in weak[: len(weak) * 2 // 3]}}
    outcome = judge(ITEMS, [*labels("R1", one), *labels("R2", two)], [])
    assert all(by_id()[name].groups["dimension"] == "E1" for name in outcome.certified)
    assert any("below" in why for why in outcome.withheld.values())


def test_one_rater_is_not_enough() -> None:
    with pytest.raises(InputError, match="1 of 2"):
        judge(ITEMS, labels("R1", {ITEMS[0].id: "A"}), [])


def test_a_changed_key_needs_a_reason() -> None:
    item = ITEMS[0]
    with pytest.raises(DataFormatError, match="without a reason"):
        amendments_of([Label(item=item.id, rater="R3", role="adjudicator", letters=(other_letter(item),), when="x")], by_id())
    (amended,) = amendments_of(
        [Label(item=item.id, rater="R3", role="adjudicator", letters=(other_letter(item),), comment="art. 27 applies", when="x")], by_id()
    )
    assert amended.before == item.answer and amended.after == (other_letter(item),) and amended.why == "art. 27 applies"


def test_nothing_is_overwritten(project: Project) -> None:
    project.add(labels("R1", {ITEMS[0].id: "A"}))
    project.add(labels("R2", {ITEMS[0].id: "B"}))
    assert [label.rater for label in project.labels()] == ["R1", "R2"]
    with pytest.raises(UsageError, match="begun with other items"):
        project.begin(ITEMS[:3], language="zh", seed=7, version="1")
    with pytest.raises(DataMissingError):
        Project(project.folder / "nowhere").plan()


def test_items_are_drawn_evenly() -> None:
    chosen = draw(ITEMS, limit=10, seed=1)
    assert len(chosen) == 10 and sum(item.groups["dimension"] == "E1" for item in chosen) == 5
    assert [item.id for item in chosen] == [item.id for item in draw(ITEMS, limit=10, seed=1)]
    assert draw(ITEMS, limit=None, seed=1) == ITEMS
