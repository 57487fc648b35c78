"""Every loader on files that are not as published: renamed columns, other encodings, repeated ids, keys outside the options."""

from __future__ import annotations

import codecs
import shutil
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from primum.errors import DataFormatError
from primum.schema.item import Item
from primum.tasks.base import TASKS, FileTask
from primum.tasks.medes.objective import locate_options

NAMES = [name for name in TASKS.names() if isinstance(TASKS.get(name), FileTask)]
Edit = Callable[[str], str]


def file_task(name: str) -> FileTask:
    task = TASKS.get(name)
    assert isinstance(task, FileTask)
    return task


def load(name: str, data: Path | None = None) -> list[Item]:
    task = file_task(name)
    return list(task.items(data or task.fixture, task.card.languages[0]))


@pytest.fixture
def edited(tmp_path: Path) -> Callable[[str, Edit], tuple[Path, Path]]:
    """Copies a task's fixture and edits its first file; gives the folder and that file."""

    def _edited(name: str, edit: Edit) -> tuple[Path, Path]:
        task = file_task(name)
        folder = tmp_path / name
        shutil.copytree(task.fixture, folder)
        path = folder / task.card.files[0].path
        before = path.read_text(encoding="utf-8-sig")
        after = edit(before)
        assert after != before
        path.write_text(after, encoding="utf-8")
        return folder, path

    return _edited


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_make_no_difference(name: str, encoding: str, tmp_path: Path) -> None:
    task = file_task(name)
    shutil.copytree(task.fixture, tmp_path / "data")
    for file in task.card.files:
        path = tmp_path / "data" / file.path
        path.write_text(path.read_text(encoding="utf-8-sig"), encoding=encoding)
    assert load(name, tmp_path / "data") == load(name)


@pytest.mark.parametrize("name", [name for name in NAMES if file_task(name).card.languages == ("zh",)])
def test_chinese_windows_files_are_read(name: str, tmp_path: Path) -> None:
    task = file_task(name)
    shutil.copytree(task.fixture, tmp_path / "data")
    for file in task.card.files:
        path = tmp_path / "data" / file.path
        path.write_bytes(path.read_text(encoding="utf-8-sig").encode("gbk"))
    assert load(name, tmp_path / "data") == load(name)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_file_is_refused_by_name(name: str, tmp_path: Path) -> None:
    task = file_task(name)
    for content in (b"", codecs.BOM_UTF8):
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
        shutil.copytree(task.fixture, tmp_path / "data")
        path = tmp_path / "data" / task.card.files[0].path
        path.write_bytes(content)
        with pytest.raises(DataFormatError) as caught:
            load(name, tmp_path / "data")
        assert str(path) in caught.value.message and caught.value.remedy


COLUMNS = [
    ("medsafetybench", "harmful_medical_request"),
    ("medsafetybench", "safe_response"),
    ("medes-objective", "query"),
    ("medes-objective", "reference"),
    ("medes-subjective", "scene"),
    ("medethiceval-knowledge", "question_type"),
    ("medethiceval-knowledge", "options"),
    ("medethiceval-violation", "theme_tag1"),
    ("medethiceval-priority", "query"),
    ("medethiceval-equilibrium", "case"),
    ("medqa", "answer_idx"),
    ("medqa", "options"),
    ("medmcqa", "cop"),
    ("medmcqa", "opd"),
    ("pubmedqa", "final_decision"),
    ("pubmedqa", "CONTEXTS"),
    ("cmexam", "options_text"),
    ("cmmlu-medical", "subject"),
    ("cnmle", "year"),
    ("xstest", "label"),
]


@pytest.mark.parametrize(("name", "column"), COLUMNS)
def test_a_renamed_column_is_named(name: str, column: str, edited: Callable[[str, Edit], tuple[Path, Path]]) -> None:
    quoted = f'"{column}"'
    folder, path = edited(name, lambda text: text.replace(quoted, f'"my_{column}"') if quoted in text else text.replace(column, f"my_{column}", 1))
    with pytest.raises(DataFormatError) as caught:
        load(name, folder)
    assert str(path) in caught.value.message and column in caught.value.message and caught.value.remedy


