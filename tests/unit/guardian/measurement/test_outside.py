"""Sets from outside: their own labels, their own meanings, and a note where they are not at hand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from primum.errors import DataFormatError, DataMissingError
from primum.guardian.measurement import survey as module
from primum.guardian.measurement.outside import SETS, OutsideSet, load_safe_answers, load_set, measure_safe, measure_set
from primum.guardian.measurement.survey import SurveyProgress, survey
from primum.guardian.splits import material_digest
from primum.schema.guardian import Exchange, GuardianVerdict
from primum.schema.measurement import Measured, Measurement
from tests.guardian_factory import SHA, StubGuardian, abstention, judged, labelled, synthetic_material, verdict

PLAIN = OutsideSet("plain", "meaning", "sets/plain.jsonl", "en")


def write(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")


def pick(found: Iterable[Measured], metric: str) -> Measured:
    (one,) = [f for f in found if f.estimate.metric == metric]
    return one


def test_rows_without_a_label_are_left_out(tmp_path: Path) -> None:
    flags: list[object] = [1, 0, "1", "0", True, False, "1.0", None, ""]
    write(tmp_path / PLAIN.path, [{"prompt": f"p{n}", "response": "r", "unsafe": flag} for n, flag in enumerate(flags)])
    found = load_set(tmp_path, PLAIN)
    assert [e.risky for e in found] == [True, False, True, False, True, False, True]
    assert [e.cluster for e in found][:2] == ["p0", "p1"]
    assert {(e.form, e.language, e.pair) for e in found} == {("plain", "en", "")}


def test_clusters_pairs_and_empty_cells(tmp_path: Path) -> None:
    paired = PLAIN._replace(cluster="pair", pair="pair", language="zh")
    write(
        tmp_path / PLAIN.path, [{"prompt": "p", "response": None, "unsafe": 1, "pair": 7}, {"prompt": "p", "response": "r", "unsafe": 0, "pair": 7}]
    )
    found = load_set(tmp_path, paired)
    assert [(e.cluster, e.pair, e.exchange.answer) for e in found] == [("7", "7", ""), ("7", "7", "r")]


def test_missing_files_and_columns(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match="plain.jsonl"):
        load_set(tmp_path, PLAIN)
    with pytest.raises(DataMissingError, match="category_1.csv"):
        load_safe_answers(tmp_path)
    write(tmp_path / PLAIN.path, [{"prompt": "p", "respons": "r"}])
    with pytest.raises(DataFormatError, match="'response'"):
        load_set(tmp_path, PLAIN)


def safe_answers(folder: Path, each: int = 2) -> None:
    for origin in ("gpt4", "llama2"):
        for principle in range(1, 10):
            path = folder / "medsafetybench" / "test" / origin / f"med_safety_demonstrations_category_{principle}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            rows = [f"request {principle} {n},No {n}" for n in range(each)]
            path.write_text("\n".join(["harmful_medical_request,safe_response", *rows]), encoding="utf-8")


def test_safe_answers(tmp_path: Path) -> None:
    safe_answers(tmp_path)
    found = load_safe_answers(tmp_path)
    assert len(found) == 36
    assert not any(e.risky for e in found)
    assert {e.form for e in found} == {"gpt4", "llama2"}


def test_share_of_safe_answers_called_risky() -> None:
    found = measure_safe("safe", judged(*((labelled(cluster=f"c{n}"), verdict(0.9 if n < 3 else 0.1)) for n in range(20))))
    assert (found.estimate.value, found.bar, found.at_least, found.holds) == (0.15, 0.05, False, False)


def test_known_results_of_a_set() -> None:
    made = [(labelled(n < 10, cluster=f"c{n}", pair=f"p{n % 10}"), verdict(0.9 if n < 8 or n == 19 else 0.2, doubt=n / 100)) for n in range(20)]
    found = list(measure_set("set", judged(*made)))
    assert pick(found, "balanced_accuracy").estimate.value == pytest.approx((0.8 + 0.9) / 2)
    assert pick(found, "f1").estimate.value == pytest.approx(2 * 8 / (2 * 8 + 1 + 2))
    assert pick(found, "auroc").estimate.value == pytest.approx((8 * 9 + 8 * 1 / 2 + 2 * 9 / 2) / 100)
    assert pick(found, "pair_order").estimate.value == pytest.approx(0.8)
    assert pick(found, "error").estimate.value == pytest.approx(3 / 20)
    assert pick(found, "error_at_80").estimate.value == pytest.approx(2 / 16)
    assert {(f.section, f.subject) for f in found} == {("out of domain", "set")}


def test_what_cannot_be_read_is_counted_apart_and_what_is_doubted_is_not() -> None:
    made = [(labelled(n % 2 == 0, cluster=f"c{n}"), verdict(0.9 if n % 2 == 0 else 0.1)) for n in range(8)]
    unread = [(labelled(True, cluster=reason), abstention(reason)) for reason in ("empty", "unreadable", "language")]
    doubted = [(labelled(False, cluster="d"), verdict(0.4, abstains=True, reason="uncertain"))]
    found = pick(measure_set("set", judged(*made, *unread, *doubted)), "auroc")
    assert (found.estimate.n, found.estimate.unscored) == (9, {"abstained": 3})


def test_no_pairs_no_pair_order() -> None:
    mixed = [(labelled(True, cluster="a", pair="p"), verdict(0.9)), (labelled(False, cluster="a", pair="p"), verdict(0.1))]
    alone = [(labelled(n % 2 == 0, cluster=f"c{n}"), verdict(0.1 if n % 2 == 0 else 0.9)) for n in range(6)]
    assert not [f for f in measure_set("s", judged(*alone)) if f.estimate.metric == "pair_order"]
    assert pick(measure_set("s", judged(*mixed, *alone)), "pair_order").estimate.n == 1


def test_a_set_of_which_nothing_can_be_read() -> None:
    unread = judged(*((labelled(n % 2 == 0, cluster=f"c{n}"), abstention("language")) for n in range(4)))
    found = list(measure_set("s", unread))
    assert [f.estimate.metric for f in found] == ["auroc", "balanced_accuracy", "f1"]
    assert all(f.estimate.value is None and f.estimate.unscored == {"abstained": 4} for f in found)


def test_every_set_says_what_its_label_means() -> None:
    assert len({outside.name for outside in SETS}) == len(SETS)
    assert all(len(outside.meaning) > 20 and not Path(outside.path).is_absolute() for outside in SETS)


# The whole survey.


def by_word(exchange: Exchange) -> GuardianVerdict:
    return verdict(0.9 if exchange.answer.startswith(("Sure", "Here", "Of course")) else 0.1)


@pytest.fixture(scope="module")
def measured() -> Measurement:
    return survey(StubGuardian(by_word), synthetic_material(24), None)


def test_without_a_data_folder_a_note_says_so(measured: Measurement) -> None:
    assert "outside sets were not measured: no data folder" in measured.notes
    assert not [f for f in measured.figures if f.section == "out of domain"]
    assert set(measured.curves) == {"held-out material", "held-out answers to requests"}
    assert measured.guardian_sha256 == SHA


def test_a_guardian_that_is_right_is_measured_as_right(measured: Measurement) -> None:
    (every,) = [f for f in measured.figures if f.estimate.metric == "risk_accuracy" and f.subject == "all material" and not f.estimate.group]
    assert every.estimate.value == 1
    blocks = [f for f in measured.figures if f.section == "false blocks" and f.estimate.metric == "false_blocks"]
    assert {f.estimate.value for f in blocks} == {0}
    assert [f.bar for f in blocks] == [0.02, None, None, None, None] and not any(f.at_least for f in blocks)
    found = [f.estimate.value or 0 for f in measured.figures if f.section == "false blocks" and f.estimate.metric == "found"]
    assert found[0] > 0.9 and found == sorted(found, reverse=True)
    assert [f.section for f in measured.figures if f.section in {"robustness", "shortcuts"}]


def test_changed_material_is_noted(measured: Measurement) -> None:
    assert any("material has changed" in note for note in measured.notes)
    material = synthetic_material(24)
    stub = StubGuardian(by_word)
    origin = stub.card.origin.model_copy(update={"material_sha256": material_digest(material)})
    stub.card = stub.card.model_copy(update={"origin": origin})
    assert not any("material has changed" in note for note in survey(stub, material, None).notes)


def test_what_is_missing_is_skipped_with_a_note_and_the_rest_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[dict[str, object]] = [{"prompt": f"p{n}", "response": "Sure" if n % 2 else "No, ask first.", "unsafe": n % 2} for n in range(10)]
    write(tmp_path / PLAIN.path, rows)
    monkeypatch.setattr(module, "SETS", (PLAIN, PLAIN._replace(name="absent", path="absent.jsonl")))
    begun: list[str] = []
    found = survey(StubGuardian(by_word), synthetic_material(24), tmp_path, SurveyProgress(begin=lambda title, steps: begun.append(title)))
    assert any(note.startswith("absent was not measured") and "absent.jsonl" in note for note in found.notes)
    assert any(note.startswith("MedSafetyBench was not measured") for note in found.notes)
    assert "plain: meaning" in found.notes
    assert [f.estimate.value for f in found.figures if f.subject == "plain" and f.estimate.metric == "auroc"] == [1.0]
    assert "plain" in found.curves and "absent" not in found.curves
    assert begun[0] == "held-out norms" and begun[-1] == "plain"
