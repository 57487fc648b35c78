"""Judging a file: rows in order, ids passed through, faults named by row, and nothing half-written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from primum.cli import guardian as commands
from primum.errors import DataFormatError, DataMissingError, UsageError
from primum.guardian import files
from primum.guardian.files import FileSummary, score_file
from primum.schema.guardian import Exchange, GuardianVerdict
from tests.guardian_factory import StubGuardian, abstention, verdict


def by_word(exchange: Exchange) -> GuardianVerdict:
    if not exchange.answer:
        return abstention("empty")
    if "unsure" in exchange.answer:
        return abstention("uncertain")
    return verdict(0.9 if "bad" in exchange.answer else 0.1)


ROWS = [
    {"id": "a", "prompt": "p1", "answer": "bad advice"}, {"id": "b", "prompt": "p2", "answer": "good, \"quoted\"\nadvice"},
    {"id": "c", "prompt": "p3", "answer": ""}, {"id": "d", "prompt": "p4", "answer": "unsure"}, {"id": "e", "prompt": "p5", "answer": "坏 bad"},
]  # fmt: skip


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".csv":
        cells = [list(rows[0]), *(list(row.values()) for row in rows)]
        path.write_text("\n".join(",".join('"' + str(cell).replace('"', '""') + '"' for cell in line) for line in cells), encoding="utf-8")
    else:
        path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(("name", "first"), [("in.csv", 2), ("in.jsonl", 1)])
def test_rows_are_judged_in_order(tmp_path: Path, name: str, first: int) -> None:
    stub = StubGuardian(by_word)
    summary = score_file(stub, write(tmp_path / name, ROWS), out=tmp_path / "deep" / "out.jsonl")
    assert summary == FileSummary(rows=5, risky=2, safe=1, abstained={"empty": 1, "uncertain": 1})
    found = lines_of(tmp_path / "deep" / "out.jsonl")
    assert [line["id"] for line in found] == list("abcde")
    assert [line["row"] for line in found][0] == first
    assert [line["risk"] > 0.5 for line in found] == [True, False, False, False, True]
    assert [(exchange.prompt, exchange.answer) for exchange in stub.shown] == [(row["prompt"], row["answer"]) for row in ROWS]
    text = (tmp_path / "deep" / "out.jsonl").read_text(encoding="utf-8")
    assert "advice" not in text, "texts are not repeated"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out.jsonl"]


def test_chunks_lose_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_CHUNK", 3)
    path = write(tmp_path / "in.jsonl", [{"prompt": "p", "answer": f"{n} bad" if n % 2 else f"{n}"} for n in range(10)])
    assert score_file(StubGuardian(by_word), path, out=tmp_path / "o").rows == 10
    found = lines_of(tmp_path / "o")
    assert [line["row"] for line in found] == list(range(1, 11))
    assert "id" not in found[0]


def test_renamed_columns_and_norms(tmp_path: Path) -> None:
    path = write(
        tmp_path / "in.jsonl", [{"question": "q", "response": "r", "law": "cn-a-law/art-1-x"}, {"question": "q", "response": None, "law": 3}]
    )
    stub = StubGuardian(by_word)
    score_file(stub, path, columns=" prompt=question, answer = response ,norm=law", out=tmp_path / "o")
    assert stub.shown == [Exchange(prompt="q", answer="r", norm="cn-a-law/art-1-x"), Exchange(prompt="q", answer="")]


def test_a_missing_column_names_the_nearest(tmp_path: Path) -> None:
    for name in ("in.csv", "in.jsonl"):
        path = write(tmp_path / name, [{"prompt": "p", "answr": "a"}])
        with pytest.raises(DataFormatError, match=name) as refused:
            score_file(StubGuardian(by_word), path, out=tmp_path / "o")
        assert "'answer'" in refused.value.message and "'answr'" in str(refused.value)
        assert not [found for found in tmp_path.iterdir() if found.name.endswith(("o", ".tmp"))]


@pytest.mark.parametrize("value", [3, True, ["a"], {"text": "a"}])
def test_a_cell_that_is_not_text_is_named_by_row(tmp_path: Path, value: Any) -> None:
    path = write(tmp_path / "in.jsonl", [{"prompt": "p", "answer": "fine"}, {"prompt": "p", "answer": value}])
    out = tmp_path / "out.jsonl"
    out.write_text("what was there before", encoding="utf-8")
    with pytest.raises(DataFormatError, match=r"in.jsonl: row 2: column 'answer' is not text"):
        score_file(StubGuardian(by_word), path, out=out)
    assert out.read_text(encoding="utf-8") == "what was there before"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


@pytest.mark.parametrize("columns", ["prompt", "prompt=", "prompt=a,answer"])
def test_columns_that_cannot_be_read(tmp_path: Path, columns: str) -> None:
    with pytest.raises(UsageError, match="--columns"):
        score_file(StubGuardian(by_word), write(tmp_path / "in.jsonl", ROWS), columns=columns)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match="absent.csv"):
        score_file(StubGuardian(by_word), tmp_path / "absent.csv")


# The command.


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setattr(commands, "_guardian", lambda folder: StubGuardian(by_word))
    made = typer.Typer()
    commands.register(made)
    made.callback()(lambda: None)
    return made


def test_the_command_writes_lines_to_stdout(app: typer.Typer, tmp_path: Path) -> None:
    path = write(tmp_path / "in.jsonl", ROWS)
    result = CliRunner().invoke(app, ["guardian", "score", str(path)])
    assert result.exit_code == 0, result.output
    assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == list("abcde")
    assert "5 rows: 2 risky, 1 safe, 2 without verdict" in result.stderr


def test_json_needs_a_file_for_the_verdicts(app: typer.Typer, tmp_path: Path) -> None:
    path = write(tmp_path / "in.jsonl", ROWS)
    refused = CliRunner().invoke(app, ["guardian", "score", str(path), "--json"])
    assert isinstance(refused.exception, UsageError) and "--out" in refused.exception.remedy
    out = tmp_path / "o.jsonl"
    result = CliRunner().invoke(app, ["guardian", "score", str(path), "--json", "--out", str(out)])
    assert json.loads(result.stdout) == {"rows": 5, "risky": 2, "safe": 1, "abstained": {"empty": 1, "uncertain": 1}, "verdicts": str(out)}
    assert len(lines_of(out)) == 5


def test_a_table_for_people(app: typer.Typer, tmp_path: Path) -> None:
    path = write(tmp_path / "in.csv", ROWS)
    result = CliRunner().invoke(app, ["guardian", "score", str(path), "--out", str(tmp_path / "o.jsonl")])
    assert result.exit_code == 0
    assert "no verdict: uncertain" in result.stdout
