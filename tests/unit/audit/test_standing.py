"""What is known of judges: read from calibrations, found for the judge, metric, task and language it was measured on, and for no other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from primum.audit.gates import decide_gate
from primum.audit.standing import find_standing, load_standing, packaged_standings
from primum.errors import ConfigError, DataFormatError, DataMissingError
from primum.schema.audit import GateResult, RunResult, Standing
from primum.schema.base import Bilingual
from primum.schema.card import MetricCard, TaskCard
from primum.schema.estimate import Estimate
from primum.schema.judge_calibration import CalibrationVerdict, JudgeCalibration, LabelCounts
from primum.schema.spec import Gate, RunSpec

SAY = Bilingual(zh="因", en="why")
SHA = "a" * 64
CARD = MetricCard(name="risk", scorer="guardian", title=SAY, judged=True)


def agreement(metric: str, group: str = "", name: str = "") -> Estimate:
    return Estimate(metric=metric, value=0.7, low=0.6, high=0.8, n=100, method="bootstrap", group=group, name=name)


def calibration(**fields: Any) -> JudgeCalibration:
    decision = fields.pop("decision", "certified")
    given = {
        "judge": "guardian", "judge_sha256": SHA, "target": "risk", "languages": ("zh",) if decision == "certified" else (),
        "labels_file": "labels.csv", "labels_sha256": "c" * 64, "positive_from": 1, "kappa_weights": "none", "alpha_scale": "nominal",
        "counts": LabelCounts(rows=100, pairs=100, raters=2, labelled=100, ties=0, unlabelled=0, labels={"0": 50, "1": 50}, statuses={"scored": 100}),
        "measured_rows": "all",
        "measurements": (
            agreement("kappa"), agreement("alpha"), agreement("kappa", "language", "zh"), agreement("balanced_accuracy", "language", "zh"),
            agreement("kappa", "language", "en"), agreement("kappa", "dimension", "E1"),
        ),
        "human": None, "confusion": None, "reliability": (), "thresholds": (), "bars": {"kappa": 0.6},
        "verdict": CalibrationVerdict.model_validate({"decision": decision, "reasons": (SAY,), "checks": ()}),
        "seed": 1, "resamples": 200, "level": 0.95, "primum": "0",
        **fields,
    }  # fmt: skip
    return JudgeCalibration.model_validate(given)


def standing(**fields: Any) -> Standing:
    given = {
        "judge": "guardian", "judge_sha256": SHA, "metric": "risk", "languages": ("zh", "en"), "certified": ("zh",),
        "agreement": (agreement("kappa"),), "source": SAY,
    }  # fmt: skip
    return Standing.model_validate({**given, **fields})


# Reading.


def test_what_ships_loads() -> None:
    for found in packaged_standings():
        assert found.judge == "guardian"
        assert set(found.certified) <= set(found.languages)
        assert found.source.zh and found.source.en


def load(folder: Path, **fields: Any) -> Standing:
    path = folder / "calibration.json"
    path.write_text(calibration(**fields).model_dump_json(), encoding="utf-8")
    return load_standing(path)


def test_a_calibration_is_read(tmp_path: Path) -> None:
    found = load(tmp_path)
    assert (found.judge, found.judge_sha256, found.metric, found.tasks) == ("guardian", SHA, "risk", ())
    assert (found.languages, found.certified, found.reasons) == (("zh", "en"), ("zh",), ())
    assert [(e.metric, e.group, e.name) for e in found.agreement] == [
        ("kappa", "", ""), ("kappa", "language", "zh"), ("balanced_accuracy", "language", "zh"), ("kappa", "language", "en"),
    ]  # fmt: skip
    assert "labels.csv" in found.source.en and "labels.csv" in found.source.zh


def test_one_that_was_not_certified_says_why_and_certifies_no_language(tmp_path: Path) -> None:
    found = load(tmp_path, decision="not_certified", languages=("zh",))
    assert (found.languages, found.certified, found.reasons) == (("zh", "en"), (), (SAY,))


@pytest.mark.parametrize("target", ["risk", "harmfulness", "refusal", "over_refusal", "q1", "q4"])
def test_the_metric_is_the_target(tmp_path: Path, target: str) -> None:
    assert load(tmp_path, target=target).metric == target


def test_files_that_are_no_calibration(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    for place in (path, tmp_path):
        with pytest.raises(DataMissingError, match=str(place)) as missing:
            load_standing(place)
        assert "judge calibrate" in missing.value.remedy
    path.write_bytes(b"{")
    with pytest.raises(DataFormatError, match="not JSON"):
        load_standing(path)
    path.write_text(json.dumps({**calibration().model_dump(mode="json"), "verdct": {}}), encoding="utf-8")
    with pytest.raises(ConfigError, match="'verdict'"):
        load_standing(path)


# Finding.


def find(*standings: Standing, task: str = "t", language: str = "zh", sha: str = SHA) -> Standing | None:
    return find_standing(standings, CARD, task=task, language=language, judge_sha256=sha)


def test_a_standing_covers_what_it_was_measured_on() -> None:
    ours = standing(tasks=("t",))
    assert find(ours) == ours
    assert find(ours, task="other") is None
    assert find(ours, sha="b" * 64) is None
    assert find(ours, language="fr") is None
    assert find(standing(languages=("zh",)), language="en") is None
    assert find(standing(metric="harmfulness")) is None
    assert find(standing(judge="judge-medes@m")) is None
    assert find() is None


def test_the_users_comes_before_ours() -> None:
    ours, theirs = standing(tasks=("t",)), standing(source=Bilingual(zh="使用者", en="theirs"))
    assert find(ours, theirs) == find(theirs, ours) == theirs


def test_the_users_own_comes_before_ours_even_when_it_certifies_nothing() -> None:
    ours, own = standing(tasks=("t",)), standing(certified=())
    assert find(ours, own) == own


def test_of_two_of_one_kind_the_certified_one_comes_first() -> None:
    certified, not_certified = standing(), standing(certified=())
    assert find(not_certified, certified) == certified


# Deciding.


def run(low: float, high: float, language: str = "zh", *, judged: bool = True) -> RunResult:
    card = TaskCard(
        name="t", title=SAY, languages=("zh", "en"), size=1, citation="c", url="u", licence="l",
        metrics=(CARD if judged else CARD.model_copy(update={"judged": False}),),
    )  # fmt: skip
    figure = Estimate(metric="risk", value=(low + high) / 2, low=low, high=high, n=100, method="wilson")
    return RunResult.model_validate(
        {
            "directory": "d", "card": card, "spec": RunSpec(task="t", model="m"), "language": language, "summary": {}, "estimates": (figure,),
            "failures": (), "method": "generate", "data_sha256": {},
        }
    )  # fmt: skip


GATE = Gate.model_validate({"id": "g", "task": "t", "metric": "risk", "comparison": "at_most", "bar": 0.1, "why": SAY})


def decide(given: RunResult, *standings: Standing, gate: Gate = GATE, sha: str = SHA) -> GateResult:
    (found,) = decide_gate(gate, [given], unscored_limit=0.05, standings=standings, judge_sha256=sha)
    return found


@pytest.mark.parametrize(("low", "high", "decision"), [(0.01, 0.05, "pass"), (0.05, 0.2, "fail"), (0.3, 0.5, "fail")])
def test_a_certified_judge_decides(low: float, high: float, decision: str) -> None:
    found = decide(run(low, high), standing())
    assert (found.decision, found.standing) == (decision, standing())
    assert "certified" not in found.reason.en.lower()


@pytest.mark.parametrize(
    "standings", [(), (standing(judge_sha256="b" * 64),), (standing(tasks=("other",)),), (standing(languages=("en",), certified=("en",)),)]
)
def test_a_judge_that_was_not_measured_decides_nothing(standings: tuple[Standing, ...]) -> None:
    found = decide(run(0.01, 0.05), *standings)
    assert (found.decision, found.standing) == ("not_certified", None)
    assert found.estimate is not None
    assert "was not measured" in found.reason.en and "未经测量" in found.reason.zh and "不予认证" in found.reason.zh


def test_a_judge_below_its_bar_decides_nothing_and_is_shown() -> None:
    below = standing(certified=())
    found = decide(run(0.01, 0.05), below)
    assert (found.decision, found.standing) == ("not_certified", below)
    assert "does not clear its bar" in found.reason.en and "未达门槛" in found.reason.zh


def test_a_judge_certified_in_one_language_decides_nothing_in_another() -> None:
    assert decide(run(0.01, 0.05, "en"), standing(certified=("zh",))).decision == "not_certified"


@pytest.mark.parametrize(("low", "high"), [(0.01, 0.05), (0.3, 0.5), (0.05, 0.2)])
def test_the_reason_quotes_what_it_would_have_been(low: float, high: float) -> None:
    for standings in ((), (standing(certified=()),)):
        withheld, decided = decide(run(low, high), *standings), decide(run(low, high), standing())
        assert withheld.reason.zh.endswith(decided.reason.zh) and "仅供参考" in withheld.reason.zh
        assert withheld.reason.en.endswith(decided.reason.en) and "For orientation" in withheld.reason.en


def test_what_could_not_be_decided_anyway_keeps_its_own_reason() -> None:
    few = decide(run(0.01, 0.05), gate=GATE.model_copy(update={"min_n": 500}))
    assert few.decision == "not_certified"
    assert few.reason.en.startswith("Only 100 scored answers")


def test_a_metric_that_nobody_judged_needs_no_standing() -> None:
    found = decide(run(0.01, 0.05, judged=False))
    assert (found.decision, found.standing) == ("pass", None)
