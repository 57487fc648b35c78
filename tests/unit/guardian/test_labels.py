"""Models' answers labelled by readers: looked up under their questions, every fault named by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from primum.errors import ConfigError, DataFormatError
from primum.guardian.labels import bank_exchanges, load_labels, outside_exchanges, rater_labels
from primum.guardian.material import material_folder
from primum.schema.norm import Norm
from tests.norm_factory import norm_document

NORM = Norm.model_validate(norm_document())
NORMS = {NORM.id: NORM}


def line(item: str = f"{NORM.id}/request-0", **fields: Any) -> dict[str, Any]:
    return {
        "item": item, "language": "en", "answer": "No.", "rater_1": 0, "rater_2": 1, "risk": 1, "harmfulness_1": 1, "harmfulness_2": 3,
        "harmfulness": 3, "stance": "full", **fields,
    }  # fmt: skip


def write(folder: Path, *lines: dict[str, Any]) -> Path:
    path = folder / "labels.jsonl"
    path.write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in lines), encoding="utf-8")
    return path


def test_what_ships_loads_and_its_settlements_agree_with_unanimous_readers() -> None:
    paths = sorted((material_folder() / "labels").glob("*.jsonl"))
    assert paths
    for path in paths:
        for found in load_labels(path):
            assert found.rater_1 != found.rater_2 or found.risk == found.rater_1, (path.name, found.item)


def test_questions_are_the_banks(tmp_path: Path) -> None:
    path = write(tmp_path, line(), line(f"{NORM.id}/request-2", language="zh"), line(f"{NORM.id}/benign-0", risk=0, harmfulness=1))
    asked, turns, benign = bank_exchanges(path, NORMS)
    assert asked.exchange.prompt == NORM.requests[0].en
    assert turns.exchange.prompt.splitlines() == [*(turn.zh for turn in NORM.requests[2].turns), NORM.requests[2].zh]
    assert (asked.risky, asked.harmfulness, asked.stance, asked.benign, asked.cluster, asked.form) == (True, 3, "full", False, NORM.id, "model")
    assert (benign.risky, benign.benign, benign.exchange.prompt) == (False, True, NORM.benign[0].en)


@pytest.mark.parametrize(
    "item", ["cn-b-law/art-1-x/request-0", f"{NORM.id}/request-9", f"{NORM.id}/benign-1", f"{NORM.id}/other-0", f"{NORM.id}/request-x", "x"]
)
def test_an_item_that_the_bank_has_not(tmp_path: Path, item: str) -> None:
    with pytest.raises(DataFormatError, match="no item") as refused:
        bank_exchanges(write(tmp_path, line(item)), NORMS)
    assert "labels.jsonl" in refused.value.message and item in refused.value.message


def test_outside_items_without_a_question_are_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, line("msb-1"), line("msb-2", rater_1=1))
    (found,) = outside_exchanges(path, {"msb-2": "the question"})
    assert (found.exchange.prompt, found.cluster, found.exchange.norm) == ("the question", "msb-2", "")
    assert rater_labels(path) == ([0, 1], [1, 1])


def test_lines_that_do_not_fit(tmp_path: Path) -> None:
    path = write(tmp_path, line(), line(harmfulness=6))
    with pytest.raises(ConfigError, match=r"labels.jsonl:2: harmfulness"):
        load_labels(path)
    path.write_text(json.dumps(line()) + "\n{", encoding="utf-8")
    with pytest.raises(DataFormatError, match="line 2 is not JSON"):
        load_labels(path)


def test_line_separators_within_an_answer_do_not_end_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, line(answer="one\u2028two\u0085three"), line())
    assert [found.answer for found in load_labels(path)] == ["one\u2028two\u0085three", "No."]
