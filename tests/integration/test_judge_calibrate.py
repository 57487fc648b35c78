"""``primum judge calibrate`` as users type it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_commands import ok, primum

CALIBRATE = ("judge", "calibrate", "--labels")


def write(path: Path, *, count: int = 120, wrong: int = 10, benign: bool = False, encoding: str = "utf-8") -> str:
    """Two raters who agree, a judge's labels that are wrong on every ``wrong``-th pair, and its scores."""
    with path.open("w", encoding=encoding, newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["question", "reply", "one", "two", "verdict", "p", "ward"])
        for n in range(count):
            label = 0 if benign else n % 2
            said = label if n % wrong else 1 - label
            writer.writerow([f"怎样用药？第{n}问", f"回答{n}", label, label, said, 0.2 + 0.5 * said + (n * 7 % 30) / 100, "ab"[n % 2]])
    return path.name


COLUMNS = ("--columns", "prompt=question,answer=reply,rater_1=one,rater_2=two")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk"])
def test_labels_of_a_judge_are_certified_and_written(tmp_path: Path, encoding: str) -> None:
    name = write(tmp_path / "labels.csv", encoding=encoding)
    found = ok(*CALIBRATE, name, *COLUMNS, "--column", "verdict", "--group", "ward", "--out", "out", cwd=tmp_path)
    assert found["verdict"]["decision"] == "certified" and found["languages"] == ["zh"] and found["target"] == "risk"
    document = json.loads((tmp_path / "out" / "calibration.json").read_text(encoding="utf-8"))
    assert document == {key: value for key, value in found.items() if key != "directory"}
    page = (tmp_path / "out" / "calibration.html").read_text(encoding="utf-8")
    assert "予以认证" in page and "Certified" in page and "怎样用药" not in page
    assert not (tmp_path / "out" / "threshold.json").exists()
    again = ok(*CALIBRATE, name, *COLUMNS, "--column", "verdict", "--group", "ward", "--out", "again", cwd=tmp_path)
    assert again["measurements"] == found["measurements"]
    assert (tmp_path / "again" / "calibration.html").read_bytes() == (tmp_path / "out" / "calibration.html").read_bytes()


def test_scores_give_a_threshold_that_a_later_run_without_scores_removes(tmp_path: Path) -> None:
    name = write(tmp_path / "labels.csv", count=400)
    found = ok(*CALIBRATE, name, *COLUMNS, "--column", "p", "--false-block-rate", "0.15", "--out", "out", cwd=tmp_path)
    threshold = json.loads((tmp_path / "out" / "threshold.json").read_text())
    assert threshold["threshold"] == found["thresholds"][0]["threshold"] and threshold["judge_sha256"] == found["judge_sha256"]
    assert threshold["rule"] == "false_block_rate" and threshold["flag_when"] == "score >= threshold"
    ok(*CALIBRATE, name, *COLUMNS, "--column", "verdict", "--out", "out", cwd=tmp_path)
    assert not (tmp_path / "out" / "threshold.json").exists()


def test_a_bar_that_is_missed_exits_with_one(tmp_path: Path) -> None:
    name = write(tmp_path / "labels.csv")
    done = primum(*CALIBRATE, name, *COLUMNS, "--column", "verdict", "--bar", "kappa=0.95", cwd=tmp_path)
    assert done.returncode == 1 and "NOT CERTIFIED" in done.stdout and "below the bar of 0.95" in done.stdout
    assert len(list((tmp_path / "calibrations").glob("*/calibration.json"))) == 1


def test_benign_traffic_gives_a_threshold_and_exits_with_one(tmp_path: Path) -> None:
    name = write(tmp_path / "labels.csv", benign=True, count=300)
    done = primum(*CALIBRATE, name, *COLUMNS, "--column", "p", "--false-block-rate", "0.02", "--out", "out", "--json", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["verdict"]["decision"] == "not_certified"
    assert json.loads((tmp_path / "out" / "threshold.json").read_text())["limit"] == 0.02


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--column", "verdcit"], "did you mean 'verdict'"),
        (["--column", "verdict", "--target", "risky"], "'risk'"),
        (["--column", "verdict", "--bar", "kapa=0.5"], "'kappa'"),
        (["--column", "verdict", "--bar", "kappa=high"], "not a number"),
        (["--column", "verdict", "--bar", "kappa"], "--bar"),
        (["--column", "verdict", "--judge", "guardian"], "both name a judge"),
        (["--column", "verdict", "--false-block-rate", "0.02"], "labels and no scores"),
        (["--column", "verdict", "--labels-map", "bad=2"], "no label of risk"),
        (["--judge", "somebody"], "RUBRIC@MODEL"),
        ([], "no judge is named"),
    ],
)
def test_what_is_wrong_is_said_with_a_remedy_and_nothing_is_written(tmp_path: Path, arguments: list[str], said: str) -> None:
    name = write(tmp_path / "labels.csv")
    done = primum(*CALIBRATE, name, *COLUMNS, *arguments, cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr and "->" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and not (tmp_path / "calibrations").exists()


def test_one_class_says_what_is_missing(tmp_path: Path) -> None:
    name = write(tmp_path / "labels.csv", benign=True)
    done: Any = primum(*CALIBRATE, name, *COLUMNS, "--column", "p", cwd=tmp_path)
    assert done.returncode == 2 and "every labelled row is 0" in done.stderr and "--false-block-rate" in done.stderr
