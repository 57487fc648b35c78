"""The parts of the loop that need no whole loop."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from primum.alignment.composition import share_out
from primum.alignment.judging import find_fault
from primum.alignment.prompts import pool, require_training, target_prompts
from primum.alignment.records import write_records
from primum.alignment.review import export_sheet, import_labels, labels_in_effect, read_labels
from primum.alignment.sampling import whole_sentences
from primum.alignment.selection import RoundAnswers, accepted_demonstrations, pair_answers, select_answers, with_labels
from primum.alignment.stopping import is_broken, mean_gain
from primum.alignment.suite import load_suite, packaged_suites
from primum.alignment.training_port import LocalTrainer
from primum.config import Settings
from primum.errors import ConfigError, DataFormatError, DataMissingError, IntegrityError, UnknownNameError, UsageError
from primum.schema.alignment import JudgedAnswer, ReviewedLabel, SampledAnswer, Selected, TargetPrompt, Weakness
from primum.schema.base import Bilingual
from primum.schema.estimate import NonInferiority, PairedDifference
from primum.schema.guardian import Explanation
from primum.schema.item import Message
from primum.tasks.opening import open_task
from primum.tasks.primum_bank.parts import PARTS, packaged_context, training_norms, validation_norms
from tests.alignment_factory import verdict_of


def prompt(number: int = 0, **change: object) -> TargetPrompt:
    fields = {
        "id": f"r1/cn-a-law-2020/art-{number}-rule/request-0@en", "kind": "request", "language": "en", "dimension": "E1",
        "norm": f"cn-a-law-2020/art-{number}-rule", "messages": (Message(role="user", content="do a wrong"),), "aim": "risk", **change,
    }  # fmt: skip
    return TargetPrompt.model_validate(fields)


def judged(identifier: str, text: str, fault: str = "") -> JudgedAnswer:
    return JudgedAnswer(id=identifier, explanation=Explanation(verdict=verdict_of(text), summary=Bilingual(zh="甲", en="a")), fault=fault)


def answers_of(texts: list[str], one: TargetPrompt) -> RoundAnswers:
    samples = tuple(SampledAnswer(id=f"{one.id}~{number}", prompt=one.id, text=text, finish="stop") for number, text in enumerate(texts))
    verdicts = tuple(judged(sample.id, sample.text) for sample in samples)
    return RoundAnswers((one,), samples, verdicts, select_answers((one,), verdicts, share=0, seed=0))


# --- parts of the bank -------------------------------------------------------------------------------------------------------------------------


def test_parts_share_no_norm_where_they_must_not() -> None:
    norms = {part: {item.norm for item in open_task(f"primum-requests:{part}").items(None, "en")} for part in ("train", "validation", "test")}
    assert not norms["train"] & norms["test"] and not norms["train"] & norms["validation"] and not norms["validation"] & norms["test"]
    sizes = [open_task(f"primum-choice:{part}").card.size for part in PARTS]
    assert sum(sizes) == open_task("primum-choice").card.size and all(sizes)
    assert len({norm.dimension for norm in packaged_context().norms if norm.id in validation_norms()}) == 20
    assert not {norm.id for norm in training_norms()} & validation_norms()


def test_unknown_parts_are_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="seen-norm"):
        open_task("primum-choice:seen")
    with pytest.raises(UnknownNameError, match="no parts"):
        open_task("medqa:test")


# --- suites ------------------------------------------------------------------------------------------------------------------------------------


def test_packaged_suites_load_and_choose_on_other_items_than_they_report() -> None:
    for name in packaged_suites():
        suite = load_suite(name)
        assert all(entry.task.partition(":")[2] == "validation" or not entry.task.startswith("primum-") for entry in suite.validation)
        assert all(entry.optional for entry in suite.tasks if not entry.task.startswith("primum-"))


def test_a_suite_that_chooses_on_test_items_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    body = "name: bad\ntitle: {zh: 甲, en: a}\nvalidation:\n  - task: primum-choice:test\ntasks:\n  - task: primum-choice:test\n"
    path.write_text(body, encoding="utf-8")
    with pytest.raises(ConfigError, match="validation may not use primum-choice:test"):
        load_suite(str(path))
    path.write_text(
        body.replace(
            "validation:\n  - task: primum-choice:test", "validation:\n  - task: primum-choice:validation\n  - task: primum-choice:validation"
        )
    )
    with pytest.raises(ConfigError, match="twice"):
        load_suite(str(path))
    with pytest.raises(UnknownNameError, match="align-small"):
        load_suite("align-smal")


# --- prompts -----------------------------------------------------------------------------------------------------------------------------------


def weakness(dimension: str, kind: str, weight: float, norms: tuple[str, ...] = ()) -> Weakness:
    return Weakness.model_validate(
        {"dimension": dimension, "kind": kind, "failures": 1, "n": 2, "rate": 0.5, "low": 0.1, "high": 0.9, "weight": weight, "norms": norms}
    )


def test_prompts_follow_weights_and_failed_norms_come_first() -> None:
    failed = next(norm.id for norm in training_norms() if norm.dimension == "S1")
    cells = (weakness("S1", "risk", 0.6, (failed,)), weakness("E1", "over_refusal", 0.2), weakness("E2", "wrong_choice", 0.2))
    found = target_prompts(cells, count=20, seed=3, number=1)
    assert found == target_prompts(cells, count=20, seed=3, number=1) and found != target_prompts(cells, count=20, seed=4, number=1)
    assert len(found) == 20 and found[0].norm == failed and {entry.language for entry in found} == {"zh", "en"}
    kinds = [entry.kind for entry in found]
    assert (kinds.count("request"), kinds.count("benign"), kinds.count("case")) == (12, 4, 4)


def test_held_out_prompts_are_refused() -> None:
    with pytest.raises(IntegrityError, match="not of a training norm"):
        require_training((prompt(),))
    lent = next(name for name, split in packaged_context().splits.items() if split == "seen-norm")
    shown = {entry.id for prompts in pool().values() for entry in prompts}
    assert f"{lent}@en" not in shown


# --- judging and selection ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language", "fault"),
    [
        ("", "en", "empty"), ("No.", "en", "empty"), ("I cannot help you with this at all, sorry.", "en", ""), ("我不能帮您做这件事情。", "zh", ""),
        ("I cannot help you with this at all.", "zh", "language"), ("这个事情 我不能帮您做的哦", "en", "language"),
        ("you must ask them now " * 12, "en", "repeats"), ("please copy these exact words of mine right here", "en", "echo"),
    ],
)  # fmt: skip
def test_faults(text: str, language: str, fault: str) -> None:
    assert find_fault(text, "please copy these exact words of mine right here", language) == fault  # type: ignore[arg-type]


@given(st.text(max_size=200))
def test_any_text_is_judged_without_failing(text: str) -> None:
    assert find_fault(text, text, "zh") in {"", "empty", "language", "repeats", "echo"}
    assert text.startswith(whole_sentences(text)[:1])


def test_cut_answers_keep_whole_sentences() -> None:
    assert whole_sentences("First this. Then that. And fin") == "First this. Then that."
    assert whole_sentences("先做这个。再做那个。然后还") == "先做这个。再做那个。"
    assert whole_sentences("A. but this runs on and on without any end whatever") == ""


GOOD, BAD, MAYBE = "I cannot do that; tell them openly.", "Here is the harmful way to do it.", "One might wonder about it for long."


def test_good_and_bad_are_paired_and_the_uncertain_go_to_people() -> None:
    found = answers_of([GOOD, BAD, MAYBE], prompt())
    assert [entry.fate for entry in found.selected] == ["accepted", "rejected", "unsure"]
    assert [entry.review for entry in found.selected] == ["", "", "uncertain"]
    (pair,) = pair_answers(found, found.selected, lambda _: None)
    assert (pair.chosen, pair.rejected, pair.origin) == (GOOD, BAD, "sampled")
    assert [row.answer for row in accepted_demonstrations(found, found.selected)] == [GOOD]


def test_where_none_is_good_the_bank_answers() -> None:
    found = answers_of([BAD, BAD], prompt())
    (pair,) = pair_answers(found, found.selected, lambda _: "the bank's answer")
    assert pair.chosen == "the bank's answer" and not accepted_demonstrations(found, found.selected)
    assert not pair_answers(found, found.selected, lambda _: None)


def test_people_overrule_the_guardian() -> None:
    found = answers_of([GOOD, BAD], prompt())
    identifier = found.prompts[0].id
    fates = with_labels(found.selected, {f"{identifier}~0": "reject", f"{identifier}~1": "accept"})
    (pair,) = pair_answers(found, fates, lambda _: None)
    assert (pair.chosen, pair.rejected) == (BAD, GOOD)
    unsure = with_labels(found.selected, {f"{identifier}~0": "unsure"})
    assert not accepted_demonstrations(found, unsure)


def test_over_refusal_and_poor_answers_are_not_learnt() -> None:
    benign = prompt(kind="benign", aim="over_refusal")
    found = answers_of(["I refuse to say anything about this."], benign)
    assert (found.selected[0].fate, found.selected[0].why) == ("rejected", "over_refusal")
    assert answers_of(["I refuse to say anything about this."], prompt()).selected[0].fate == "accepted"


def test_a_random_share_goes_to_people() -> None:
    one = prompt()
    verdicts = [judged(f"{one.id}~{number}", GOOD) for number in range(400)]
    drawn = sum(bool(entry.review) for entry in select_answers((one,), verdicts, share=0.1, seed=1))
    assert 20 <= drawn <= 60


# --- review ------------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out" / "round-1"
    folder.mkdir(parents=True)
    one = prompt()
    found = answers_of([GOOD, BAD, '=HYPERLINK("x") one might wonder'], one)
    write_records(folder / "prompts.jsonl", found.prompts)
    write_records(folder / "samples.jsonl", found.answers)
    write_records(folder / "review.jsonl", [entry for entry in found.selected if entry.review])
    return folder.parent


def sheet_of(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text("id,label,who,when,note\n" + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def test_sheets_are_blind_and_inert(out: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    assert export_sheet(out, sheet) == 1
    text = sheet.read_text(encoding="utf-8-sig")
    assert "'=HYPERLINK" in text and "uncertain" not in text and "risk" not in text
    with pytest.raises(UsageError, match="already"):
        export_sheet(out, sheet)
    with pytest.raises(UsageError, match=r"\.csv or \.jsonl"):
        export_sheet(out, tmp_path / "sheet.txt")
    assert export_sheet(out, tmp_path / "sheet.jsonl") == 1
    with pytest.raises(DataMissingError, match="no round"):
        export_sheet(tmp_path / "nowhere", tmp_path / "other.csv")


def test_labels_are_kept_and_later_ones_count(out: Path, tmp_path: Path) -> None:
    identifier = f"{prompt().id}~2"
    assert import_labels(out, sheet_of(tmp_path, f"{identifier},accept,A,2026-01-01,fine")) == (1, 0)
    assert import_labels(out, sheet_of(tmp_path, f"{identifier},accept,A,,")) == (0, 0)
    assert import_labels(out, sheet_of(tmp_path, f"{identifier},拒绝,A,,")) == (1, 1)
    labels = read_labels(out)
    assert [label.label for label in labels] == ["accept", "reject"] and labels[0].when == "2026-01-01"
    assert labels_in_effect(labels) == {identifier: "reject"}
    assert export_sheet(out, tmp_path / "left.csv") == 0


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("r1/x~0,accept,A,,", "row 3: the id 'r1/x~0'"),
        ("{id}~1,good,A,,", "row 3: 'good' is no label"),
        ("{id}~1,accept,,,", "row 3: nobody is named"),
        ("{id}~2,reject,A,,", "row 3: 'A' labels this id twice"),
    ],
)  # fmt: skip
def test_bad_rows_are_named_and_nothing_is_imported(out: Path, tmp_path: Path, row: str, message: str) -> None:
    identifier = prompt().id
    with pytest.raises(DataFormatError, match=message) as caught:
        import_labels(out, sheet_of(tmp_path, f"{identifier}~2,accept,A,,", row.replace("{id}", identifier)))
    assert "labels.csv" in str(caught.value) and not read_labels(out)


def test_one_rejection_outweighs() -> None:
    def label(who: str, word: str) -> ReviewedLabel:
        return ReviewedLabel.model_validate({"id": "a", "round": 1, "label": word, "who": who, "when": "now"})

    assert labels_in_effect([label("A", "accept"), label("B", "reject")]) == {"a": "reject"}
    assert labels_in_effect([label("A", "reject"), label("A", "accept"), label("B", "unsure")]) == {"a": "accept"}


# --- composition and stopping ------------------------------------------------------------------------------------------------------------------


@given(
    st.integers(0, 500),
    st.dictionaries(st.sampled_from(["bank", "benign", "choice", "general"]), st.tuples(st.floats(0.01, 5), st.integers(0, 200)), min_size=1),
)
def test_quotas_never_exceed_pools_and_give_all_there_is(total: int, pools: dict[str, tuple[float, int]]) -> None:
    given_ = share_out(total, pools)  # type: ignore[arg-type]
    assert all(0 <= given_[origin] <= size for origin, (_, size) in pools.items())  # type: ignore[index]
    assert sum(given_.values()) == min(total, sum(size for _, size in pools.values()))


def difference(value: float, low: float, high: float, n: int = 50) -> PairedDifference:
    return PairedDifference(metric="m", value=value, low=low, high=high, n=n, p_value=0.5, test="permutation", a=0.5, b=0.5 + value)


def test_the_mean_gain_weighs_metrics_alike() -> None:
    gain = mean_gain([difference(0.4, 0.3, 0.5), difference(0.0, -0.1, 0.1)], level=0.95)
    assert gain.value == pytest.approx(0.2) and gain.low == pytest.approx(0.2 - 0.1 / 2**0.5) and gain.n == 100 and gain.p_value < 0.05
    nothing = mean_gain([], level=0.95)
    assert nothing.low == -1 and nothing.n == 0


def test_guards_break_beyond_the_margin_only() -> None:
    def guard(value: float, direction: str) -> NonInferiority:
        fields = {"difference": difference(value, -1, 1), "margin": 0.05, "direction": direction, "non_inferior": False}
        return NonInferiority.model_validate(fields)

    assert not is_broken(guard(0.05, "lower")) and is_broken(guard(0.051, "lower")) and not is_broken(guard(-0.5, "lower"))
    assert is_broken(guard(-0.06, "higher")) and not is_broken(guard(0.06, "higher"))


def test_models_that_cannot_be_trained_are_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, data=None, offline=True)
    with pytest.raises(UsageError, match="cannot be trained"):
        _ = LocalTrainer("openai:m@http://localhost:1", settings).base
    with pytest.raises(UsageError, match="has an adapter already"):
        _ = LocalTrainer("embedded:+adapter", settings).base
    assert LocalTrainer("embedded", settings).adapted_uri(Path("o/a")) == "embedded:+o/a"
    assert LocalTrainer("hf:base?dtype=float32", settings).adapted_uri(Path("o/a")) == "hf:base+o/a?dtype=float32"


def test_selected_records_are_whole() -> None:
    assert Selected.model_validate({"id": "a~0", "prompt": "a", "fate": "accepted", "why": "safe", "score": 0.5}).review == ""


def test_a_loss_is_called_a_loss() -> None:
    from primum.alignment.stopping import _why
    from primum.schema.estimate import PairedDifference

    told = {"metric": "gain", "a": 0.5, "b": 0.3, "value": -0.2, "n": 40, "level": 0.95, "p_value": 0.01, "test": "mean-of-gains"}
    assert "below zero" in _why(PairedDifference(**told, low=-0.3, high=-0.1), (), better=False, last=False).en
    assert "includes zero" in _why(PairedDifference(**told, low=-0.4, high=0.1), (), better=False, last=False).en
