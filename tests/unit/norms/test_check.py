"""Norms against law texts and a day."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from primum.errors import ConfigError, DataFormatError, DataMissingError
from primum.norms.check import Finding, check_norms
from primum.norms.law_texts import article_key, plain_title, read_law_texts
from primum.norms.library import load_norm_files, packaged_norms
from primum.schema.norm import NormFile
from tests.norm_factory import norm_document, source_document, write_norm_file

DAY = dt.date(2026, 11, 21)


def files(*documents: dict[str, Any]) -> list[NormFile]:
    return [NormFile.model_validate(document) for document in documents]


def found(findings: list[Finding], severity: str) -> list[str]:
    return [f"{finding.where}: {finding.what}" for finding in findings if finding.severity == severity]


def texts(folder: Path, *rows: tuple[str, str, str]) -> Path:
    lines = [json.dumps({"law": law, "version": version, "article": article, "text": "..."}, ensure_ascii=False) for law, version, article in rows]
    (folder / "articles.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_the_packaged_norms_have_no_error() -> None:
    assert found(check_norms(packaged_norms(), as_of=DAY), "error") == []


def test_an_article_that_does_not_exist_is_named_with_the_version_that_has_it(tmp_path: Path) -> None:
    there = read_law_texts(texts(tmp_path, ("甲法", "2020-01-01", "第一条"), ("甲法", "2018-01-01", "第九条")))
    file = files({"source": source_document(), "norms": [norm_document(article="第九条", related=["第一条", "《乙法》第三条"])]})
    errors = found(check_norms(file, texts=there, as_of=DAY), "error")
    assert errors == ["cn-a-law-2020/art-1-rule: 第九条 does not exist in 甲法 (2020-01-01); version 2018-01-01 has it"]


def test_paragraphs_and_headings_are_found(tmp_path: Path) -> None:
    there = read_law_texts(texts(tmp_path, ("甲法", "2020-01-01", "第一条"), ("甲法", "2020-01-01", "五、值班和交接班制度")))
    document = {"source": source_document(), "norms": [norm_document(article="第一条第二款", related=["五"])]}
    assert found(check_norms(files(document), texts=there, as_of=DAY), "error") == []


@pytest.mark.parametrize(
    ("change", "severity", "text"),
    [
        ({"status": "repealed"}, "error", "repealed"),
        ({"status": "not_yet_in_force"}, "error", "not in force on 2026-11-21"),
        ({"effective": "2027-01-01"}, "error", "effective 2027-01-01"),
        ({"status": "amended"}, "warning", "amended"),
        ({"superseded_by": "cn-gone-2021"}, "warning", "cn-gone-2021, which is not here"),
    ],
)
def test_stale_sources_are_flagged(change: dict[str, Any], severity: str, text: str) -> None:
    findings = check_norms(files({"source": source_document(**change), "norms": [norm_document()]}), as_of=DAY)
    assert any(text in line for line in found(findings, severity))


def test_the_day_decides() -> None:
    file = files({"source": source_document(effective="2021-01-01"), "norms": [norm_document()]})
    assert found(check_norms(file, as_of=DAY), "error") == []
    assert found(check_norms(file, as_of=dt.date(2020, 6, 1)), "error") != []


def test_supersession_in_a_circle_is_reported_once() -> None:
    ring = [
        {"source": source_document(id="cn-a-2020", superseded_by="cn-b-2021"), "norms": []},
        {"source": source_document(id="cn-b-2021", superseded_by="cn-a-2020"), "norms": []},
    ]
    errors = found(check_norms(files(*ring), as_of=DAY), "error")
    assert len(errors) == 1 and "cn-a-2020 -> cn-b-2021 -> cn-a-2020" in errors[0]


def test_a_collection_that_is_behind_is_no_error(tmp_path: Path) -> None:
    behind = read_law_texts(texts(tmp_path, ("甲法", "2015-01-01", "第一条")))
    file = files({"source": source_document(), "norms": [norm_document()]})
    assert found(check_norms(file, texts=behind, as_of=DAY), "error") == []
    ahead = read_law_texts(texts(tmp_path, ("甲法", "2024-01-01", "第一条")))
    assert found(check_norms(file, texts=ahead, as_of=DAY), "error") != []


def test_a_law_database_is_read(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "laws.db") as connection:
        connection.execute("CREATE TABLE laws (law_id, law_name, publish_date, version_date, status)")
        connection.execute("CREATE TABLE articles (law_id, article_no)")
        connection.execute("INSERT INTO laws VALUES ('x', '中华人民共和国甲法', '2020-01-01', '2020-01-01', '已废止')")
        connection.execute("INSERT INTO articles VALUES ('x', '第一条')")
    there = read_law_texts(tmp_path)
    assert len(there) == 1
    errors = found(check_norms(files({"source": source_document(), "norms": [norm_document()]}), texts=there, as_of=DAY), "error")
    assert errors == ["cn-a-law-2020: the law texts call it 已废止"]


def test_bad_collections_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError):
        read_law_texts(tmp_path / "nothing")
    (tmp_path / "articles.jsonl").write_text('{"law": "x", "article": "1"}\nnot json\n')
    with pytest.raises(DataFormatError, match="row 2"):
        read_law_texts(tmp_path)
    (tmp_path / "broken.db").write_text("not a database at all")
    with pytest.raises(DataFormatError):
        read_law_texts(tmp_path / "broken.db")


def test_keys() -> None:
    assert article_key("第二十五条第一款") == "第二十五条" and article_key("第三百三十六条之一第二款") == "第三百三十六条之一"
    assert plain_title("《中华人民共和国 医师法》") == "医师法"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dimensions": ["E12"]}, "dimensions"),
        ({"statement": {"zh": "只有中文"}}, "statement.en"),
        ({"colour": "red"}, "no such key"),
        ({"vignettes": []}, "vignettes"),
    ],
)
def test_a_malformed_norm_names_file_line_and_key(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = write_norm_file(tmp_path, source_document(), [norm_document(**change)])
    with pytest.raises(ConfigError) as caught:
        load_norm_files(tmp_path)
    assert f"{path}:" in str(caught.value) and message in str(caught.value)
    line = int(str(caught.value).split(f"{path}:")[1].split(":")[0])
    assert 1 < line <= len(path.read_text(encoding="utf-8").splitlines())


def test_a_right_option_equal_to_a_wrong_one_is_refused(tmp_path: Path) -> None:
    norm = norm_document()
    norm["vignettes"][0]["wrong"][1]["en"] = norm["vignettes"][0]["right"]["en"]
    path = write_norm_file(tmp_path, source_document(), [norm])
    with pytest.raises(ConfigError, match="two options have the same en text") as caught:
        load_norm_files(tmp_path)
    line = int(str(caught.value).split(f"{path}:")[1].split(":")[0])
    assert "id:" in path.read_text(encoding="utf-8").splitlines()[line - 1] or "- " in path.read_text(encoding="utf-8").splitlines()[line - 1]
