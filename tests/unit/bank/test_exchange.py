"""The bank in other formats, and what a change of law touches."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from primum.bank.build import build_items, prepare
from primum.bank.exchange import croissant, data_card, inspect_ai, lm_eval
from primum.bank.exchange.rows import item_rows, write_jsonl, write_parquet
from primum.bank.impact import find_impact
from primum.errors import UnknownNameError
from primum.hashing import sha256_file
from primum.runs.compaction import write_items
from primum.schema.base import Language
from primum.schema.item import LETTERS, Item
from primum.schema.norm import NormFile
from primum.tasks.prompts import choice_text
from tests.norm_factory import norm_document, source_document

FILES = [NormFile.model_validate({"source": source_document(), "norms": [norm_document(n) for n in range(1, 5)]})]
CONTEXT = prepare(FILES, seed=1)
ITEMS: dict[Language, Sequence[Item]] = {"zh": list(build_items(CONTEXT, "zh")), "en": list(build_items(CONTEXT, "en"))}


def test_rows_carry_their_provenance_through_jsonl_and_parquet(tmp_path: Path) -> None:
    rows = list(item_rows(ITEMS["zh"], CONTEXT))
    assert write_jsonl(tmp_path / "a.jsonl", rows) == write_parquet(tmp_path / "a.parquet", rows) == len(ITEMS["zh"])
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines == pq.read_table(tmp_path / "a.parquet").to_pylist()
    provenance = lines[0]["provenance"]
    assert (
        provenance["norm"].startswith("cn-a-law-2020/")
        and provenance["vignette"]
        and provenance["article"] == "第一条"
        and provenance["bank_version"]
    )
    assert all(line["review"] == "unreviewed" for line in lines)


def test_lm_eval_tasks_point_at_their_data_and_keys(tmp_path: Path) -> None:
    written = lm_eval.write_lm_eval(tmp_path, ITEMS, prompt=choice_text)
    group = yaml.safe_load((tmp_path / "primum_bank.yaml").read_text())
    assert group["task"] == ["primum_choice_zh", "primum_judgement_zh", "primum_choice_en", "primum_judgement_en"]
    task = yaml.safe_load((tmp_path / "primum_choice_en.yaml").read_text())
    rows = [json.loads(line) for line in Path(task["dataset_kwargs"]["data_files"]["test"]).read_text(encoding="utf-8").splitlines()]
    by_id = {item.id: item for item in ITEMS["en"]}
    assert all(path.exists() for path in written) and rows
    for row in rows:
        item = by_id[row["id"]]
        assert row["prompt"] == choice_text(item) and LETTERS[row["gold"]] == item.answer[0] and len(row["letters"]) == len(item.options)


def test_inspect_files_parse_and_hold_targets(tmp_path: Path) -> None:
    inspect_ai.write_inspect(tmp_path, ITEMS)
    tree = ast.parse((tmp_path / "primum_bank.py").read_text())
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert {"primum_choice", "primum_several", "primum_judgement"} <= names
    several = [json.loads(line) for line in (tmp_path / "primum_several_zh.jsonl").read_text(encoding="utf-8").splitlines()]
    assert several and all(isinstance(row["target"], list) and len(row["target"]) == 2 for row in several)


def test_croissant_hashes_its_files(tmp_path: Path) -> None:
    path = tmp_path / "primum-bank-zh.parquet"
    write_parquet(path, item_rows(ITEMS["zh"], CONTEXT))
    described = croissant.describe(
        tmp_path, [path], counts={"zh": len(ITEMS["zh"])}, published="2026-11-21", review="Unreviewed.", url="https://example.org"
    )
    document = json.loads(described.read_text())
    assert document["distribution"][0]["sha256"] == sha256_file(path)
    assert {name for name in document if name.startswith("rai:")} >= {"rai:dataLimitations", "rai:dataBiases", "rai:personalSensitiveInformation"}
    columns = set(pq.read_schema(path).names)
    assert {field["source"]["extract"]["column"] for field in document["recordSet"][0]["field"]} <= columns


def test_cards_say_unreviewed_in_both_languages(tmp_path: Path) -> None:
    chinese, english = data_card.write_cards(tmp_path, FILES, ITEMS)
    assert "未经医师审核" in chinese.read_text(encoding="utf-8") and "unreviewed" in english.read_text(encoding="utf-8")
    assert f"{len(ITEMS['en'])} items" in english.read_text(encoding="utf-8")


def test_a_change_of_law_lists_norms_items_runs_and_approvals(tmp_path: Path) -> None:
    run = tmp_path / "audits" / "quick" / "runs" / "choice"
    run.mkdir(parents=True)
    write_items(run / "items.parquet", [(item, "0" * 64) for item in ITEMS["zh"]])
    (tmp_path / "audits" / "quick" / "dossier.html").write_text("x")
    (tmp_path / "audits" / "quick" / "summary.json").write_text('{"verdict": "pass"}')
    impact = find_impact("cn-a-law-2020/art-2", FILES, folders=[tmp_path / "audits", tmp_path / "nowhere"])
    assert impact.norms == ("cn-a-law-2020/art-2-rule",)
    assert set(impact.items) == {item.id for item in ITEMS["zh"] if item.norm == "cn-a-law-2020/art-2-rule"}
    (touched,) = impact.runs
    assert touched.items == len(impact.items) and touched.of == len(ITEMS["zh"]) and touched.verdict == "pass"
    assert impact.approvals == (str(tmp_path / "audits" / "quick"),)
    assert len(find_impact("cn-a-law-2020", FILES, folders=[]).norms) == 4
    with pytest.raises(UnknownNameError, match="cn-a-law-2020"):
        find_impact("cn-a-law-2021", FILES, folders=[])
