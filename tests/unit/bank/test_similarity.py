"""Near-duplicates and contamination, with the real encoder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from primum.bank.contamination import find_overlaps, read_cells
from primum.bank.similarity import Text, bank_texts, near_duplicates, shingles
from primum.errors import DataFormatError
from primum.norms.library import all_norms, packaged_norms
from primum.norms.sentence_encoder import WIDTH, encode_sentences

ZH = "县医院急诊，72岁男性慢阻肺，近3天气促加重、痰多且转为黄脓，体温38.3℃，血氧饱和度89%，儿子请医师能不用抗菌药就不用。"
EN = "In a county emergency department, a 72-year-old man with COPD has had 3 days of worsening breathlessness with more sputum, now yellow."


def text(name: str, content: str, *, owner: str = "", split: str = "test", language: str = "zh") -> Text:
    return Text(name, owner or name, split, language, content)  # type: ignore[arg-type]


def test_the_encoder_gives_unit_vectors_and_knows_both_languages() -> None:
    vectors = encode_sentences(["高血压患者的饮食建议", "dietary advice for patients with hypertension", "二手自行车出售", ""])
    assert vectors.shape == (4, WIDTH)
    assert np.linalg.norm(vectors[0]) == pytest.approx(1, abs=1e-4)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_a_copy_a_light_edit_and_a_stranger() -> None:
    texts = [
        text("a", ZH),
        text("b", ZH.replace("72岁", "70岁"), split="train"),
        text("c", "村里的老人想在自家炕上走到最后，儿媳辞工照顾他，镇卫生院有家庭医生团队。"),
    ]
    (pair,) = near_duplicates(texts)
    assert {pair.one, pair.other} == {"a", "b"} and pair.jaccard > 0.7 and pair.splits in (("test", "train"), ("train", "test"))


def test_texts_of_one_norm_may_be_alike() -> None:
    assert near_duplicates([text("a", ZH, owner="n"), text("b", ZH, owner="n")]) == []


def test_shingles_of_short_texts() -> None:
    assert shingles("甲", "zh") == {"甲"} and shingles("one two", "en") == {"one two"}


def test_a_training_file_with_test_items_is_found(tmp_path: Path) -> None:
    rows = [
        {"messages": [{"role": "user", "content": f"请作答。{ZH}下列做法最恰当的是？"}, {"role": "assistant", "content": "A"}]},
        {"messages": [{"role": "user", "content": "今天的天气怎么样？我打算下午带孩子去公园走一走，需要带伞吗？"}]},
        {"instruction": EN.replace("72", "70")},
    ]
    path = tmp_path / "train.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    found = find_overlaps(read_cells(path), [text("zh-item", ZH), text("en-item", EN, language="en")])
    assert [(hit.row, hit.text) for hit in sorted(found, key=lambda hit: hit.row)] == [(1, "zh-item"), (3, "en-item")]
    assert next(hit for hit in found if hit.row == 1).contained > 0.9


def test_a_file_without_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataFormatError, match="no text"):
        read_cells(tmp_path / "x.csv")


def test_a_sample_of_the_packaged_bank_has_no_near_duplicates() -> None:
    norms = list(all_norms(packaged_norms()))[::16]
    assert near_duplicates(list(bank_texts(norms, {}))) == []
