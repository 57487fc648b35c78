"""A certificate from two evaluated folders: what certifies, what refuses, and the seal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from primum.alignment.certificate import CertificateOrder, build_certificate, issue, write_certificate
from primum.alignment.certificate_contamination import ContaminationError
from primum.alignment.certificate_facts import Training, read_training
from primum.alignment.certificate_runs import read_pairs
from primum.audit.seal import verify_seal
from primum.config import Settings
from primum.errors import DataFormatError, DataMissingError, IntegrityError
from primum.guardian.weights import load_card, packaged_guardian
from primum.runs import layout
from primum.schema.alignment import AlignmentResult, AlignmentSpec
from primum.schema.certificate import Certificate
from primum.schema.item import Message
from primum.tasks.opening import open_task

from .certificate_factory import (
    AFTER,
    BEFORE,
    SEED,
    calibrations,
    certificate_order,
    demonstration,
    evaluated,
    outcome,
    script,
    suite,
    training,
    write_data,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificate")


@pytest.fixture(scope="module")
def settings(root: Path) -> Settings:
    return Settings(home=root / "home", data=write_data(root / "data"), offline=True)


@pytest.fixture(scope="module")
def before(root: Path, settings: Settings) -> Path:
    return evaluated(root / "before", BEFORE, tasks=suite(), settings=settings, name="base")


@pytest.fixture(scope="module")
def after(root: Path, settings: Settings) -> Path:
    return evaluated(root / "after", AFTER, tasks=suite(), settings=settings, name="aligned")


@pytest.fixture(scope="module")
def order(root: Path, before: Path, after: Path, settings: Settings) -> CertificateOrder:
    return certificate_order(before, after, settings=settings, calibrations=calibrations(root / "labels"))


@pytest.fixture(scope="module")
def certificate(order: CertificateOrder) -> Certificate:
    return build_certificate(order)


def unchecked(order: CertificateOrder, **fields: object) -> Certificate:
    """Without training rows nothing is embedded, so that a test of something else is quick."""
    return build_certificate(replace(order, training=replace(order.training, rows=()), **fields))  # type: ignore[arg-type]


def test_a_safer_model_that_kept_its_ability_is_certified(certificate: Certificate) -> None:
    assert certificate.word == "certified", [c.reason.en for c in certificate.conditions if c.decision != "pass"]
    assert {condition.topic for condition in certificate.conditions} == {"contamination", "safety", "over_refusal", "ability"}
    assert {change.language for change in certificate.changes if change.primary} == {"zh", "en"}
    primary = {(change.task, change.metric.name) for change in certificate.changes if change.primary}
    assert primary == {("primum-choice:test", "accuracy"), ("primum-requests:test", "risk")}


def test_figures_are_paired_and_corrected(certificate: Certificate) -> None:
    risk = next(c for c in certificate.changes if c.metric.name == "risk" and c.primary and c.language == "zh")
    assert risk.difference is not None and risk.difference.p_holm is not None
    assert risk.difference.a > 0.8 and risk.difference.b < 0.2 and risk.difference.high < 0
    assert risk.difference.n == risk.before.n == risk.after.n > 0
    assert all(change.difference is None or change.difference.p_holm is not None for change in certificate.dimensions)


def test_seen_and_unseen_norms_stand_beside_each_other_in_each_language(certificate: Certificate) -> None:
    assert {entry.language for entry in certificate.generalisation} == {"zh", "en"}
    for entry in certificate.generalisation:
        assert entry.seen is not None and entry.unseen is not None and entry.gap is not None
        value, low, high = entry.gap
        assert low <= value <= high and value == pytest.approx(entry.seen.value - entry.unseen.value)


def test_scores_of_both_kinds_and_the_distribution(certificate: Certificate) -> None:
    names = {change.metric.name for change in certificate.changes if change.task == "primum-requests:test"}
    assert {"risk", "quality", "final_plain", "final_weighted", "harmfulness"} <= names
    final = next(c for c in certificate.changes if c.metric.name == "final_plain" and c.language == "en")
    assert final.before.value is not None and final.after.value is not None and final.before.value < 0 < final.after.value
    for found in certificate.distributions:
        assert sum(level.value or 0 for level in found.after) == pytest.approx(1)


def test_ability_that_was_not_measured_is_named(certificate: Certificate) -> None:
    verdicts = {entry.benchmark: entry.verdict for entry in certificate.ability}
    assert verdicts == {"medqa": "non_inferior", "medmcqa": "not_measured", "pubmedqa": "not_measured", "mmlu-medical": "not_measured"}


def test_our_own_standing_does_not_certify_these_tasks(order: CertificateOrder) -> None:
    found = unchecked(order, calibrations=())
    assert found.word == "not_certified"
    reasons = [c.reason.en for c in found.conditions if c.decision == "not_certified"]
    assert any("the judge's agreement with people does not clear its bar here" in reason for reason in reasons)
    assert any("No training data were given" in reason for reason in reasons)
    # Shown all the same.
    assert any(change.metric.name == "risk" and change.difference is not None for change in found.changes)


def test_a_limit_of_unscored_answers(order: CertificateOrder) -> None:
    found = unchecked(order, rules=order.rules.model_copy(update={"unscored_limit": 0.0}))
    assert any("unscored, above the limit of 0.0%" in c.reason.en and c.decision == "not_certified" for c in found.conditions)
    counted = [change for change in found.changes if change.before.unscored]
    assert counted and all(change.before.n + sum(change.before.unscored.values()) >= change.before.n for change in counted)


def test_a_model_that_declines_everything_fails(root: Path, order: CertificateOrder, settings: Settings) -> None:
    tasks = suite("primum-requests:test", "primum-benign:test", limit=20)
    refuses = script(right=0.3, harmful=0.0, refuses=1.0)
    folder = evaluated(root / "refuses", refuses, tasks=tasks, settings=settings, name="refuses")
    found = unchecked(order, after=folder)
    assert found.word == "not_certified"
    assert any(c.topic == "over_refusal" and c.decision == "fail" for c in found.conditions)
    assert any(c.topic == "ability" and "No benchmark" in c.reason.en for c in found.conditions)
    assert found.warnings and any("Run on one side only" in warning.en for warning in found.warnings)
    assert {example.metric for example in found.examples} >= {"over_refusal"}
    assert {example.outcome for example in found.examples if example.metric == "over_refusal"} <= {"broken", "failing", "unscored"}


def test_a_model_that_did_not_change_gains_nothing(order: CertificateOrder) -> None:
    found = unchecked(order, after=order.before)
    assert [c.decision for c in found.conditions if c.topic == "safety"] == ["fail", "fail"]
    assert any("same weights" in warning.en for warning in found.warnings)


@pytest.mark.parametrize("how", ["verbatim", "inside"])
def test_contaminated_training_is_refused_by_name(order: CertificateOrder, how: str, tmp_path: Path) -> None:
    pair = next(pair for pair in read_pairs(order.before, order.after).runs if pair.task == "primum-requests:test" and pair.language == "zh")
    item = next(iter(pair.before.items.values()))
    text = item.question.upper() if how == "verbatim" else f"请看这个例子：{item.question}。请按上面的例子作答。"
    bad = demonstration(99, messages=(Message(role="user", content=text),))
    with pytest.raises(ContaminationError, match="demo-99") as caught:
        issue(replace(order, training=training(demonstration(1), bad)), tmp_path / "out")
    assert item.id in caught.value.message and item.question not in caught.value.message
    assert caught.value.exit_code == 2
    assert not (tmp_path / "out" / "certificate.html").exists()


def test_other_prompts_cannot_be_paired(root: Path, order: CertificateOrder, settings: Settings) -> None:
    other = evaluated(root / "other", AFTER, tasks=suite("primum-choice:test", limit=8), settings=settings, name="other")
    with pytest.raises(IntegrityError, match="asked other prompts"):
        read_pairs(order.before, other)


def test_folders_without_runs(order: CertificateOrder, tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match="no evaluated runs"):
        read_pairs(order.before, tmp_path)


def test_another_adapter_than_was_trained(order: CertificateOrder, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(order.after, tmp_path / "after")
    for path in (tmp_path / "after" / "runs").glob("*/spec.json"):
        document = layout.read_json(path)
        document["engine"]["details"]["adapter_sha256"] = "f" * 64
        layout.write_json(path, document)
    with pytest.raises(IntegrityError, match="answered by adapter ffffffffffff"):
        unchecked(order, after=tmp_path / "after")


def test_the_folder_is_sealed_and_a_change_is_found(order: CertificateOrder, tmp_path: Path) -> None:
    out = tmp_path / "out"
    issued = issue(replace(order, training=Training(facts=order.training.facts)), out)
    assert Certificate.model_validate(layout.read_json(out / "certificate.json")) == issued
    assert verify_seal(out).state == "intact"
    page = out / "certificate.html"
    page.write_text(page.read_text(encoding="utf-8").replace("不予认证", "予以认证"), encoding="utf-8")
    assert verify_seal(out).changed == ("certificate.html",)
    (out / "manifest.json").unlink()
    assert verify_seal(out).state == "unsealed"


def align_folder(out: Path, order: CertificateOrder) -> Path:
    """A folder as ``primum align`` leaves it."""
    import shutil

    shutil.copytree(order.before, out / "final" / "base")
    shutil.copytree(order.after, out / "final" / "round-1")
    (out / "round-1" / "sft").mkdir(parents=True)
    rows = [demonstration(n) for n in range(3)]
    (out / "round-1" / "data.jsonl").write_bytes(b"".join(orjson.dumps(row.model_dump(mode="json")) + b"\n" for row in rows))
    layout.write_json(out / "round-1" / "sft" / "outcome.json", outcome(rows=3).model_dump(mode="json"))
    sha256 = load_card(packaged_guardian()).origin.weights_sha256
    result = AlignmentResult(
        spec=AlignmentSpec(model="scripted:base"), guardian_sha256=sha256, base_fingerprint="b", base_uri="scripted:base", best=1,
        best_uri="scripted:aligned", adapter="round-1/sft/adapter", adapter_sha256="a" * 64, rounds=(), final_base="final/base",
        final_best="final/round-1", seconds=12.5,
    )  # fmt: skip
    layout.write_json(out / "result.json", result.model_dump(mode="json"))
    return out


def test_the_folder_of_an_alignment_is_certified(order: CertificateOrder, settings: Settings, tmp_path: Path) -> None:
    out = align_folder(tmp_path / "align", order)
    notes: list[str] = []
    page = write_certificate(out, settings=settings, note=notes.append)
    assert page == out / "certificate" / "certificate.html" and verify_seal(page.parent).state == "intact"
    found = Certificate.model_validate(layout.read_json(page.parent / "certificate.json"))
    assert found.training.rounds[0].rows == 3 and found.training.method == "sft" and found.cost.training_tokens == 900
    assert found.rules.seed == SEED and found.contamination.checked
    assert found.drift.missing is not None and notes == ["drift was not measured: model 'scripted' has no weights on this machine"]


def test_an_unfinished_alignment(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match="no finished alignment"):
        write_certificate(tmp_path)


def test_training_files_of_a_user(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(orjson.dumps(demonstration().model_dump(mode="json")) + b"\n\n")
    (tmp_path / "outcome.json").write_bytes(orjson.dumps(outcome().model_dump(mode="json")))
    found = read_training([path], [tmp_path / "outcome.json"])
    assert found.facts.method == "sft" and found.facts.data[0].demonstrations == 1 and len(found.rows) == 1
    path.write_text('{"secret": "words"}\n', encoding="utf-8")
    with pytest.raises(DataFormatError, match="line 1") as caught:
        read_training([path], [])
    assert "words" not in caught.value.message
    with pytest.raises(DataMissingError):
        read_training([tmp_path / "none.jsonl"], [])


def test_every_task_named_as_expected_ability_exists() -> None:
    from primum.alignment.ability import EXPECTED
    from primum.alignment.gains import ABILITY_TASKS

    assert set(EXPECTED) <= set(ABILITY_TASKS)
    assert all(open_task(name).card.name == name for name in ABILITY_TASKS)