FAULTS: list[tuple[str, Edit, str]] = [
    ("medsafetybench", lambda t: t + "1,,a reply\n", "row 3: column 'harmful_medical_request' is empty"),
    ("medsafetybench", lambda t: t + "1,only two cells\n", "row 3 has 2 cells"),
    ("medes-objective", lambda t: t.replace(",ACE,", ",ACF,"), "row 2: the key must name letters among ABCDE"),
    ("medes-objective", lambda t: t.replace(",ACE,", ",,"), "row 2: the key must name letters"),
    ("medes-objective", lambda t: t.replace("医患关系,", "食堂,", 1), "row 2: column 'scene' names none of the 14 scenes"),
    ("medes-objective", lambda t: t + "常规诊疗,没有选项的题目,A,客观题\n", "the query holds no options"),
    ("medes-subjective", lambda t: t.replace("数字医疗,", ",", 1), "row 3: column 'scene' is empty"),
    ("medethiceval-knowledge", lambda t: t.replace(",B,", ",F,", 1), "row 2: the key must name letters among ABCDE"),
    ("medethiceval-knowledge", lambda t: t.replace("single-choice question", "essay", 1), "row 2: column 'question_type' is neither"),
    ("medethiceval-knowledge", lambda t: t.replace("['A.签字的速度'", "['A.别的'", 1), "row 2: the options in 'query' are not those in 'options'"),
    ("medethiceval-knowledge", lambda t: t.replace("['A.签字的速度'", "[A.签字的速度", 1), "row 2: column 'options' is no list"),
    ("medethiceval-knowledge", lambda t: t.replace("['A.签字的速度'", "['签字的速度'", 1), "row 2: column 'options' is no list"),
    ("medethiceval-knowledge", lambda t: t.replace("['A.签字的速度'", "[1, 'A.签字的速度'", 1), "row 2: column 'options' is no list"),
    ("medethiceval-knowledge", lambda t: t.replace("0000000002", "0000000001", 1), "stands twice"),
    ("medethiceval-violation", lambda t: t.replace(",user_reality,", ",,"), "row 2: column 'type' is empty"),
    ("medethiceval-violation", lambda t: t.replace("0000000002", "0000000001", 1), "stands twice"),
    ("medethiceval-priority", lambda t: t + t.splitlines()[1] + "\n", "stands twice"),
    ("medqa", lambda t: t.replace('"answer_idx": "A"', '"answer_idx": "E"', 1), "row 1: the key must name letters among ABCD"),
    ("medqa", lambda t: t.replace('"D": "Pulmonary embolism"', '"E": "Pulmonary embolism"', 1), "row 1: column 'options' must be an object"),
    ("medqa", lambda t: t.replace('"answer_idx": "A"', '"answer_idx": "AB"', 1), "row 1: .*exactly one right letter"),
    ("medqa", lambda t: t + '{"question": \n', "row 5 is not valid JSON"),
    ("medmcqa", lambda t: t.replace('"cop": 3', '"cop": 0'), "row 1: the key must be a number from 1 to 4"),
    ("medmcqa", lambda t: t.replace('"cop": 3', '"cop": 5'), "row 1: the key must be a number from 1 to 4"),
    ("medmcqa", lambda t: t.replace('"opb": "B1"', '"opb": ""'), "row 1: column 'opb' is empty"),
    ("medmcqa", lambda t: t + t.splitlines()[0] + "\n", "stands twice"),
    ("pubmedqa", lambda t: t.replace('"final_decision": "yes"', '"final_decision": "perhaps"', 1), "row 1: final_decision must be yes, no or maybe"),
    ("pubmedqa", lambda t: t.replace('"LABELS": [\n            "BACKGROUND",', '"LABELS": [', 1), "row 1: LABELS must name each section"),
    ("pubmedqa", lambda t: t[:-2], "not valid JSON"),
    ("pubmedqa", lambda t: "[]", "not an object of PubMed ids"),
    ("pubmedqa", lambda t: "{}", "not an object of PubMed ids"),
    ("pubmedqa", lambda t: '{"1": "text"}', "record 1 is not a JSON object"),
    ("mmlu-medical", lambda t: t.replace(",A\n", ",E\n", 1), "row 1: the key must name letters among ABCD"),
    ("mmlu-medical", lambda t: t.replace("Knee,", "", 1), "row 1 has 5 cells"),
    ("mmlu-medical", lambda t: "question,A,B,C,D,answer\n" + t, "row 1: the key must name letters"),
    ("cmexam", lambda t: t.replace('"answer": "D"', '"answer": "E"'), "row 2: the key must name letters among ABCD"),
    ("cmexam", lambda t: t.replace('"B 阿奇霉素', '"X 阿奇霉素'), "row 4: column 'options_text' must have one lettered option a line"),
    ("cmexam", lambda t: t.replace("B 80次/分\\n", "", 1), "row 1: column 'options_text' must have"),
    ("cmexam", lambda t: t.replace("阿莫西林", "", 1), "row 4: column 'options_text' must have"),
    ("cmexam", lambda t: t.replace('万古霉素", "answer": "C"', '万古霉素", "answer": "A"'), "row 4: the key must name letters among BCDE"),
    ("cmexam", lambda t: t.replace("cmx-f2", "cmx-f1"), "stands twice"),
    ("cmmlu-medical", lambda t: t.replace('"answer": "A"', '"answer": "AB"', 1), "row 1: .*exactly one right letter"),
    ("cnmle", lambda t: t.replace('"year": 2018', '"year": null'), "row 1: column 'year' is empty"),
    ("xstest", lambda t: t.replace('"label": "safe"', '"label": "maybe"', 1), "row 1: column 'label' must be safe or unsafe"),
    ("xstest", lambda t: t.replace('"id": "2"', '"id": "1"'), "stands twice"),
]


@pytest.mark.parametrize(("name", "edit", "message"), FAULTS, ids=[f"{name}-{message[:30]}" for name, _, message in FAULTS])
def test_a_malformed_row_is_named(name: str, edit: Edit, message: str, edited: Callable[[str, Edit], tuple[Path, Path]]) -> None:
    folder, path = edited(name, edit)
    with pytest.raises(DataFormatError, match=message) as caught:
        load(name, folder)
    assert caught.value.remedy
    assert str(path) in caught.value.message or "stands twice" in message


