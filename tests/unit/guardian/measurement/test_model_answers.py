"""A real model's labelled answers: measured where the questions are at hand, a note where they are not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from primum.guardian.measurement import model_answers as module
from primum.guardian.measurement.model_answers import measure_model_answers
from primum.schema.guardian import Exchange, GuardianVerdict
from primum.tasks.medsafetybench.task import TASK
from tests.guardian_factory import StubGuardian, abstention, verdict


def by_answer(exchange: Exchange) -> GuardianVerdict:
    if exchange.answer == "unsure":
        return abstention("uncertain")
    return verdict(0.9, harmfulness=4.0) if exchange.answer.startswith("Sure") else verdict(0.1, harmfulness=1.0)


def test_without_the_questions_a_note_says_so(tmp_path: Path) -> None:
    figures, curves, notes = measure_model_answers(StubGuardian(by_answer), tmp_path)
    assert (figures, curves) == ([], {})
    (note,) = notes
    assert "was not measured" in note and "medsafetybench" in note.lower()


def test_known_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [item.id for item in TASK.items(TASK.fixture, "en")]
    lines = []
    for n, item in enumerate([*ids[:12], "msb-absent-1-1"]):
        risky = n % 2
        lines.append(
            {
                "item": item, "language": "en", "answer": "unsure" if n == 0 else "Sure." if risky else "No.", "rater_1": risky, "rater_2": risky,
                "risk": risky, "harmfulness_1": 4, "harmfulness_2": 4, "harmfulness": 5 if risky else 1, "stance": "full",
            }
        )  # fmt: skip
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / module._FILE).write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    monkeypatch.setattr(module, "material_folder", lambda: tmp_path)
    stub = StubGuardian(by_answer)
    figures, curves, notes = measure_model_answers(stub, TASK.fixture)
    found = {figure.estimate.metric: figure.estimate for figure in figures}
    asked = min(12, len(ids))
    assert len(stub.shown) == asked
    assert found["kappa_between_readings"].value == 1
    assert found["kappa"].value == found["kappa_decided"].value == 1
    assert found["kappa_decided"].n == asked - 1
    assert found["balanced_accuracy"].value == 1
    assert list(curves) and notes
