"""Commands as users type them: exit codes, one JSON object on stdout, errors with a remedy and no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def primum(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "primum.cli.main", *arguments],
        cwd=cwd,
        env={**os.environ, "PRIMUM_HOME": str(cwd / "home"), "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def ok(*arguments: str, cwd: Path) -> dict[str, Any]:
    done = primum(*arguments, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["eval", "primum-choise"], 2, "primum-choice"),
        (["eval", "primum-choice", "-m", "embeded"], 2, "'embedded'"),
        (["eval", "primum-choice", "-m", "scripted:letters=A", "--language", "fr"], 2, "language"),
        (["eval", "primum-choice", "-m", "scripted:letters=A", "--limit", "0"], 2, "limit"),
        (["eval", "primum-choice", "-m", "scripted:letters=A", "--cache", "of"], 2, "'off'"),
        (["eval", "medqa", "-m", "scripted:letters=A"], 2, "PRIMUM_DATA"),
        (["eval", "medqa", "-m", "scripted:letters=A", "--data", "nowhere"], 2, "nowhere"),
        (["eval", "primum-choice", "-m", "openai:m@https://api.example.org/v1", "--offline"], 3, "offline"),
        (["eval", "primum-choice", "--nonsense"], 2, "nonsense"),
        (["audit", "--protocol", "quik"], 2, "'quick'"),
        (["audit", "verify", "nowhere"], 2, "nowhere"),
        (["compare", "a", "b"], 2, "not a run directory"),
        (["nonsense"], 2, "nonsense"),
    ],
)
def test_wrong_use_is_answered_with_a_code_and_a_remedy(tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    done = primum(*arguments, cwd=tmp_path, PRIMUM_DATA="")
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_eval_show_sql_amend_compare_and_report(tmp_path: Path) -> None:
    a = ok("eval", "primum-choice", "-l", "zh", "-m", "scripted:constant=A", "--limit", "60", "--out", "a", cwd=tmp_path)
    ok("eval", "primum-choice", "-l", "zh", "-m", "scripted:constant=B", "--limit", "60", "--out", "b", cwd=tmp_path)
    assert a["items"] == 60
    assert ok("runs", "show", "a", cwd=tmp_path)["estimates"] == a["estimates"]
    assert {run["directory"] for run in ok("runs", "list", ".", cwd=tmp_path)["runs"]} == {"a", "b"}
    rows = ok("runs", "sql", "a", "SELECT key FROM scores WHERE status = 'scored' AND value = 0 ORDER BY key", cwd=tmp_path)["rows"]
    compared = ok("compare", "a", "b", "--html", "c.html", "--margin", "0.5", cwd=tmp_path)
    assert compared["differences"][0]["n"] == 60
    assert (tmp_path / "c.html").read_text(encoding="utf-8").startswith("<!")
    amend = ["--metric", "accuracy", "--scorer", "choice", "--value", "1", "--who", "rater", "--why", "misread"]
    assert primum("runs", "amend", "a", rows[0][0], *amend, cwd=tmp_path).returncode == 0
    after = ok("runs", "show", "a", cwd=tmp_path)
    assert after["estimates"][0]["value"] == pytest.approx(a["estimates"][0]["value"] + 1 / 60)
    assert (tmp_path / ok("report", "a", cwd=tmp_path)["report"]).stat().st_size > 1000


def test_tables_for_people(tmp_path: Path) -> None:
    done = primum("eval", "primum-benign", "-l", "en", "-m", "scripted:constant=Sure, here is how.", "--limit", "10", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "over_refusal" in done.stdout
    assert "risk" in done.stdout


def test_audit_writes_a_sealed_dossier_and_verify_finds_a_changed_byte(tmp_path: Path) -> None:
    done = primum("audit", "-m", "scripted:constant=A", "--out", "dossier", "--json", "--offline", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert found["verdict"] == "fail"
    assert {gate["decision"] for gate in found["gates"]} >= {"fail", "not_certified"}
    assert ok("audit", "verify", "dossier", cwd=tmp_path)["state"] == "intact"
    page = (tmp_path / "dossier" / "dossier.html").read_text(encoding="utf-8")
    assert "http://" not in page.replace("http://www.w3.org/", "")
    (tmp_path / "dossier" / "summary.json").write_text("{}")
    tampered = primum("audit", "verify", "dossier", "--json", cwd=tmp_path)
    assert tampered.returncode == 1
    assert json.loads(tampered.stdout)["changed"] == ["summary.json"]
    (tmp_path / "dossier" / "manifest.json").unlink()
    assert json.loads(primum("audit", "verify", "dossier", "--json", cwd=tmp_path).stdout)["state"] == "unsealed"


def test_doctor_tasks_and_protocols_answer(tmp_path: Path) -> None:
    assert {finding["what"] for finding in ok("doctor", cwd=tmp_path)["findings"]} >= {"embedded model", "Chinese font", "offline mode", "disk"}
    assert len(ok("tasks", cwd=tmp_path)["tasks"]) >= 18
    assert {p["name"] for p in ok("audit", "protocols", cwd=tmp_path)["protocols"]} == {"quick", "full"}
    assert ok("plan", "gate", "--bar", "0.9", "--expected", "0.95", cwd=tmp_path)["n"] == 217


def test_a_wrong_key_in_a_protocol_names_the_nearest(tmp_path: Path) -> None:
    from primum.audit.protocols import find_protocol

    text = find_protocol("quick").read_text(encoding="utf-8")
    (tmp_path / "p.yaml").write_text(text.replace("unscored_limit:", "unscored_limt:"), encoding="utf-8")
    done = primum("audit", "-p", "p.yaml", "-m", "scripted:constant=A", cwd=tmp_path)
    assert done.returncode == 2
    assert "unscored_limit" in done.stderr
    (tmp_path / "p.yaml").write_text(text.replace("metric: accuracy", "metric: acuracy"), encoding="utf-8")
    done = primum("audit", "-p", "p.yaml", "-m", "scripted:constant=A", cwd=tmp_path)
    assert done.returncode == 2
    assert "'accuracy'" in done.stderr