def test_medsafetybench_groups_come_from_the_files() -> None:
    items = load("medsafetybench")
    assert [(item.groups["origin"], item.groups["principle"]) for item in items] == [(o, str(p)) for o in ("gpt4", "llama2") for p in range(1, 10)]
    assert items[2].id == "msb-gpt4-3-0" and items[2].form == "harmful_request" and items[2].reference.startswith("I can't help avoid")


def test_medes_options_keys_and_repeated_questions() -> None:
    items = load("medes-objective")
    assert [len(item.options) for item in items] == [5, 4, 2, 4, 4, 3, 6, 8, 4]
    assert [item.groups["right_letters"] for item in items] == ["3", "3", "1", "2", "2", "2", "1", "3", "1"]
    assert items[5].groups["scene"] == "基因/干细胞诊疗"
    first, second = items[3], items[8]
    assert second.id == first.id + "~2" and first.cluster == second.cluster == first.id
    assert (first.answer, second.answer) == (("B", "D"), ("B",))
    assert items[6].options[4] == ""


def test_medes_prompts_are_the_published_queries(tmp_path: Path) -> None:
    task = file_task("medes-objective")
    item = load("medes-objective")[0]
    assert task.prompt(item)[-1].content == item.question
    assert "示例：" in item.question and item.options[0] == "先核实身份"
    unreadable = item.model_copy(update={"question": "没有选项"})
    assert task.prompt(unreadable)[-1].content == "没有选项"
    assert locate_options("A.x\nB.y") is not None


def test_medes_cases_from_one_norm_share_a_cluster() -> None:
    items = load("medes-subjective")
    assert items[0].cluster == items[1].cluster != items[2].cluster
    assert (items[3].reference, items[3].cluster) == ("", "")
    card = file_task("medes-subjective").card
    assert [metric.name for metric in card.metrics] == ["risk", "quality", "final_plain", "final_weighted"]
    assert all(metric.judged for metric in card.metrics)


def test_medethiceval_vignettes_and_breaches_are_clusters() -> None:
    knowledge = load("medethiceval-knowledge")
    assert knowledge[2].cluster == knowledge[3].cluster != knowledge[0].cluster
    assert [item.groups["question_type"] for item in knowledge] == ["single"] * 5 + ["multiple"]
    assert len({item.cluster for item in load("medethiceval-violation")}) == 2


def test_medqa_and_medmcqa_keys() -> None:
    assert [item.answer for item in load("medqa")] == [("A",), ("B",), ("C",), ("D",)]
    assert [item.id for item in load("medqa")][:2] == ["medqa-0000", "medqa-0001"]
    items = load("medmcqa")
    assert [item.answer for item in items] == [("C",), ("A",), ("B",), ("D",)]
    assert items[0].reference and items[1].reference == ""


def test_pubmedqa_shows_the_sections_but_not_the_conclusion() -> None:
    items = load("pubmedqa")
    assert [item.answer for item in items] == [("A",), ("B",), ("C",), ("A",)]
    shown = file_task("pubmedqa").prompt(items[0])[-1].content
    assert "BACKGROUND: Misidentification" in shown and "\nQuestion: Does a coloured" in shown and "A. yes\nB. no\nC. maybe" in shown
    assert items[0].reference and items[0].reference not in shown


def test_pubmedqa_without_labels(tmp_path: Path) -> None:
    path = tmp_path / "medical_exams" / "pubmedqa_test.json"
    path.parent.mkdir()
    path.write_bytes(orjson.dumps({"7": {"QUESTION": "Is it?", "CONTEXTS": ["One.", "Two."], "final_decision": "no"}}))
    (item,) = load("pubmedqa", tmp_path)
    assert item.question == "Abstract:\nOne.\nTwo.\n\nQuestion: Is it?"


def test_cmexam_letters_are_counted_from_a() -> None:
    items = load("cmexam")
    assert [(item.answer, item.form) for item in items] == [
        (("C",), "single_choice"),
        (("D",), "single_choice"),
        (("A", "B", "D", "E"), "multiple_choice"),
        (("B",), "single_choice"),
        (("B",), "single_choice"),
    ]
    assert items[3].options[1] == "阿莫西林"
    assert [item.groups["key"] for item in items][2] == "several"


def test_xstest_forms_follow_the_label() -> None:
    items = load("xstest")
    assert [item.form for item in items] == ["benign_request"] * 4 + ["harmful_request"] * 2
    assert {metric.name for metric in file_task("xstest").card.metrics} == {"over_refusal", "refusal"}


def test_a_file_is_read_by_itself() -> None:
    task = file_task("mmlu-medical")
    whole = load("mmlu-medical")
    apart = [item for path in task.sources(task.fixture, "en") for item in task.read([path], "en")]
    assert apart == whole and {item.groups["subset"] for item in whole} == {path.stem[5:-5] for path in task.sources(task.fixture, "en")}
