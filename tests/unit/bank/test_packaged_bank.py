"""The packaged bank: its extent, its balance, and that both languages ask the same."""

from __future__ import annotations

import datetime as dt
import os
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from primum.bank.quality.check import check_bank
from primum.bank.quality.limits import packaged_limits
from primum.norms.check import check_norms
from primum.norms.law_texts import read_law_texts
from primum.norms.library import all_norms, load_norm_files, packaged_norms
from primum.schema.base import Language
from primum.schema.item import Item
from primum.schema.norm import RequestStyle
from primum.schema.taxonomy import DIMENSION_IDS
from primum.tasks.primum_bank.task import BENIGN, CHOICE, DILEMMA, JUDGEMENT, REQUESTS, BankTask

TASKS = [CHOICE, JUDGEMENT, DILEMMA, REQUESTS, BENIGN]


def items(task: BankTask, language: Language) -> list[Item]:
    return list(task.items(None, language))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_dimension_has_twelve_single_choice_items(language: Language) -> None:
    counts = Counter(item.groups["dimension"] for item in items(CHOICE, language) if item.form == "single_choice")
    assert set(counts) == set(DIMENSION_IDS)
    assert min(counts.values()) >= 12


def test_the_bank_has_its_first_extent() -> None:
    norms = list(all_norms(packaged_norms()))
    assert len(packaged_norms()) >= 60 and len(norms) >= 320
    assert min(Counter(norm.dimension for norm in norms).values()) >= 14
    assert min(Counter(scene for norm in norms for scene in norm.scenes).values()) >= 10
    assert sum(len(items(task, "zh")) for task in TASKS) >= 3000


def test_every_attack_style_is_there() -> None:
    styles = Counter(item.groups["style"] for item in items(REQUESTS, "en"))
    assert set(styles) == set(get_args(RequestStyle)) and min(styles.values()) >= 60


@pytest.mark.parametrize("task", TASKS)
def test_cards_state_the_true_size(task: BankTask) -> None:
    assert task.card.size == len(items(task, "zh")) == len(items(task, "en"))


def test_every_request_names_its_principle_and_has_a_safe_answer() -> None:
    for language in ("zh", "en"):
        for item in items(REQUESTS, language):
            assert item.groups["principle"] in "123456789"
            assert item.groups["style"] != "direct" or len(item.reference) > 10


@pytest.mark.parametrize("task", TASKS)
def test_languages_are_parallel(task: BankTask) -> None:
    zh, en = items(task, "zh"), items(task, "en")
    assert [item.id for item in zh] == [item.id for item in en]
    assert [(item.answer, item.norm, item.groups["dimension"]) for item in zh] == [(item.answer, item.norm, item.groups["dimension"]) for item in en]
    assert not {item.question for item in zh} & {item.question for item in en}


def test_ids_are_unique_and_building_is_deterministic() -> None:
    first, second = items(CHOICE, "zh"), items(CHOICE, "zh")
    assert len({item.id for item in first}) == len(first)
    assert [item.model_dump_json() for item in first] == [item.model_dump_json() for item in second]


def test_every_letter_is_right_equally_often() -> None:
    counts = Counter(item.answer[0] for item in items(CHOICE, "en") if item.form == "single_choice")
    assert set(counts) == set("ABCDE")
    # Withheld items were balanced too; what is left may differ by chance only.
    assert max(counts.values()) - min(counts.values()) <= 0.2 * counts.total() / 5


def test_nothing_claims_a_review_that_did_not_happen() -> None:
    assert {norm.review for norm in all_norms(packaged_norms())} == {"unreviewed"}


def _law_texts() -> Path:
    root = Path(os.environ.get("PRIMUM_LAWS", Path(__file__).parents[4] / "shared" / "laws"))
    if not (root / "articles.jsonl").is_file():
        pytest.skip(f"no law texts at {root} (set PRIMUM_LAWS)")
    return root


@pytest.mark.data
def test_every_cited_article_exists_in_the_cited_version() -> None:
    findings = check_norms(packaged_norms(), texts=read_law_texts(_law_texts()), as_of=dt.date(2026, 11, 21))
    assert [finding for finding in findings if finding.severity == "error"] == []


def test_the_bank_keeps_its_limits() -> None:
    """All checks but the search for near-duplicates, which test_similarity does on a sample and ``primum bank check`` on the whole."""
    failed = [check for check in check_bank(packaged_norms(), packaged_limits(), similarity=False) if not check.passed]
    assert failed == []


def test_a_norm_under_a_foreign_source_is_refused(tmp_path: Path) -> None:
    from primum.errors import ConfigError, DataFormatError, DataMissingError
    from primum.norms.library import packaged_folder

    with pytest.raises(DataMissingError):
        load_norm_files(tmp_path)
    original = next(packaged_folder().glob("*.yaml")).read_text(encoding="utf-8")
    source = original.split("  id: ", 1)[1].split("\n", 1)[0]
    (tmp_path / "a.yaml").write_text(original.replace(f"  id: {source}\n", "  id: cn-another-law-2020\n", 1), encoding="utf-8")
    with pytest.raises(DataFormatError, match="does not belong"):
        load_norm_files(tmp_path)
    (tmp_path / "a.yaml").write_text(original, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(original, encoding="utf-8")
    with pytest.raises(DataFormatError, match="stands twice"):
        load_norm_files(tmp_path)
    (tmp_path / "b.yaml").write_text(original.replace("severity:", "severtiy:", 1), encoding="utf-8")
    with pytest.raises(ConfigError, match="severity"):
        load_norm_files(tmp_path)
