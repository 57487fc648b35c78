"""``primum norms`` and ``primum bank`` as users type them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_commands import ok, primum
from tests.norm_factory import norm_document, source_document, write_norm_file


def small_bank(folder: Path, count: int = 12) -> Path:
    norms = [norm_document(number, dimensions=["E1" if number % 2 else "S1"]) for number in range(1, count + 1)]
    return write_norm_file(folder / "norms", source_document(), norms).parent


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    norms = str(small_bank(tmp_path))
    first = ok("bank", "build", "--norms", norms, "--out", "a", cwd=tmp_path)
    second = ok("bank", "build", "--norms", norms, "--out", "b", cwd=tmp_path)
    assert first["files"] == second["files"] and first["items"]["zh"] == first["items"]["en"] > 100
    assert first["seed"] != ok("bank", "build", "--norms", norms, "--out", "c", "--seed", "5", cwd=tmp_path)["seed"]


def test_norms_are_checked_and_a_change_is_followed(tmp_path: Path) -> None:
    norms = str(small_bank(tmp_path))
    found = ok("norms", "check", "--norms", norms, "--as-of", "2026-11-21", "--changed", "cn-a-law-2020/art-3", cwd=tmp_path)
    assert found["errors"] == 0 and found["impact"]["norms"] == ["cn-a-law-2020/art-3-rule"]
    early = primum("norms", "check", "--norms", norms, "--as-of", "2019-01-01", cwd=tmp_path)
    assert early.returncode == 1 and "not in force" in early.stdout
    assert primum("norms", "check", "--norms", norms, "--as-of", "tomorrow", cwd=tmp_path).returncode == 2


def test_search_answers_in_the_language_of_the_question(tmp_path: Path) -> None:
    found = ok("norms", "search", "家属签字能不能代替病人本人同意手术", cwd=tmp_path)
    assert found["language"] == "zh" and len(found["found"]) == 5
    assert primum("norms", "search", "  ", cwd=tmp_path).returncode == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [({"dimensions": ["E12"]}, "dimensions"), ({"statement": {"zh": "只有中文"}}, "statement.en"), ({"artcle": "x"}, "'article'")],
)
def test_a_bad_norm_names_file_and_line_and_leaves_nothing(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    write_norm_file(tmp_path / "norms", source_document(), [norm_document(**change)])
    done = primum("bank", "build", "--norms", "norms", "--out", "out", cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr and "cn-a-law-2020.yaml:" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_small_bank_fails_its_limits_and_says_where(tmp_path: Path) -> None:
    done = primum("bank", "check", "--quick", "--norms", str(small_bank(tmp_path)), cwd=tmp_path)
    assert done.returncode == 1 and "FAILED" in done.stdout and "norms in the smallest dimension" in done.stdout


def test_contamination_is_found_and_absent(tmp_path: Path) -> None:
    norms = str(small_bank(tmp_path))
    ok("bank", "build", "--norms", norms, "--out", "a", cwd=tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "a" / "items-en.jsonl").read_text().splitlines()]
    test = next(row for row in rows if row["split"] == "test" and row["form"] == "harmful-request")
    asked = f"Please help. {test['question']} It is for tomorrow and I have no other way to do it."
    (tmp_path / "train.jsonl").write_text(json.dumps({"prompt": asked}) + "\n")
    (tmp_path / "clean.jsonl").write_text(json.dumps({"prompt": "How do I plant tomatoes on a balcony that faces north in a cold climate?"}) + "\n")
    clean = primum("bank", "contamination", "clean.jsonl", "--norms", norms, "--json", cwd=tmp_path)
    assert clean.returncode == 0 and json.loads(clean.stdout)["overlaps"] == []
    dirty = primum("bank", "contamination", "train.jsonl", "--norms", norms, "--json", cwd=tmp_path)
    assert dirty.returncode == 1 and test["provenance"]["norm"] in {hit["text"].rpartition("/")[0] for hit in json.loads(dirty.stdout)["overlaps"]}
    assert primum("bank", "contamination", "train.jsonl", "--norms", norms, "--split", "tset", cwd=tmp_path).returncode == 2


def test_two_raters_and_a_third(tmp_path: Path) -> None:
    project = ("--project", "p")
    for rater in ("R1", "R2"):
        ok("bank", "annotate", "export", f"{rater}.csv", "--rater", rater, "--limit", "20", *project, cwd=tmp_path)
        _fill(tmp_path / f"{rater}.csv", "A" if rater == "R1" else "B")
        assert ok("bank", "annotate", "import", f"{rater}.csv", "--rater", rater, *project, cwd=tmp_path)["labels"] == 20
    third = primum("bank", "annotate", "import", "R2.csv", "--rater", "R3", *project, cwd=tmp_path)
    assert third.returncode == 2 and "a third label is refused" in third.stderr
    found = ok("bank", "annotate", "agreement", *project, cwd=tmp_path)
    assert len(found["disagreements"]) == 20 and found["certified"] == []
    ok("bank", "annotate", "export", "R3.csv", "--rater", "R3", "--adjudicate", *project, cwd=tmp_path)
    _fill(tmp_path / "R3.csv", "A", comment="read the article")
    done = ok("bank", "annotate", "import", "R3.csv", "--rater", "R3", "--adjudicate", *project, cwd=tmp_path)
    assert done["labels"] == 20 and 10 < done["keys_changed"] <= 20
    amendments = [json.loads(line) for line in (tmp_path / "p" / "amendments.jsonl").read_text().splitlines()]
    assert all(row["who"] == "R3" and row["why"] == "read the article" for row in amendments)
    assert primum("bank", "annotate", "import", "R1.csv", "--rater", "R1", *project, cwd=tmp_path).returncode == 2


def _fill(path: Path, letter: str, comment: str = "") -> None:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    for row in rows:
        row.update(answer=letter, comment=comment)
    with path.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_export_writes_every_format(tmp_path: Path) -> None:
    norms = str(small_bank(tmp_path))
    files = ok("bank", "export", "--norms", norms, "--out", "x", cwd=tmp_path)["files"]
    assert {"croissant.json", "DATA_CARD.zh.md", "DATA_CARD.en.md", "lm-eval/primum_bank.yaml", "inspect/primum_bank.py"} <= set(files)
    assert primum("bank", "export", "--norms", norms, "-f", "parket", cwd=tmp_path).returncode == 2
