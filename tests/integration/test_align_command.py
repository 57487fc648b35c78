"""``primum align`` as a process: what it refuses, and its quick sub-commands. The loop itself is tested on fakes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def primum(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "primum.cli.main", *arguments], capture_output=True, text=True, cwd=cwd, check=False, timeout=300)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--method", "sft+dop"), "did you mean 'sft+dpo'"),
        (("--mix", "medicine"), "--mix 'medicine' is not known"),
        (("--suite", "align-smal"), "did you mean 'align-small'"),
        (("--preset", "cpuu"), "did you mean 'cpu'"),
        (("--shares", "banks=3"), "no origin 'banks'"),
        (("--shares", "bank=many"), "has no number"),
        (("--model", "openai:m@http://127.0.0.1:1/v1"), "cannot be trained"),
        (("--out", "a+b"), "neither + nor ?"),
    ],
)
def test_bad_words_are_refused_with_a_remedy(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = primum("align", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr, done.stderr


def test_suites_are_listed_as_one_json_object(tmp_path: Path) -> None:
    done = primum("align", "suites", "--json", cwd=tmp_path)
    assert done.returncode == 0
    assert {suite["name"] for suite in json.loads(done.stdout)["suites"]} == {"align-small", "align-cpu", "align-full", "dose-cpu"}


def test_status_and_review_need_an_alignment(tmp_path: Path) -> None:
    for arguments in (("status", "."), ("review", "export", ".", "sheet.csv"), ("review", "import", ".", "sheet.csv")):
        done = primum("align", *arguments, cwd=tmp_path)
        assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--shares", "bnak=1"), "no origin 'bnak'"),
        (("--preset", "cpuu"), "no preset 'cpuu'"),
        (("--mix", "bth"), "--mix 'bth' is not known"),
        (("--arms", "sft+dop"), "no arm 'sft+dop'"),
        (("--dose", "none"), "not a list of numbers"),
    ],
)
def test_arms_refuse_bad_words_with_a_remedy(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = primum("arms", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr and "->" in done.stderr and "Traceback" not in done.stderr, done.stderr
