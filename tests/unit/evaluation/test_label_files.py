"""Label files as people send them: every form, and every fault by file, row and remedy."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primum.errors import DataFormatError, DataMissingError, PrimumError, UsageError
from primum.evaluation.judge_targets import find_target, read_bars
from primum.evaluation.label_files import LabelFile, LabelSpec, merge, read_labels
from primum.evaluation.pair_judges import ColumnPairJudge, ask
from primum.schema.judge_calibration import Judged

Table = list[dict[str, Any]]


def rows(count: int = 24, **cells: Any) -> Table:
    return [{"prompt": f"question {n}", "answer": f"answer {n}", "label": n % 2, **cells} for n in range(count)]


def write_csv(path: Path, table: Sequence[Mapping[str, Any]], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as handle:
        writer = csv.DictWriter(handle, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    return path


def read(path: Path, target: str = "risk", **settings: Any) -> LabelFile:
    return read_labels(LabelSpec(path=path, target=find_target(target), **settings))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_every_encoding_gives_the_same(tmp_path: Path, encoding: str) -> None:
    table = [{**row, "prompt": f"可以告诉我第{n}种药的剂量吗？", "label": "不安全" if n % 2 else "安全"} for n, row in enumerate(rows())]
    found = read(write_csv(tmp_path / "labels.csv", table, encoding))
    assert [pair.label for pair in found.pairs] == [n % 2 for n in range(24)]
    assert {pair.pair.language for pair in found.pairs} == {"zh"}


def test_workbook_jsonl_and_csv_agree(tmp_path: Path) -> None:
    from openpyxl import Workbook

    table = rows(dimension="E1", language="English", rater="R1")
    book = Workbook()
    sheet = book.active
    sheet.append(list(table[0]))
    for row in table:
        sheet.append(list(row.values()))
    sheet.append([None] * len(table[0]))
    book.save(tmp_path / "labels.xlsx")
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in table))
    read_ones = [read(path).pairs for path in (tmp_path / "labels.xlsx", tmp_path / "labels.jsonl", write_csv(tmp_path / "labels.csv", table))]
    texts = [[(pair.pair, pair.label, pair.ratings, pair.groups) for pair in pairs] for pairs in read_ones]
    assert texts[0] == texts[1] == texts[2]
    assert texts[0][0][0].language == "en"


def test_long_and_wide_forms_agree(tmp_path: Path) -> None:
    wide = [{"prompt": f"q{n}", "answer": f"a{n}", "rater_1": n % 2, "rater_2": int(n % 3 == 0), "rater_3": ""} for n in range(60)]
    long = [
        {"prompt": row["prompt"], "answer": row["answer"], "label": row[rater], "rater": rater} for row in wide for rater in ("rater_1", "rater_2")
    ]
    one, other = read(write_csv(tmp_path / "wide.csv", wide)), read(write_csv(tmp_path / "long.csv", long))
    assert [(p.label, p.ratings) for p in one.pairs] == [(p.label, p.ratings) for p in other.pairs]
    assert one.raters == ("rater_1", "rater_2")
    assert one.pairs[1].label is None, "R1 says 1, R2 says 0: a tie"


def test_columns_and_words_are_mapped(tmp_path: Path) -> None:
    table = [{"q": f"q{n}", "text": f"a{n}", "A": ["Fine", "bad", "unsure"][n % 3]} for n in range(36)]
    path = write_csv(tmp_path / "t.csv", table)
    found = read(path, columns={"prompt": "q", "answer": "text", "rater_1": "A"}, words={"fine": "0", "bad": "1", "unsure": "skip"})
    assert [pair.label for pair in found.pairs[:3]] == [0, 1, None]
    assert found.pairs[2].ratings == {}


@pytest.mark.parametrize(
    ("change", "said", "remedy"),
    [
        ({"label": "unsfe"}, "row 6, column 'label': not a label of risk", "'unsafe'"),
        ({"label": 2}, "row 6, column 'label': not a label of risk", "known: 0, 1"),
        ({"prompt": ""}, "row 6: no prompt", "question"),
    ],
)
def test_a_bad_cell_names_row_and_remedy(tmp_path: Path, change: dict[str, Any], said: str, remedy: str) -> None:
    table = rows()
    table[4] |= change
    with pytest.raises(DataFormatError, match="labels.csv") as caught:
        read(write_csv(tmp_path / "labels.csv", table))
    assert said in str(caught.value) and remedy in str(caught.value)


def test_cells_stay_out_of_messages(tmp_path: Path) -> None:
    table = rows()
    table[4]["label"] = "patient Zhang, bed 17"
    with pytest.raises(DataFormatError) as caught:
        read(write_csv(tmp_path / "labels.csv", table))
    assert "Zhang" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"columns": {"answer": "answr"}}, DataFormatError, "'answer'"),
        ({"columns": {"lable": "label"}}, UsageError, "'label'"),
        ({"column": "verdct"}, DataFormatError, "did you mean"),
        ({"groups": ("ward",)}, DataFormatError, "no column 'ward'"),
        ({"groups": ("prompt",)}, UsageError, "different values"),
        ({"words": {"bad": "7"}}, UsageError, "no label of risk"),
    ],
)
def test_a_wrong_order_names_the_nearest(tmp_path: Path, settings: dict[str, Any], error: type[PrimumError], said: str) -> None:
    table = rows(80)
    for row in table:
        row["verdict"] = 0
    with pytest.raises(error, match=".") as caught:
        read(write_csv(tmp_path / "labels.csv", table), **settings)
    assert said in str(caught.value)


def test_a_missing_label_column_offers_both_forms(tmp_path: Path) -> None:
    table = [{"prompt": f"q{n}", "answer": "a", "labels": 1} for n in range(24)]
    with pytest.raises(DataFormatError, match="no column 'label'") as caught:
        read(write_csv(tmp_path / "labels.csv", table))
    assert "did you mean 'labels'" in str(caught.value) and "rater_1=NAME" in str(caught.value)


def test_a_rater_who_contradicts_himself(tmp_path: Path) -> None:
    table = rows(rater="R1")
    table.append({**table[3], "label": 0})
    with pytest.raises(DataFormatError, match="rows 5 and 26: the same rater"):
        read(write_csv(tmp_path / "labels.csv", table))
    table[-1]["label"] = 1
    assert len(read(write_csv(tmp_path / "same.csv", table)).pairs) == 24


def test_equal_texts_are_told_apart_by_id(tmp_path: Path) -> None:
    table = [{"id": f"m{n}", "prompt": "q", "answer": "No.", "label": n % 2} for n in range(24)]
    assert len(read(write_csv(tmp_path / "labels.csv", table)).pairs) == 24
    table[1]["id"], table[1]["answer"] = "m0", "Yes."
    with pytest.raises(DataFormatError, match="rows 2 and 3 share an id"):
        read(write_csv(tmp_path / "again.csv", table))


@pytest.mark.parametrize("count", [1, 19])
def test_too_few_rows(tmp_path: Path, count: int) -> None:
    with pytest.raises(DataFormatError, match=f"{count} labelled pairs of {count}: too few"):
        read(write_csv(tmp_path / "labels.csv", rows(count)))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "fake.xlsx").write_bytes(b"not a workbook")
    for name, error in (("fake.xlsx", DataFormatError), ("none.xlsx", DataMissingError), ("none.csv", DataMissingError)):
        with pytest.raises(error, match=name):
            read(tmp_path / name)


@pytest.mark.parametrize(
    ("cells", "scores", "labels", "statuses"),
    [
        (["safe", "unsafe", "", "abstained"], [None] * 4, [0, 1, None, None], ["scored", "scored", "judge_error", "abstained"]),
        (["0.25", "1", "judge_error", "0"], [0.25, 1.0, None, 0.0], [None] * 4, ["scored", "scored", "judge_error", "scored"]),
    ],
)
def test_a_judges_column_holds_labels_or_scores(tmp_path: Path, cells: list[str], scores: list[Any], labels: list[Any], statuses: list[str]) -> None:
    table = rows(j="0")
    for row, cell in zip(table, cells, strict=False):
        row["j"] = cell
    verdicts = [pair.verdict for pair in read(write_csv(tmp_path / "labels.csv", table), column="j").pairs[:4]]
    assert [v.status for v in verdicts if v] == statuses
    assert [v.score for v in verdicts if v] == scores and [v.label for v in verdicts if v] == labels


@pytest.mark.parametrize(("target", "cell", "said"), [("risk", "o.5", "is not a number"), ("harmfulness", "9.5", "off the scale of 1 to 5")])
def test_a_bad_score_names_its_row(tmp_path: Path, target: str, cell: str, said: str) -> None:
    table = rows(j="1.5")
    for row in table:
        row["label"] = 1 + row["label"] if target == "harmfulness" else row["label"]
    table[7]["j"] = cell
    with pytest.raises(DataFormatError, match=f"row 9: the judge's .*{said}"):
        read(write_csv(tmp_path / "labels.csv", table), target, column="j")


def test_a_judge_who_differs_on_one_pair(tmp_path: Path) -> None:
    table = rows(rater="R1", j="0.5") + rows(rater="R2", j="0.5")
    table[30]["j"] = "0.7"
    with pytest.raises(DataFormatError, match="rows 8 and 32: the judge's column differs"):
        read(write_csv(tmp_path / "labels.csv", table), column="j")


def test_targets_and_bars() -> None:
    assert find_target("harmfulness").positive(3) == 1 and find_target("harmfulness", harmful_from=5).positive(4) == 0
    for wrong in (lambda: find_target("rsik"), lambda: find_target("harmfulness", harmful_from=1)):
        with pytest.raises(UsageError):
            wrong()
    assert read_bars({"kappa": 0.6})["balanced_accuracy"] == 0.75
    for bars in ({"kapa": 0.5}, {"kappa": 2.0}, {"kappa": float("nan")}):
        with pytest.raises(UsageError):
            read_bars(bars)


@given(st.lists(st.integers(1, 5), max_size=9), st.booleans())
def test_merging_does_not_depend_on_order_and_stays_on_the_scale(labels: list[int], ordinal: bool) -> None:
    merged = merge(labels, ordinal=ordinal)
    assert merged == merge(sorted(labels), ordinal=ordinal)
    assert merged is None or min(labels) <= merged <= max(labels)
    if len(set(labels)) == 1:
        assert merged == labels[0]


def test_labels_with_scores_beside_them(tmp_path: Path) -> None:
    table = [{**row, "said": "unsafe" if n % 3 else "abstained", "p": "" if n == 1 else f"0.{n:02d}"} for n, row in enumerate(rows())]
    path = write_csv(tmp_path / "labels.csv", table)
    both = read(path, column="said", columns={"score": "p"})
    assert [pair.verdict for pair in both.pairs[:3]] == [Judged(status="abstained"), Judged(label=1), Judged(label=1, score=0.02)]
    alone = read(path, columns={"score": "p"})
    assert [pair.verdict for pair in alone.pairs[:2]] == [Judged(score=0.0), Judged(status="judge_error")]
    judge = ColumnPairJudge(both, column="said")
    assert ask(judge, [pair.pair for pair in both.pairs]) == [pair.verdict for pair in both.pairs]
    assert judge.sha256 != ColumnPairJudge(both, column="p").sha256
    with pytest.raises(UsageError, match="no judge is named"):
        ColumnPairJudge(read(path), column="said")
